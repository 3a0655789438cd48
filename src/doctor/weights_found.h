#pragma once
/// The weights that are here, for lazymar doctor.

#include "doctor/doctor.h"
#include "doctor/findings.h"

namespace lazymar {

/// Loads every model that can be named, with its VAE, as a run does. A problem if a model cannot be
/// used, or if there is none.
void examine_weights(const DoctorOptions& options, Findings& findings);

}  // namespace lazymar
