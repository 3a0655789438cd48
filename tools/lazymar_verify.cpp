// Replays a trace of the original and reports the error of every tensor.
#include "cli/commands.h"
#include "cli/run_main.h"
#include "verify/int8_control.h"
#include "verify/verify.h"

int main(int argc, char** argv) {
  lazymar::add_int8_control();
  return lazymar::run_tool(lazymar::verify_program(), lazymar::parse_verify_options, argc, argv,
                           lazymar::verify);
}
