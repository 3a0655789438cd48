// Compares runs with a baseline run: likeness of images, time, work.
#include <cstdio>

#include "cli/commands.h"
#include "cli/run_main.h"
#include "report/compare.h"

int main(int argc, char** argv) {
  return lazymar::run_main("lazymar_compare", [&] {
    const auto parsed = lazymar::parse_compare_options(argc, argv);
    if (parsed.text) {
      std::fputs(parsed.text->c_str(), stdout);
      return lazymar::ExitCode::kDone;
    }
    return lazymar::compare(parsed.options);
  });
}
