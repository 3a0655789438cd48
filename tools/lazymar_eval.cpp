// Generates images with MAR or LazyMAR: what the LazyMAR README's users know as eval.py.
#include <cstdio>

#include "cli/commands.h"
#include "cli/run_main.h"
#include "generate/command.h"

int main(int argc, char** argv) {
  return lazymar::run_main("lazymar_eval", [&] {
    const auto parsed = lazymar::parse_eval_options(argc, argv);
    if (parsed.text) {
      std::fputs(parsed.text->c_str(), stdout);
      return lazymar::ExitCode::kDone;
    }
    return lazymar::launch(parsed.options, argv);
  });
}
