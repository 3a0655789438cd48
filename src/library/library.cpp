#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <lazymar/lazymar.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "core/error_text.h"
#include "core/log.h"
#include "core/revision.h"
#include "core/text.h"
#include "library/host_state.h"
#include "pipeline/compute.h"
#include "pipeline/fastest_precision.h"
#include "pipeline/generator.h"
#include "pipeline/kernel_check.h"
#include "pipeline/option_rows.h"

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

ModelRequest request_for(const std::string& name, const ModelOptions& options) {
  ModelRequest request;
  request.model = name;
  request.model_given = true;
  request.resume = options.resume;
  request.vae_path = options.vae_path;
  request.checkpoint_dir = options.checkpoint_dir;
  request.random_weights = options.random_weights;
  return request;
}

/// The options by name, with the method as one of them.
std::map<std::string, std::string> texts_of(const SampleOptions& options) {
  std::map<std::string, std::string> texts = options.options;
  if (!options.method.empty()) {
    texts["method"] = options.method;
  }
  return texts;
}

MethodRequest method_request(const std::map<std::string, std::string>& texts) {
  const OptionTable<MethodRequest> rows = method_rows();
  std::vector<std::string> names;
  for (const OptionRow<MethodRequest>& row : rows) {
    names.push_back(row.info.name);
  }
  for (const auto& [name, text] : texts) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const std::string nearest = nearest_word(name, names);
      throw usage_error("--", name, ": not a sampling option",
                        nearest.empty() ? "" : concat("; did you mean --", nearest, "?"));
    }
  }
  MethodRequest request;
  read_rows(rows, texts, request);
  return request;
}

std::vector<int64_t> ids_or_numbers(const std::vector<int64_t>& ids, size_t count) {
  constexpr int64_t kMostIds = int64_t{1} << 32;
  std::vector<int64_t> result = ids;
  if (result.empty()) {
    result.resize(count);
    std::iota(result.begin(), result.end(), 0);
  }
  if (count == 0 || result.size() != count) {
    throw usage_error(result.size(), " image ids and ", count,
                      " labels: give one label for each of at least one image");
  }
  for (const int64_t id : result) {
    if (id < 0 || id >= kMostIds) {
      throw usage_error("image id ", id, ": must be from 0 to ", kMostIds - 1);
    }
  }
  return result;
}

}  // namespace

struct Model::State {
  State(Compute where, std::shared_ptr<const Networks> what)
      : compute(where), networks(std::move(what)) {}

  /// For these options: the last one if they have not changed, because it keeps what its batches
  /// share.
  Generator& generator(const SampleOptions& options) {
    std::map<std::string, std::string> texts = texts_of(options);
    if (!last || texts != last_texts) {
      const MethodRequest request = method_request(texts);
      last = std::make_unique<Generator>(networks, resolve_method(request, networks->recommended),
                                         options.seed);
      last_texts = std::move(texts);
    }
    last->set_seed(options.seed);
    return *last;
  }

  GenerationHooks hooks(const SampleOptions& options) const {
    GenerationHooks hooks;
    if (options.progress) {
      hooks.step = [progress = options.progress](double done) {
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
      const std::lock_guard lock(mutex);
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
  std::mutex mutex;
};

namespace {

/// Loads what `open` opens, on the device and in the precision of the options.
template <typename State, typename Open>
std::unique_ptr<State> loaded(const ModelOptions& options, const Open& open) {
  return answer([&] {
    const HostState host(c10::kCPU);
    const Precision precision = parse_precision(options.precision);
    Compute compute = start_computing({.device = options.device,
                                       .precision = precision,
                                       .threads = options.threads.value_or(at::get_num_threads())});
    const OpenModel files = open();
    if (precision.is_auto()) {
      compute.precision = automatic_precision(files.shape.mar, compute.device);
    }
    const auto networks = std::make_shared<const Networks>(load_model(files, compute.placement()));
    constexpr int64_t kImages = 16;  // a batch's size is not known yet
    settle_kernels(resolve_kernel_choice("auto"), /*check=*/true, networks->mar, &networks->vae,
                   kImages, compute.device);
    return std::make_unique<State>(compute, networks);
  });
}

}  // namespace

Model::Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

Model Model::open(const std::string& name, const ModelOptions& options) {
  return Model(loaded<State>(options, [&] { return open_model(request_for(name, options)); }));
}

Model Model::from_tensors(const std::map<std::string, at::Tensor>& mar, const std::string& name,
                          const ModelOptions& options) {
  return Model(loaded<State>(options, [&] { return open_model(mar, request_for(name, options)); }));
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

at::Tensor Model::decode(const at::Tensor& latents) {
  return answer([&] {
    const std::lock_guard lock(state_->mutex);
    const HostState host(state_->compute.device);
    const ModelInfo shape = info();
    if (latents.dim() != 4 || latents.size(1) != shape.latent_channels) {
      throw usage_error("latents have ", latents.dim(), " dimensions; they must be [B, ",
                        shape.latent_channels, ", h, w]");
    }
    const Placement placement = state_->compute.placement();
    return state_->networks->vae.decode(latents.detach().to(placement.device, placement.dtype()))
        .contiguous();
  });
}

std::string version() {
  const std::string text = version_string();
  return text.substr(0, text.find(' '));
}

}  // namespace lazymar
