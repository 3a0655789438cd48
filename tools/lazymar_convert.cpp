// Converts checkpoints to safetensors, and lists their contents.
#include "cli/commands.h"
#include "cli/run_main.h"
#include "pipeline/convert.h"

int main(int argc, char** argv) {
  return lazymar::run_tool(lazymar::convert_program(), lazymar::parse_convert_options, argc, argv,
                           lazymar::convert);
}
