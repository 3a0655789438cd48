// Converts checkpoints to safetensors, and lists what is in one.
#include <cstdio>

#include "cli/commands.h"
#include "cli/run_main.h"
#include "pipeline/convert.h"

int main(int argc, char** argv) {
  return lazymar::run_main("lazymar_convert", [&] {
    const auto parsed = lazymar::parse_convert_options(argc, argv);
    if (parsed.text) {
      std::fputs(parsed.text->c_str(), stdout);
      return lazymar::ExitCode::kDone;
    }
    return lazymar::convert(parsed.options);
  });
}
