#pragma once
/// lazymar as a library: open a model, draw images. See docs/library.md.
///
/// Everything here may be used from several threads. A Model draws one batch at a time: another
/// thread's call waits for it. Functions throw lazymar::RefusedError for input or settings that
/// cannot be used, with the text of the command line's error, and let exceptions of LibTorch pass
/// (std::bad_alloc, c10::Error).

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

/// This header follows semantic versioning.
#define LAZYMAR_API __attribute__((visibility("default")))

namespace lazymar {

/// Input or settings that cannot be used: one line that says what, where, and what to do.
class LAZYMAR_API RefusedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Thrown out of Model::sample() if the progress callback returned false.
class LAZYMAR_API CancelledError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ModelOptions {
  std::string device = "auto";                ///< auto, cpu, cuda or cuda:N
  std::string precision = "auto";             ///< auto, fp32, bf16, fp16, fp64: as --precision
  std::optional<std::string> resume;          ///< the MAR's file or folder, as --resume
  std::optional<std::string> vae_path;        ///< the VAE's file
  std::optional<std::string> checkpoint_dir;  ///< where names are looked for first
  bool random_weights = false;  ///< networks of the published size, drawn from seed 1, for timing
  /// CPU threads of LibTorch in this process; none: as they are.
  std::optional<int64_t> threads;
  /// Called between the parts of opening, at least after each network. It may throw, which ends the
  /// opening with that exception.
  std::function<void()> poll;
};

struct SampleOptions {
  /// A method by name, such as "lazymar" or "gtr-32"; empty or "mar": plain MAR.
  std::string method;
  /// Sampling options of lazymar_eval by their names, without dashes; a switch has the text "".
  /// For example {{"num_iter", "32"}, {"cfg", "3.5"}}. They override the method's.
  std::map<std::string, std::string> options;
  /// Of token orders and noise: image i depends on the seed and i alone. lazymar_eval's is 1.
  uint64_t seed = 1;
  /// Called before each decoding step with the share of the steps that is done; false stops.
  /// It must not use the model that draws.
  std::function<bool(double)> progress;
  /// Called several times a second while another thread's batch with the same model must end first.
  /// It may throw, which ends the call with that exception.
  std::function<void()> poll;
};

struct ModelInfo {
  std::string weights, vae;       ///< files, "state_dict", or "random weights (seed 1)"
  std::string device, precision;  ///< as chosen: "cpu", "bf16"
  int64_t class_count = 0;
  int64_t image_size = 0;       ///< height and width in pixels
  int64_t latent_channels = 0;  ///< 16 for MAR's
  int64_t latent_size = 0;      ///< height and width of latents
};

/// A MAR and its VAE. It can be moved, not copied.
class LAZYMAR_API Model {
 public:
  /// By name: mar_base, mar_large, mar_huge, demo, or a folder of pretrained_models/mar.
  static Model open(const std::string& name, const ModelOptions& options = {});

  /// A MAR from tensors in memory with MAR's names, such as a state_dict() during training.
  /// Contiguous tensors on the CPU in the type that the precision computes in are shared, except
  /// matrices that are packed for faster products; they must not change while the model exists.
  /// `name` gives the number of attention heads, as mar_base, mar_large or mar_huge do, and the VAE
  /// if options.vae_path does not.
  static Model from_tensors(const std::map<std::string, at::Tensor>& mar, const std::string& name,
                            const ModelOptions& options = {});

  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  ModelInfo info() const;

  /// One batch: image ids[i] of class labels[i], [B, 3, H, W] uint8 RGB on the CPU. The bytes are
  /// those that lazymar_eval writes for images of these numbers and classes, with the same
  /// precision and batch. `ids` may be empty: 0, 1, 2, ... An id is at most 2^32 - 1.
  at::Tensor sample(const std::vector<int64_t>& labels, const std::vector<int64_t>& ids = {},
                    const SampleOptions& options = {});

  /// The same before bytes are made: [B, 3, H, W] floating point, about -1 to 1, on the device.
  at::Tensor sample_float(const std::vector<int64_t>& labels, const std::vector<int64_t>& ids = {},
                          const SampleOptions& options = {});

  /// The same before the VAE: latents [B, C, h, w] as MAR samples them, on the device.
  at::Tensor sample_latents(const std::vector<int64_t>& labels,
                            const std::vector<int64_t>& ids = {},
                            const SampleOptions& options = {});

  /// Latents [B, C, h, w] of any floating type to images [B, 3, H, W], floating point, about -1 to
  /// 1; no latents to no images. `poll`: see SampleOptions.
  at::Tensor decode(const at::Tensor& latents, const std::function<void()>& poll = {});

 private:
  struct State;
  explicit Model(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The sampling options by name, and what each takes, as in the help of lazymar_eval ("N",
/// "on|off"); empty: a switch, whose text in SampleOptions is "".
LAZYMAR_API std::map<std::string, std::string> sampling_options();

/// What lazymar says on stderr, in the whole process: "info" (which files, which precision),
/// "warning" (the default), or "off".
LAZYMAR_API void set_log_level(const std::string& level);

/// "0.1.0".
LAZYMAR_API std::string version();

}  // namespace lazymar
