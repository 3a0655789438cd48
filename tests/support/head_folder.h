#pragma once
/// Recordings of the head with made-up features.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "run/head_recording.h"

namespace lazymar::testing {

/// Value `i` of a token's feature at its diffusion step `step`, counted from the first one.
using InventedFeature = std::function<double(int64_t token, int64_t step, int64_t i)>;

/// Two tokens, of so many diffusion steps each.
inline HeadRecordingHeader head_header(const std::vector<int64_t>& steps, int64_t image = 0) {
  HeadRecordingHeader header;
  header.settings = {{"model", "demo"}, {"num_iter", 4}};
  header.image = image;
  for (size_t token = 0; token < steps.size(); ++token) {
    header.rows.push_back(7 - static_cast<int64_t>(token));
    header.decoding_steps.push_back(static_cast<int64_t>(token));
    std::vector<int64_t>& timesteps = header.timesteps.emplace_back();
    for (int64_t i = steps[token] - 1; i >= 0; --i) {
      timesteps.push_back(i);
    }
  }
  return header;
}

/// [E, ...shape].
inline TensorSource invented(const HeadRecordingHeader& header, std::vector<int64_t> shape,
                             const InventedFeature& feature) {
  int64_t width = 1;
  for (const int64_t size : shape) {
    width *= size;
  }
  std::vector<float> values;
  for (size_t token = 0; token < header.timesteps.size(); ++token) {
    for (size_t step = 0; step < header.timesteps[token].size(); ++step) {
      for (int64_t i = 0; i < width; ++i) {
        values.push_back(static_cast<float>(
            feature(static_cast<int64_t>(token), static_cast<int64_t>(step), i)));
      }
    }
  }
  shape.insert(shape.begin(), header.evaluations());
  return {ElementType::kF32, std::move(shape),
          [values] { return std::as_bytes(std::span(values)); }};
}

/// Two blocks of two values each; two channels.
inline std::map<std::string, TensorSource> head_tensors(const HeadRecordingHeader& header,
                                                        const InventedFeature& mlp,
                                                        const InventedFeature& eps) {
  return {{"x", invented(header, {2}, eps)},
          {"eps", invented(header, {2}, eps)},
          {"v", invented(header, {2}, eps)},
          {"mlp", invented(header, {2, 2}, mlp)}};
}

}  // namespace lazymar::testing
