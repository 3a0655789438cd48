#pragma once
/// The arithmetic of noise, compiled for both host and device: Philox4x32-10 and Box-Muller.
///
/// Bits are equal by construction: only integers and single operations on IEEE doubles are used,
/// and none may be fused (on hosts, files that include this are compiled with -ffp-contract=off).
/// No library's log, cos or sin is called: those differ in the last bit between versions, and
/// between host and device.

#include <bit>
#include <cmath>
#include <cstdint>

#if defined(__CUDACC__)
#define LAZYMAR_HOST_DEVICE __host__ __device__
#else
#define LAZYMAR_HOST_DEVICE
#endif

namespace lazymar::philox {

struct Words {
  uint32_t x, y, z, w;
};

/// Ten rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
LAZYMAR_HOST_DEVICE inline Words draw(Words counter, uint32_t key0, uint32_t key1) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53;
  constexpr uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9;
  constexpr uint32_t kWeyl1 = 0xBB67AE85;
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = kMultiplier0 * counter.x;
    const uint64_t product1 = kMultiplier1 * counter.z;
    counter = {
        static_cast<uint32_t>(product1 >> 32) ^ counter.y ^ key0, static_cast<uint32_t>(product1),
        static_cast<uint32_t>(product0 >> 32) ^ counter.w ^ key1, static_cast<uint32_t>(product0)};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return counter;
}

/// What a draw is for.
enum class Purpose : uint32_t { kOrder = 0, kStart = 1, kLoop = 2 };

// Counter word 2: purpose in the top 4 bits, diffusion step in 12, decoding step in 16.
inline constexpr int64_t kMaxDiffusionStep = 1 << 12;
inline constexpr int64_t kMaxDecodingStep = 1 << 16;

LAZYMAR_HOST_DEVICE inline uint32_t pack(Purpose purpose, int64_t decoding_step,
                                         int64_t diffusion_step) {
  return static_cast<uint32_t>(purpose) << 28 | static_cast<uint32_t>(diffusion_step) << 16 |
         static_cast<uint32_t>(decoding_step);
}

// --- Single rounded operations: a compiler must not fuse two of them ---

#if defined(__CUDA_ARCH__)
__device__ inline int highest_bit(uint64_t n) {
  return 63 - __clzll(static_cast<long long>(n));
}
__device__ inline double product(double a, double b) {
  return __dmul_rn(a, b);
}
__device__ inline double sum(double a, double b) {
  return __dadd_rn(a, b);
}
#else
inline int highest_bit(uint64_t n) {
  return std::bit_width(n) - 1;
}
inline double product(double a, double b) {
  return a * b;
}
inline double sum(double a, double b) {
  return a + b;
}
#endif

/// c[0] + z * (c[1] + z * (...)).
template <int kCount>
LAZYMAR_HOST_DEVICE inline double polynomial(const double (&c)[kCount], double z) {
  double value = c[kCount - 1];
  for (int i = kCount - 2; i >= 0; --i) {
    value = sum(c[i], product(z, value));
  }
  return value;
}

/// log((a + 0.5) / 2^32), below 1 ulp. log(1 + f) = f - s (f - P(s^2)) with s = f / (2 + f) and P
/// the rest of the series of 2 atanh(s); the logarithm of 2 in two parts (fdlibm, e_log.c).
LAZYMAR_HOST_DEVICE inline double log_uniform(uint32_t a) {
  constexpr double kLn2High = 6.93147180369123816490e-01;  // its last 32 bits are 0
  constexpr double kLn2Low = 1.90821492927058770002e-10;
  constexpr double kSqrt2 = 1.41421356237309504880;
  constexpr double kSeries[] = {2. / 3,  2. / 5,  2. / 7,  2. / 9,  2. / 11, 2. / 13,
                                2. / 15, 2. / 17, 2. / 19, 2. / 21, 2. / 23, 2. / 25};
  const uint64_t odd = 2 * static_cast<uint64_t>(a) + 1;  // of 2^33
  int exponent = highest_bit(odd);
  double m = ldexp(static_cast<double>(odd), -exponent);  // in [1, 2), exactly
  if (m > kSqrt2) {
    m = product(m, 0.5);
    ++exponent;
  }
  const double k = exponent - 33;
  const double f = sum(m, -1);
  const double s = f / sum(2, f);
  const double z = product(s, s);
  const double rest = product(s, sum(f, -product(z, polynomial(kSeries, z))));
  return sum(product(k, kLn2High), -sum(sum(rest, -product(k, kLn2Low)), -f));
}

struct CosineSine {
  double cosine, sine;
};

/// Of the angle 2 pi (b + 0.5) / 2^32, rounded once; below 1 ulp. Reduced to the nearest quarter
/// turn, a quarter turn in two parts, then the Taylor series.
LAZYMAR_HOST_DEVICE inline CosineSine cosine_sine(uint32_t b) {
  constexpr double kTwoPi = 6.28318530717958647692;
  constexpr double kQuarterHigh = 1.57079632673412561417;  // its last 20 bits are 0
  constexpr double kQuarterLow = 6.07710050650619224932e-11;
  constexpr double kSine[] = {
      -1. / 6,        1. / 120,        -1. / 5040,          1. / 362880,
      -1. / 39916800, 1. / 6227020800, -1. / 1307674368000, 1. / 355687428096000};
  constexpr double kCosine[] = {
      1. / 24,        -1. / 720,         1. / 40320,          -1. / 3628800,
      1. / 479001600, -1. / 87178291200, 1. / 20922789888000, -1. / 6402373705728000};
  const double angle = product(kTwoPi, product(sum(b, 0.5), 0x1p-32));
  const auto quarter = static_cast<uint32_t>((2 * static_cast<uint64_t>(b) + 1 + (1U << 30)) >> 31);
  const double y = sum(sum(angle, -product(quarter, kQuarterHigh)), -product(quarter, kQuarterLow));
  const double z = product(y, y);
  const double sine = sum(y, product(product(y, z), polynomial(kSine, z)));
  // 1 - z/2 loses bits, which are added back.
  const double half = product(z, 0.5);
  const double most = sum(1, -half);
  const double lost = sum(sum(1, -most), -half);
  const double cosine = sum(most, sum(lost, product(product(z, z), polynomial(kCosine, z))));
  switch (quarter & 3) {
    case 0:
      return {cosine, sine};
    case 1:
      return {-sine, cosine};
    case 2:
      return {-cosine, -sine};
    default:
      return {sine, -cosine};
  }
}

struct Pair {
  float first, second;
};

/// Box-Muller on two words, in double, rounded once; the half added keeps the logarithm finite.
LAZYMAR_HOST_DEVICE inline Pair normal_pair(uint32_t a, uint32_t b) {
  const double radius = sqrt(product(-2.0, log_uniform(a)));
  const CosineSine of_angle = cosine_sine(b);
  return {static_cast<float>(product(radius, of_angle.cosine)),
          static_cast<float>(product(radius, of_angle.sine))};
}

/// Normal values of channels 4 c ... 4 c + 3 of a token.
LAZYMAR_HOST_DEVICE inline void normal_four(uint32_t c, uint32_t token, uint32_t steps,
                                            uint32_t image, uint32_t key0, uint32_t key1,
                                            float (&values)[4]) {
  const Words words = draw({c, token, steps, image}, key0, key1);
  const Pair low = normal_pair(words.x, words.y);
  const Pair high = normal_pair(words.z, words.w);
  values[0] = low.first;
  values[1] = low.second;
  values[2] = high.first;
  values[3] = high.second;
}

}  // namespace lazymar::philox
