// Scores sets of images: FID, Inception Score, KID, precision and recall, with error bars.
#include "cli/commands.h"
#include "cli/run_main.h"
#include "score/command.h"

int main(int argc, char** argv) {
  return lazymar::run_tool(lazymar::score_program(), lazymar::parse_score_options, argc, argv,
                           lazymar::score);
}
