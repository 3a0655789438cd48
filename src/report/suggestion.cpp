#include "report/suggestion.h"

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace lazymar {
namespace {

/// How many rows of one image each lazy step recomputes; all rows for a full step.
std::vector<int64_t> recomputed_rows(const ImageDrift& image, const LazyOptions& lazy,
                                     double tolerance) {
  const DriftHeader& header = image.header;
  const ChangeTable& output = image.changes.at("output");
  std::vector<int64_t> computed_at(static_cast<size_t>(header.rows));  // by row
  std::vector<int64_t> counts;
  for (int64_t step = 0; step < header.steps(); ++step) {
    const auto s = static_cast<size_t>(step);
    const int64_t first = header.masked[s + 1];
    const int64_t last = step > 0 ? header.masked[s - 1] : header.masked[s];
    int64_t count = 0;
    for (int64_t row = 0; row < header.rows; ++row) {
      int64_t& computed = computed_at[static_cast<size_t>(row)];
      // To be predicted now, or decoded in the step before.
      const bool due = row >= first && row < last;
      if (!lazy.lazy_step(step) || due ||
          static_cast<double>(output.at(computed, step, row)) > tolerance) {
        computed = step;
        ++count;
      }
    }
    counts.push_back(count);
  }
  return counts;
}

/// A multiple of 1/10000 of which LazyMAR, which rounds down, takes at least `rows` of `all`.
double share_of(int64_t rows, int64_t all) {
  constexpr int64_t kParts = 10000;
  int64_t parts = (rows * kParts + all - 1) / all;
  const auto share = [&] { return static_cast<double>(parts) / static_cast<double>(kParts); };
  while (static_cast<int64_t>(static_cast<double>(all) * share()) < rows) {
    ++parts;
  }
  return share();
}

}  // namespace

Suggestion suggest_retain(std::span<const ImageDrift> images, const LazyOptions& lazy,
                          double tolerance, bool falling) {
  const DriftHeader& header = images.front().header;
  std::vector<int64_t> most(static_cast<size_t>(header.steps()));
  for (const ImageDrift& image : images) {
    const std::vector<int64_t> counts = recomputed_rows(image, lazy, tolerance);
    for (size_t step = 0; step < most.size(); ++step) {
      most[step] = std::max(most[step], counts[step]);
    }
  }
  Suggestion suggestion;
  suggestion.tolerance = tolerance;
  int64_t later = 0;  // most rows of any lazy step from here on
  for (size_t step = most.size(); step-- > 0;) {
    int64_t rows = most[step];
    if (falling && lazy.lazy_step(static_cast<int64_t>(step))) {
      rows = later = std::max(later, rows);
    }
    suggestion.shares.insert(suggestion.shares.begin(), share_of(rows, header.rows));
  }
  return suggestion;
}

std::string Suggestion::list() const {
  std::vector<std::string> texts;
  for (const double share : shares) {
    texts.push_back(concat(share));
  }
  return join(texts, ",");
}

}  // namespace lazymar
