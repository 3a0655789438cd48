// Times settings against each other, in turns: seconds an image, FLOPs, stages, memory.
#include <cstdio>

#include "bench/bench.h"
#include "cli/commands.h"
#include "cli/run_main.h"

int main(int argc, char** argv) {
  return lazymar::run_main("lazymar_bench", [&] {
    const auto parsed = lazymar::parse_bench_options(argc, argv);
    if (parsed.text) {
      std::fputs(parsed.text->c_str(), stdout);
      return lazymar::ExitCode::kDone;
    }
    return lazymar::bench(parsed.options);
  });
}
