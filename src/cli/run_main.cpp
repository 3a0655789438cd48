#include "cli/run_main.h"

#include <c10/util/Exception.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>

#include "core/error_text.h"
#include "core/text.h"
#include "pipeline/device.h"

namespace lazymar {
namespace {

int report(const char* program, ExitCode code, const std::string& message) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s: %s\n", program, visible(message).c_str());
  return static_cast<int>(code);
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

}  // namespace

int run_main(const char* program, const std::function<ExitCode()>& body) {
  // A closed pipe or a size limit must cause a failed write with a reason, not a silent exit.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return static_cast<int>(body());
  } catch (const Error& error) {
    return report(program, exit_code(error.kind()), text_with_flag(error));
  } catch (const c10::Error& error) {
    return report(program, is_device_fault(error) ? ExitCode::kDeviceFault : ExitCode::kInternal,
                  first_line(error.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    return report(program, ExitCode::kInternal, "out of memory: use a smaller --eval_bsz");
  } catch (const std::filesystem::filesystem_error& error) {
    return report(program, ExitCode::kOutput,
                  error.path1().string() + ": " + error.code().message());
  } catch (const std::exception& error) {
    return report(program, is_device_fault(error) ? ExitCode::kDeviceFault : ExitCode::kInternal,
                  first_line(error.what()));
  }
}

}  // namespace lazymar
