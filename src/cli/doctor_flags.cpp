#include "cli/commands.h"

namespace lazymar {

Parsed<DoctorOptions> parse_doctor_options(int argc, const char* const* argv) {
  return parse(doctor_program(), doctor_rows(), argc, argv);
}

}  // namespace lazymar
