// Any bytes as a command line: refused in one line, or options. The first byte chooses the program,
// the others are words, each ended by a line feed. The tables are those that need no LibTorch:
// lazymar_compare's, lazymar_verify's, lazymar_doctor's, and how lazymar_eval draws.
#include <algorithm>
#include <cctype>
#include <vector>

#include "cli/parse.h"
#include "doctor/doctor.h"
#include "fuzz/fuzz.h"
#include "method/option_rows.h"
#include "report/compare.h"
#include "verify/options.h"

namespace {

template <typename Options>
void parse(const lazymar::Program& program, const lazymar::OptionTable<Options>& table,
           const std::vector<const char*>& argv) {
  try {
    const auto parsed = lazymar::parse(program, table, static_cast<int>(argv.size()), argv.data());
    // A value that was read can be shown, and read again.
    for (const auto& row : table) {
      if (std::find(parsed.given.begin(), parsed.given.end(), row.info.name) !=
              parsed.given.end() &&
          row.field.value) {
        static_cast<void>(row.field.value(parsed.options));
      }
    }
  } catch (const lazymar::Error& error) {
    lazymar::fuzz::require(error.kind() == lazymar::ErrorKind::kInvalid);
    lazymar::fuzz::require(error.what()[0] != 0);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) {
    return 0;
  }
  std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  std::replace(text.begin(), text.end(), '\n', '\0');
  std::vector<const char*> argv{"program"};
  for (size_t begin = 0; begin < text.size(); begin = text.find('\0', begin) + 1) {
    argv.push_back(text.c_str() + begin);
    if (text.find('\0', begin) == std::string::npos) {
      break;
    }
  }
  switch (data[0] % 5) {
    case 0:
      parse(lazymar::compare_program(), lazymar::compare_rows(), argv);
      break;
    case 1:
      parse(lazymar::verify_program(), lazymar::verify_rows(), argv);
      break;
    case 2:
      parse(lazymar::doctor_program(), lazymar::doctor_rows(), argv);
      break;
    case 3:
      parse(lazymar::eval_program(), lazymar::sampling_rows(), argv);
      break;
    default:
      parse(lazymar::eval_program(), lazymar::lazy_rows(), argv);
  }
  return 0;
}
