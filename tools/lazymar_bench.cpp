// Times settings against each other, in turns: seconds per image, FLOPs, stages, memory.
#include "bench/bench.h"
#include "cli/commands.h"
#include "cli/run_main.h"

int main(int argc, char** argv) {
  return lazymar::run_tool(lazymar::bench_program(), lazymar::parse_bench_options, argc, argv,
                           lazymar::bench);
}
