// Replays a recorded run of the original and says how far every tensor is from it.
#include "cli/commands.h"
#include "cli/run_main.h"
#include "verify/verify.h"

int main(int argc, char** argv) {
  return lazymar::run_tool(lazymar::verify_program(), lazymar::parse_verify_options, argc, argv,
                           lazymar::verify);
}
