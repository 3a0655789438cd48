#include "cli/commands.h"
#include "core/error.h"
#include "pipeline/option_rows.h"

namespace lazymar {

Parsed<ConvertOptions> parse_convert_options(int argc, const char* const* argv) {
  Parsed<ConvertOptions> parsed = parse(convert_program(), convert_rows(), argc, argv);
  ConvertOptions& options = parsed.options;
  for (const std::string& operand : parsed.operands) {
    std::filesystem::path* const place = options.input.empty()    ? &options.input
                                         : options.output.empty() ? &options.output
                                                                  : nullptr;
    if (place == nullptr) {
      throw usage_error("unexpected argument \"", operand, "\"; --help lists the options");
    }
    *place = operand;
  }
  const bool two = !options.input.empty() && !options.output.empty();
  if (!parsed.text && (options.list ? !options.input.empty() : !two)) {
    throw usage_error("either IN and OUT.safetensors or --list FILE; --help lists the options");
  }
  if (two && options.output.extension() != ".safetensors") {
    throw usage_error(options.output.string(), ": does not end in .safetensors");
  }
  if (options.calibrate && !options.int8) {
    throw usage_error("--calibrate smooths activations for --int8; add --int8");
  }
  return parsed;
}

}  // namespace lazymar
