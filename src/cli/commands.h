#pragma once
/// Command lines of the tools.

#include "bench/options.h"
#include "cli/parse.h"
#include "doctor/doctor.h"
#include "generate/options.h"
#include "pipeline/convert.h"
#include "report/compare.h"
#include "score/command.h"
#include "verify/options.h"

namespace lazymar {

/// Throws Error (usage) for an unknown option or a value out of range.
Parsed<EvalOptions> parse_eval_options(int argc, const char* const* argv);
Parsed<VerifyOptions> parse_verify_options(int argc, const char* const* argv);
Parsed<ConvertOptions> parse_convert_options(int argc, const char* const* argv);
Parsed<CompareOptions> parse_compare_options(int argc, const char* const* argv);
Parsed<ScoreOptions> parse_score_options(int argc, const char* const* argv);
Parsed<BenchOptions> parse_bench_options(int argc, const char* const* argv);
Parsed<DoctorOptions> parse_doctor_options(int argc, const char* const* argv);

}  // namespace lazymar
