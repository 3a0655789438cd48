#pragma once
/// LazyMAR's caches and their constants.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lazymar {

/// How the decoder's share of recomputed rows follows the decoding step.
enum class RetainKind { kScaled, kPublished, kProgress, kList };

/// Which caches LazyMAR uses, and its constants (arXiv:2503.12450, defaults as released).
struct LazyOptions {
  bool token = true;         ///< recompute only rows that changed
  bool condition = true;     ///< unconditional output = conditional output + kept difference
  bool head = true;          ///< diffusion MLP: most timesteps reuse kept block outputs
  int64_t warmup = 5;        ///< decoding steps before the first lazy one
  int64_t refresh = 9;       ///< decoding steps from one full step to the next, after the warm-up
  int64_t prune_layer = 3;   ///< rows are chosen after this decoder layer's attention
  int64_t extra = 15;        ///< rows kept beyond those just decoded and to be predicted
  int64_t head_refresh = 7;  ///< diffusion steps from one full computation of the head to the next
  RetainKind retain = RetainKind::kScaled;
  std::vector<double> retain_list;  ///< for kList: ratio by decoding step; the last one is repeated
  double condition_scale = 1.0;     ///< factor of the kept difference; 0 drops it (an ablation)
  bool by_progress = false;  ///< refresh by tokens known: by the step of MAR's 64-step cosine
  bool at_stages = true;     ///< the step that opens a stage is full

  /// Whether a decoding step may reuse what an earlier one kept; the others are full. By steps,
  /// without stages.
  bool lazy_step(int64_t step) const { return step >= warmup && (step - warmup) % refresh != 0; }
};

/// Reads "published", "scaled", "progress" or a list such as "1,1,0.5" (each from 0 to 1) into
/// `options`; anything else throws (usage).
void parse_retain(std::string_view text, LazyOptions& options);
/// The text that parse_retain reads back.
std::string retain_string(const LazyOptions& options);

/// The constants that differ from their defaults, by name, as text ("refresh" -> "7"), and back:
/// for DecodingMethod. Throws Error (usage) for an unknown name (listing the names) and for text
/// that is not a value of it. The cache policy checks ranges.
std::map<std::string, std::string> lazymar_text(const LazyOptions& options);
LazyOptions lazymar_options(const std::map<std::string, std::string>& text);

}  // namespace lazymar
