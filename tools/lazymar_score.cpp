// Scores sets of images: FID, Inception Score, KID, precision and recall, with error bars.
#include <cstdio>

#include "cli/commands.h"
#include "cli/run_main.h"
#include "score/command.h"

int main(int argc, char** argv) {
  return lazymar::run_main("lazymar_score", [&] {
    const auto parsed = lazymar::parse_score_options(argc, argv);
    if (parsed.text) {
      std::fputs(parsed.text->c_str(), stdout);
      return lazymar::ExitCode::kDone;
    }
    return lazymar::score(parsed.options);
  });
}
