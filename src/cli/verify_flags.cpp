#include "cli/commands.h"
#include "core/error.h"

namespace lazymar {

Parsed<VerifyOptions> parse_verify_options(int argc, const char* const* argv) {
  Parsed<VerifyOptions> parsed = parse(verify_program(), verify_rows(), argc, argv);
  if (!parsed.text && parsed.options.trace.empty() && !parsed.options.self_check) {
    throw usage_error("--trace DIR or --self_check is needed; --help lists the options");
  }
  if (!parsed.text && !parsed.options.trace.empty() && parsed.options.self_check) {
    throw usage_error("--trace and --self_check are two different checks; give one of them");
  }
  return parsed;
}

}  // namespace lazymar
