#pragma once
/// The build, the machine and the launcher, for lazymar doctor.

#include "doctor/doctor.h"
#include "doctor/findings.h"
#include "files/environment.h"

namespace lazymar {

/// Version, LibTorch, processor, precision, GPUs and driver.
void examine_build(const DoctorOptions& options, Findings& findings);

/// The launcher's variables, as read_launcher_env() reads them.
void examine_launcher(const Environment& environment, Findings& findings);

/// Memory that is free, and room in the output folder.
void examine_room(const DoctorOptions& options, Findings& findings);

}  // namespace lazymar
