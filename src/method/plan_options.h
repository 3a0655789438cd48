#pragma once
/// What tells decoding methods apart beyond MAR's own options, as text: order, tokens per step,
/// how the head samples, cache.

#include <cstdint>
#include <string>

namespace lazymar {

/// As given on a command line; method/method_text.h reads the texts.
struct PlanOptions {
  std::string order = "random";  ///< "halton:rolled", "checkerboard:3", "list:2,0,1,3"
  std::string tokens_per_step;   ///< "stages:24,6,2"; empty: the cosine over num_iter steps
  std::string head_steps;        ///< "50:20,20@stage3"; empty: num_sampling_steps
  std::string solver = "ddpm";
  int64_t last_timestep = 999;
  std::string spacing = "mar";
  std::string detail;  ///< "0.1:50"; empty: none
  std::string cache;   ///< "recap"; empty: none, or LazyMAR's

  bool operator==(const PlanOptions&) const = default;
};

}  // namespace lazymar
