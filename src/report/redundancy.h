#pragma once
/// Drift from recordings: the distance of a stored output from a fresh one.

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "run/drift.h"

namespace lazymar {

/// The rows that a mean covers, for decoding steps i < j; m_s is the number of rows masked before
/// step s. The first four kinds cover every row once.
enum class RowKind {
  kMasked,     ///< masked in both: [0, m_j)
  kNew,        ///< decoded in between: [m_j, m_i)
  kKnown,      ///< known in both: [m_i, L)
  kBuffer,     ///< no tokens: [L, N)
  kPredicted,  ///< to be predicted in step j: [m_{j+1}, m_j)
};

/// Mean relative change by pair of decoding steps.
class ChangeMap {
 public:
  /// The mean is over the rows of that kind in all images; pairs without such rows stay empty.
  ChangeMap(std::span<const ImageDrift> images, const std::string& feature, RowKind kind);

  int64_t steps() const { return steps_; }
  std::optional<double> at(int64_t from, int64_t to) const;
  /// The means of all pairs `distance` steps apart that have rows, by their later step.
  std::vector<std::pair<int64_t, double>> along(int64_t distance) const;
  /// The first step after which no change between consecutive steps reaches `limit`; empty if there
  /// is none.
  std::optional<int64_t> below_from(double limit) const;

 private:
  int64_t steps_;
  std::vector<double> means_;  ///< [S, S]; NaN if there is no row
};

/// Everything that the report shows of a folder of recordings.
struct Redundancy {
  DriftHeader header;  ///< of the first image
  int64_t images = 0;
  ChangeMap masked, fresh, known, buffer;               ///< of outputs
  ChangeMap values_masked, values_fresh, values_known;  ///< of the values that LazyMAR compares
  std::optional<ChangeMap> difference;                  ///< of predicted rows; with guidance
  ChangeMap predicted;                                  ///< of outputs, the same rows

  explicit Redundancy(std::span<const ImageDrift> images);
};

/// Sentences for people: after which step drift stays below a tenth, and drift over several steps.
std::vector<std::string> redundancy_text(const Redundancy& redundancy);

nlohmann::ordered_json redundancy_json(const Redundancy& redundancy);

}  // namespace lazymar
