// All programs: lazymar eval, which is also lazymar_eval.
#include "cli/umbrella.h"

int main(int argc, char** argv) {
  return lazymar::umbrella_main(argc, argv);
}
