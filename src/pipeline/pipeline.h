#pragma once
/// Images in one call, for other programs. Free of LibTorch.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/method_request.h"
#include "pipeline/model_request.h"

namespace lazymar {

class Generator;

struct PipelineOptions {
  ModelRequest model;  ///< its seed also seeds orders and noise
  MethodRequest method;
  std::string device = "auto";     ///< auto, cpu, cuda or cuda:N
  std::optional<int64_t> threads;  ///< CPU threads; default: LibTorch's
};

/// RGB images, [count, height, width, 3], row by row.
struct Images {
  int64_t count = 0, height = 0, width = 0;
  std::vector<uint8_t> pixels;
  /// By image: every value was finite, and the pixels are not all of one colour.
  std::vector<bool> sound;
};

struct ModelInfo {
  std::string weights, vae;  ///< files, or "random weights (seed 1)"
  std::string device, precision;
  int64_t class_count = 0;
  int64_t image_size = 0;  ///< height and width in pixels
  int64_t decoding_steps = 0;
};

/// A loaded model with a decoding method. It can be moved, not copied.
class Pipeline {
 public:
  /// Called before each decoding step with the share of the steps that is done. May throw.
  using Progress = std::function<void(double)>;

  /// Throws Error (invalid) if a file is missing or does not fit, or a setting is out of range.
  static Pipeline open(const PipelineOptions& options);
  Pipeline(Pipeline&& other) noexcept;
  Pipeline& operator=(Pipeline&& other) noexcept;
  ~Pipeline();

  /// Image ids[i] of class labels[i], for each i, as one batch. An image is a function of the seed,
  /// its id and its label; ids are 0 to 2^32 - 1. Throws Error (invalid) if the lists differ in
  /// length, or the model does not have a class.
  Images generate(const std::vector<int64_t>& ids, const std::vector<int64_t>& labels,
                  const Progress& progress = {});

  ModelInfo info() const;

 private:
  struct State;
  explicit Pipeline(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace lazymar
