#pragma once
/// Randomness as a pure function of (seed, image): counter-based, independent of batch, device and
/// order of work. Baseline and LazyMAR see the same values, so their images pair up.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace lazymar {

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// Which normal values a decoding step needs.
struct NoiseRequest {
  static constexpr int64_t kStart = -1;

  int64_t decoding_step = 0;
  int64_t diffusion_step = kStart;  ///< its index, or kStart for the starting noise
  int64_t channels = 0;             ///< C
  std::span<const int64_t> tokens;  ///< raster positions, [B * n], image by image
  int64_t key = 0;                  ///< identifies the diffusion step (HeadSchedule::noise_keys)
  int64_t step_key = 0;             ///< identifies the decoding step (DecodeStep::noise_step)
};

/// What a device needs to draw the same values itself (mar/device_noise.h).
struct CounterBased {
  std::array<uint32_t, 2> key;
  std::vector<int64_t> image_ids;  ///< by slot
};

/// Source of a batch's token orders and normal values.
class NoiseSource {
 public:
  virtual ~NoiseSource() = default;

  /// Token order of the batch's image `slot`: a permutation of 0 .. order.size() - 1. The first m
  /// entries are the masked tokens while m tokens are masked.
  virtual void order(int64_t slot, std::span<int64_t> order) = 0;

  /// Standard normal values, [B * n, C] row by row.
  virtual void normals(const NoiseRequest& request, std::span<float> values) = 0;

  /// Defined if normals() are PhiloxNoise's.
  virtual std::optional<CounterBased> counter_based() const { return std::nullopt; }
};

/// Philox keyed by the seed; the counter holds image, purpose, steps, token and channel.
/// Normal values by Box-Muller in double, rounded to float once.
class PhiloxNoise final : public NoiseSource {
 public:
  /// One id per image of the batch, in the order of its slots; ids below 2^32.
  PhiloxNoise(uint64_t seed, std::vector<int64_t> image_ids);

  void order(int64_t slot, std::span<int64_t> order) override;
  void normals(const NoiseRequest& request, std::span<float> values) override;
  std::optional<CounterBased> counter_based() const override { return {{key_, image_ids_}}; }

 private:
  std::array<uint32_t, 2> key_;
  std::vector<int64_t> image_ids_;
};

}  // namespace lazymar
