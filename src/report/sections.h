#pragma once
/// The report's larger sections and their shared parts.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/comparison.h"

namespace lazymar {

/// <section id="..."> with a title.
std::string section(const char* id, const char* title, const std::string& body);
/// A table's row of <td> or <th>.
std::string cells(const char* tag, const std::vector<std::string>& values);
/// "12.3 %"; "-" if there is no value.
std::string percent(const std::optional<double>& share);
/// Statistics of a run's pairs with the baseline; empty for the baseline.
PairStatistics likeness(const Comparison& comparison, size_t run);

/// Passes of the rules of pictures, by class and run; no section for pictures without rules.
std::string rules_section(const Comparison& comparison);
std::string pairs_section(const Comparison& comparison, int64_t shown);
std::string stages_section(const Comparison& comparison);
std::string latency_section(const Comparison& comparison);
std::string steps_section(const Comparison& comparison);
/// By FID if every run has one, else by SSIM with the baseline; no section for a single point.
std::string trade_section(const Comparison& comparison);
/// Drift from recordings; no section without them.
std::string redundancy_section(const Comparison& comparison);
/// Errors of predictors; no section without them.
std::string replay_section(const Comparison& comparison);

}  // namespace lazymar
