#include "lazymar/core/noise.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "lazymar/core/error.h"

namespace lazymar {
namespace {

enum class Purpose : uint32_t { kOrder = 0, kStart = 1, kLoop = 2 };

// Counter word 2: purpose in the top 4 bits, diffusion step in 12, decoding step in 16.
constexpr int64_t kMaxDiffusionStep = 1 << 12;
constexpr int64_t kMaxDecodingStep = 1 << 16;

uint32_t pack(Purpose purpose, int64_t decoding_step, int64_t diffusion_step) {
  return static_cast<uint32_t>(purpose) << 28 | static_cast<uint32_t>(diffusion_step) << 16 |
         static_cast<uint32_t>(decoding_step);
}

/// Box-Muller on two 32-bit words; the half added keeps the logarithm finite.
std::pair<float, float> normal_pair(uint32_t a, uint32_t b) {
  constexpr double kStep = 0x1p-32;
  const double radius = std::sqrt(-2.0 * std::log((a + 0.5) * kStep));
  const double angle = 2.0 * std::numbers::pi * ((b + 0.5) * kStep);
  return {static_cast<float>(radius * std::cos(angle)),
          static_cast<float>(radius * std::sin(angle))};
}

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53;
  constexpr uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9;
  constexpr uint32_t kWeyl1 = 0xBB67AE85;
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = kMultiplier0 * counter[0];
    const uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

PhiloxNoise::PhiloxNoise(uint64_t seed, std::vector<int64_t> image_ids)
    : key_{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)},
      image_ids_(std::move(image_ids)) {
  for (const int64_t id : image_ids_) {
    if (id < 0 || id > INT64_C(0xFFFFFFFF)) {
      throw usage_error("image id ", id, ": ids must be below 2^32");
    }
  }
}

void PhiloxNoise::order(int64_t slot, std::span<int64_t> order) {
  // Sorting by 64-bit random keys; equal keys (probability 2^-64 a pair) fall back to the position.
  const auto image = static_cast<uint32_t>(image_ids_.at(slot));
  std::vector<std::pair<uint64_t, int64_t>> keys(order.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto words =
        philox4x32({0, static_cast<uint32_t>(i), pack(Purpose::kOrder, 0, 0), image}, key_);
    keys[i] = {uint64_t{words[0]} << 32 | words[1], static_cast<int64_t>(i)};
  }
  std::sort(keys.begin(), keys.end());
  std::transform(keys.begin(), keys.end(), order.begin(), [](const auto& k) { return k.second; });
}

void PhiloxNoise::normals(const NoiseRequest& request, std::span<float> values) {
  const bool start = request.diffusion_step == NoiseRequest::kStart;
  if (request.decoding_step >= kMaxDecodingStep || request.diffusion_step >= kMaxDiffusionStep) {
    throw usage_error("noise: at most ", kMaxDecodingStep, " decoding and ", kMaxDiffusionStep,
                      " diffusion steps");
  }
  const uint32_t steps = pack(start ? Purpose::kStart : Purpose::kLoop, request.decoding_step,
                              start ? 0 : request.diffusion_step);
  const size_t per_image = request.tokens.size() / image_ids_.size();
  for (size_t row = 0; row < request.tokens.size(); ++row) {
    const auto image = static_cast<uint32_t>(image_ids_[row / per_image]);
    const auto token = static_cast<uint32_t>(request.tokens[row]);
    float* out = values.data() + row * request.channels;
    for (int64_t channel = 0; channel < request.channels; channel += 4) {
      const auto words =
          philox4x32({static_cast<uint32_t>(channel / 4), token, steps, image}, key_);
      const auto [a, b] = normal_pair(words[0], words[1]);
      const auto [c, d] = normal_pair(words[2], words[3]);
      const std::array<float, 4> four{a, b, c, d};
      const int64_t count = std::min<int64_t>(4, request.channels - channel);
      std::copy_n(four.begin(), count, out + channel);
    }
  }
}

}  // namespace lazymar
