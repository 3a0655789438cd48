#pragma once
/// Which network looks at images.

#include <c10/core/Device.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/option_row.h"
#include "metrics/extractor.h"

namespace lazymar {

/// Which network looks at images.
struct ExtractorRequest {
  std::string name = "inception";                       ///< or "demo"
  std::optional<std::filesystem::path> weights;         ///< default: the extractor's default path
  std::optional<std::filesystem::path> checkpoint_dir;  ///< see files/pretrained.h
};

/// Throws Error (usage) if the name is unknown, the weights cannot be used, or the extractor does
/// not support the device.
std::unique_ptr<FeatureExtractor> load_extractor(const ExtractorRequest& request,
                                                 c10::Device device);

/// The set or statistics of --fid: the path itself if it exists, else see files/pretrained.h.
std::filesystem::path find_reference(const std::filesystem::path& path,
                                     const ExtractorRequest& request);

OptionTable<ExtractorRequest> extractor_rows(const char* group);

}  // namespace lazymar
