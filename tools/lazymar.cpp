// One name for all programs: lazymar eval is lazymar_eval.
#include "cli/umbrella.h"

int main(int argc, char** argv) {
  return lazymar::umbrella_main(argc, argv);
}
