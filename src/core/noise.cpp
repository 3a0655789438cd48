#include "core/noise.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "core/philox.h"

namespace lazymar {

using philox::kMaxDecodingStep;
using philox::kMaxDiffusionStep;
using philox::pack;
using philox::Purpose;

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  const philox::Words words =
      philox::draw({counter[0], counter[1], counter[2], counter[3]}, key[0], key[1]);
  return {words.x, words.y, words.z, words.w};
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
  // Sorts by 64-bit random keys; equal keys (probability 2^-64 per pair) fall back to position.
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
  if (request.step_key >= kMaxDecodingStep || request.key >= kMaxDiffusionStep) {
    throw usage_error("noise: at most ", kMaxDecodingStep, " decoding and ", kMaxDiffusionStep,
                      " diffusion steps");
  }
  const uint32_t steps =
      pack(start ? Purpose::kStart : Purpose::kLoop, request.step_key, start ? 0 : request.key);
  const size_t per_image = request.tokens.size() / image_ids_.size();
  for (size_t row = 0; row < request.tokens.size(); ++row) {
    const auto image = static_cast<uint32_t>(image_ids_[row / per_image]);
    const auto token = static_cast<uint32_t>(request.tokens[row]);
    float* out = values.data() + row * request.channels;
    for (int64_t channel = 0; channel < request.channels; channel += 4) {
      float four[4];
      philox::normal_four(static_cast<uint32_t>(channel / 4), token, steps, image, key_[0], key_[1],
                          four);
      const int64_t count = std::min<int64_t>(4, request.channels - channel);
      std::copy_n(four, count, out + channel);
    }
  }
}

}  // namespace lazymar
