// Compares runs with a baseline run: image similarity, time, work.
#include "cli/commands.h"
#include "cli/run_main.h"
#include "report/compare.h"

int main(int argc, char** argv) {
  return lazymar::run_tool(lazymar::compare_program(), lazymar::parse_compare_options, argc, argv,
                           lazymar::compare);
}
