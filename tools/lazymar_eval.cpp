// Generates images with MAR or LazyMAR, like eval.py in LazyMAR's README.
#include "cli/commands.h"
#include "cli/run_main.h"
#include "generate/command.h"

int main(int argc, char** argv) {
  return lazymar::run_tool(
      lazymar::eval_program(), lazymar::parse_eval_options, argc, argv,
      [&](const lazymar::EvalOptions& options) { return lazymar::launch(options, argv); });
}
