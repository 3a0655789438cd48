#include "core/shared_rows.h"
#include "doctor/doctor.h"

namespace lazymar {

OptionTable<DoctorOptions> doctor_rows() {
  using D = DoctorOptions;
  constexpr const char* kGroup = "What to examine";
  OptionRow<D> output{{.name = "output_dir",
                       .value = "DIR",
                       .group = kGroup,
                       .help = "Examine whether a run can write to DIR.",
                       .main = true},
                      path(&D::output_dir)};
  OptionTable<D> rows{checkpoint_dir_row(&D::checkpoint_dir, kGroup), output,
                      device_row(&D::device)};
  rows.front().info.main = true;
  return rows;
}

}  // namespace lazymar
