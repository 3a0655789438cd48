#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <lazymar/lazymar.h>

#include <map>
#include <utility>

#include "core/error.h"
#include "core/error_text.h"
#include "core/log.h"
#include "core/revision.h"
#include "library/host_state.h"
#include "library/requests.h"
#include "library/turn.h"
#include "pipeline/compute.h"
#include "pipeline/device.h"
#include "pipeline/fastest_precision.h"
#include "pipeline/generator.h"
#include "pipeline/kernel_check.h"

namespace lazymar {
namespace {

/// Runs `body`, and turns our errors into those of the public header.
template <typename Body>
auto answer(const Body& body) {
  try {
    return body();
  } catch (const Error& error) {
    throw RefusedError(text_with_flag(error));
  }
}

/// Until the program says otherwise, only warnings: it has stderr for itself.
void be_quiet_at_first() {
  [[maybe_unused]] static const bool done = [] {
    set_log_level(LogLevel::kWarning);
    return true;
  }();
}

}  // namespace

// Hidden: else what is inside it were exported, as Model is.
struct __attribute__((visibility("hidden"))) Model::State {
  State(Compute where, std::shared_ptr<const Networks> what)
      : compute(where), networks(std::move(what)) {}

  /// For these options: the last one if they have not changed, because it keeps what its batches
  /// share.
  Generator& generator(const SampleOptions& options) {
    std::map<std::string, std::string> texts = texts_of(options);
    if (!last || texts != last_texts) {
      const MethodRequest request = read_sample_options(texts);
      last = std::make_unique<Generator>(networks, resolve_method(request, networks->recommended),
                                         options.seed);
      last_texts = std::move(texts);
    }
    last->set_seed(options.seed);
    return *last;
  }

  /// They refer to the options.
  GenerationHooks hooks(const SampleOptions& options) const {
    GenerationHooks hooks;
    if (options.progress) {
      hooks.step = [&progress = options.progress](double done) {
        if (!progress(done)) {
          throw CancelledError("stopped by the progress callback");
        }
      };
    }
    return hooks;
  }

  void check_labels(const std::vector<int64_t>& labels) const {
    const int64_t classes = networks->mar.config.class_count;
    for (const int64_t label : labels) {
      if (label < 0 || label >= classes) {
        throw usage_error("label ", label, ": the model has classes 0 to ", classes - 1);
      }
    }
  }

  /// What `draw` makes of a generator, ids and hooks, alone. A batch that ends in an exception
  /// leaves a generator that is not used again.
  template <typename Draw>
  at::Tensor drawn(const std::vector<int64_t>& labels, const std::vector<int64_t>& ids,
                   const SampleOptions& options, const Draw& draw) {
    return answer([&] {
      const Turn turn(turns, options.poll);
      const HostState host(compute.device);
      check_labels(labels);
      const std::vector<int64_t> numbers = ids_or_numbers(ids, labels.size());
      try {
        return draw(generator(options), numbers, hooks(options));
      } catch (...) {
        last.reset();
        throw;
      }
    });
  }

