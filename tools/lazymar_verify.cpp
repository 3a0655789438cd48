// Replays a recorded run of the original and says how far every tensor is from it.
#include <cstdio>

#include "cli/commands.h"
#include "cli/run_main.h"
#include "verify/verify.h"

int main(int argc, char** argv) {
  return lazymar::run_main("lazymar_verify", [&] {
    const auto parsed = lazymar::parse_verify_options(argc, argv);
    if (parsed.text) {
      std::fputs(parsed.text->c_str(), stdout);
      return lazymar::ExitCode::kDone;
    }
    return lazymar::verify(parsed.options);
  });
}
