#pragma once
/// The similarity of two pictures.

#include <cstdint>
#include <optional>

#include "formats/image.h"

namespace lazymar {

/// The window of ssim(): smaller images have no SSIM.
inline constexpr int64_t kSsimWindow = 11;

/// 10 log10(255^2 / mean squared error) over all pixels and channels, dB; infinite for equal
/// images. Both must have the same size.
double psnr(const DecodedImage& a, const DecodedImage& b);

/// Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004, section III): Gaussian window of 11
/// pixels and sigma 1.5, K1 = 0.01, K2 = 0.03, population covariance, mean over the positions where
/// the window fits inside; per colour channel, mean of the three. As scikit-image's
/// structural_similarity(channel_axis=2, gaussian_weights=True, sigma=1.5,
/// use_sample_covariance=False, data_range=255). Empty if the window does not fit.
std::optional<double> ssim(const DecodedImage& a, const DecodedImage& b);

}  // namespace lazymar
