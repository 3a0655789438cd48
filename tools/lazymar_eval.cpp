// Generates images with MAR or LazyMAR: what the LazyMAR README's users know as eval.py.
#include "cli/commands.h"
#include "cli/run_main.h"
#include "generate/command.h"

int main(int argc, char** argv) {
  return lazymar::run_tool(
      lazymar::eval_program(), lazymar::parse_eval_options, argc, argv,
      [&](const lazymar::EvalOptions& options) { return lazymar::launch(options, argv); });
}