  Compute compute;
  std::shared_ptr<const Networks> networks;
  std::unique_ptr<Generator> last;
  std::map<std::string, std::string> last_texts;
  Turns turns;
};

namespace {

/// Loads what `open` opens, on the device and in the precision of the options.
template <typename State, typename Open>
std::unique_ptr<State> loaded(const std::string& name, const ModelOptions& options,
                              const Open& open) {
  be_quiet_at_first();
  return answer([&] {
    const ModelSettings settings = read_model_options(name, options);
    const HostState host(resolve_device(settings.device));
    const auto poll = [&options] {
      if (options.poll) {
        options.poll();
      }
    };
    Compute compute =
        start_computing({.device = settings.device,
                         .precision = settings.precision,
                         .threads = settings.threads.value_or(at::get_num_threads())});
    const OpenModel files = open(settings.request);
    poll();
    if (settings.precision.is_auto()) {
      compute.precision = automatic_precision(files.shape.mar, compute.device);
    }
    const auto networks =
        std::make_shared<const Networks>(load_model(files, compute.placement(), poll));
    constexpr int64_t kImages = 16;  // a batch's size is not known yet
    settle_kernels(resolve_kernel_choice("auto"), /*check=*/true, networks->mar, &networks->vae,
                   kImages, compute.device);
    return std::make_unique<State>(compute, networks);
  });
}

/// Throws Error (usage) if these are not latents [B, channels, h, w].
void check_latents(const at::Tensor& latents, int64_t channels) {
  const auto refuse = [channels](const auto&... what) {
    throw usage_error("latents ", what..., ": they must be [B, ", channels,
                      ", h, w], dense and floating point");
  };
  if (!latents.defined()) {
    refuse("are undefined");
  }
  if (latents.dim() != 4 || latents.size(1) != channels || latents.size(2) < 1 ||
      latents.size(3) < 1) {
    refuse(latents.sizes());
  }
  if (!latents.is_floating_point() || latents.layout() != c10::kStrided) {
    refuse("of ", c10::toString(latents.scalar_type()), ", ", latents.layout());
  }
  if (latents.is_meta()) {
    refuse("on the device meta have no values");
  }
}

}  // namespace

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Model Model::open(const std::string& name, const ModelOptions& options) {
  return Model(loaded<State>(name, options,
                             [](const ModelRequest& request) { return open_model(request); }));
}

Model Model::from_tensors(const std::map<std::string, at::Tensor>& mar, const std::string& name,
                          const ModelOptions& options) {
  return Model(loaded<State>(
      name, options, [&](const ModelRequest& request) { return open_model(mar, request); }));
}

ModelInfo Model::info() const {
  const Networks& networks = *state_->networks;
  return {networks.mar_source,
          networks.vae_source,
          state_->compute.device.str(),
          std::string(to_string(state_->compute.precision)),
          networks.mar.config.class_count,
          networks.img_size,
          networks.vae.config.embed_dim,
          networks.img_size / networks.vae.config.stride()};
}

at::Tensor Model::sample(const std::vector<int64_t>& labels, const std::vector<int64_t>& ids,
                         const SampleOptions& options) {
  return state_->drawn(
      labels, ids, options, [&](auto& generator, auto& numbers, const auto& hooks) {
        return generator.generate(numbers, labels, hooks).pixels.permute({0, 3, 1, 2}).contiguous();
      });
}

at::Tensor Model::sample_float(const std::vector<int64_t>& labels, const std::vector<int64_t>& ids,
                               const SampleOptions& options) {
  return state_->drawn(
      labels, ids, options, [&](auto& generator, auto& numbers, const auto& hooks) {
        return state_->networks->vae.decode(generator.latents(numbers, labels, hooks)).contiguous();
      });
}

at::Tensor Model::sample_latents(const std::vector<int64_t>& labels,
                                 const std::vector<int64_t>& ids, const SampleOptions& options) {
  return state_->drawn(labels, ids, options,
                       [&](auto& generator, auto& numbers, const auto& hooks) {
                         return generator.latents(numbers, labels, hooks).clone();
                       });
}

at::Tensor Model::decode(const at::Tensor& latents, const std::function<void()>& poll) {
  return answer([&] {
    const Turn turn(state_->turns, poll);
    const HostState host(state_->compute.device);
    const ModelInfo shape = info();
    check_latents(latents, shape.latent_channels);
    const Placement placement = state_->compute.placement();
    const at::Tensor placed = latents.detach().to(placement.device, placement.dtype());
    if (placed.size(0) == 0) {
      const int64_t stride = shape.image_size / shape.latent_size;
      return placed.new_empty({0, 3, placed.size(2) * stride, placed.size(3) * stride});
    }
    return state_->networks->vae.decode(placed).contiguous();
  });
}

void set_log_level(const std::string& level) {
  be_quiet_at_first();
  answer([&] {
    const std::pair<const char*, LogLevel> levels[] = {
        {"info", LogLevel::kInfo}, {"warning", LogLevel::kWarning}, {"off", LogLevel::kOff}};
    for (const auto& [name, value] : levels) {
      if (level == name) {
        set_log_level(value);
        return;
      }
    }
    throw usage_error("log level ", level, ": use info, warning or off");
  });
}

std::string version() {
  const std::string text = version_string();
  return text.substr(0, text.find(' '));
}

}  // namespace lazymar
