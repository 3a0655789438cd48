#include "cli/commands.h"
#include "core/error.h"

namespace lazymar {

Parsed<VerifyOptions> parse_verify_options(int argc, const char* const* argv) {
  Parsed<VerifyOptions> parsed = parse(verify_program(), verify_rows(), argc, argv);
  if (!parsed.text && parsed.options.trace.empty()) {
    throw usage_error("--trace DIR is needed; --help lists the options");
  }
  return parsed;
}

}  // namespace lazymar
