#include "generate/settings.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "cache/retain_schedule.h"
#include "core/error.h"
#include "core/hash.h"
#include "core/revision.h"
#include "pipeline/device.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

constexpr size_t kLongestPart = 48;

/// A part of a file name: separators become dashes, long lists their FNV-1a hash.
std::string name_part(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == ',' || c == '/' || c == ':' || c == '_'; },
      '-');
  if (text.size() <= kLongestPart) {
    return text;
  }
  return fnv1a_hex(text);
}

/// Adds "_<name><value>" for each setting that differs from its default.
class NameBuilder {
 public:
  explicit NameBuilder(std::string start) : name_(std::move(start)) {}

  template <typename T>
  void add(const char* label, const T& value, const T& standard) {
    if (value != standard) {
      name_ += concat("_", name_part(concat(label, value)));
    }
  }

  std::string name() const { return name_; }

 private:
  std::string name_;
};

void add_lazy(NameBuilder& name, const LazyOptions& lazy) {
  const LazyOptions standard;
  const auto caches = [](const LazyOptions& l) {
    return concat(l.token ? "t" : "", l.condition ? "c" : "", l.head ? "h" : "");
  };
  name.add("caches-", caches(lazy), caches(standard));
  name.add("warmup", lazy.warmup, standard.warmup);
  name.add("refresh", lazy.refresh, standard.refresh);
  name.add("prune", lazy.prune_layer, standard.prune_layer);
  name.add("extra", lazy.extra, standard.extra);
  name.add("headrefresh", lazy.head_refresh, standard.head_refresh);
  name.add("retain-", retain_string(lazy), retain_string(standard));
  name.add("condscale", lazy.condition_scale, standard.condition_scale);
}

std::string list_string(const std::vector<int64_t>& values) {
  std::string text;
  for (const int64_t value : values) {
    text += concat(text.empty() ? "" : ",", value);
  }
  return text;
}

ordered_json lazy_json(const LazyOptions& lazy) {
  ordered_json caches = ordered_json::array();
  for (const auto& [name, used] :
       {std::pair{"token", lazy.token}, {"condition", lazy.condition}, {"head", lazy.head}}) {
    if (used) {
      caches.push_back(name);
    }
  }
  return {{"caches", caches},
          {"warmup", lazy.warmup},
          {"refresh", lazy.refresh},
          {"prune_layer", lazy.prune_layer},
          {"extra", lazy.extra},
          {"head_refresh", lazy.head_refresh},
          {"retain", retain_string(lazy)},
          {"condition_scale", lazy.condition_scale}};
}

}  // namespace

std::string settings_name(const EvalOptions& options, const ResolvedSettings& resolved,
                          const ResolvedSettings& standard) {
  const EvalOptions defaults;
  const SamplingOptions& sampling = resolved.sampling;
  NameBuilder name(concat("iter", sampling.num_iter, options.lazy ? "_lazy" : "_baseline"));
  if (options.lazy) {
    add_lazy(name, *options.lazy);
  }
  name.add("cfg", sampling.cfg, standard.sampling.cfg);
  name.add("", to_string(sampling.cfg_schedule), to_string(standard.sampling.cfg_schedule));
  name.add("steps", sampling.num_sampling_steps, standard.sampling.num_sampling_steps);
  name.add("temp", sampling.temperature, standard.sampling.temperature);
  name.add("n", options.num_images, defaults.num_images);
  name.add("classes", list_string(options.classes), std::string());
  name.add("seed", options.model.seed, defaults.model.seed);
  // By its name: the number is known only once the run folder is.
  name.add("bsz", options.auto_batch ? "auto" : std::to_string(resolved.eval_bsz),
           std::to_string(standard.eval_bsz));
  name.add("", to_string(resolved.precision), to_string(standard.precision));
  name.add("", std::string(options.few_files ? "tar" : ""), std::string());
  name.add("", std::string(options.metadata ? "" : "plain"), std::string());
  name.add("", std::string(options.model.random_weights ? "random" : ""), std::string());
  name.add("resume-", options.model.resume.value_or("").string(), std::string());
  name.add("vae-", options.model.vae_path.value_or("").string(), std::string());
  return name.name();
}

ordered_json settings_json(const EvalOptions& options, const ResolvedSettings& resolved,
                           c10::Device device) {
  const SamplingOptions& sampling = resolved.sampling;
  return {{"model", options.model.model},
          {"num_images", options.num_images},
          {"classes", options.classes},
          {"eval_bsz", resolved.eval_bsz},
          {"seed", options.model.seed},
          {"num_iter", sampling.num_iter},
          {"num_sampling_steps", sampling.num_sampling_steps},
          {"cfg", sampling.cfg},
          {"cfg_schedule", to_string(sampling.cfg_schedule)},
          {"temperature", sampling.temperature},
          {"lazy_mar", options.lazy ? lazy_json(*options.lazy) : ordered_json()},
          {"few_files", options.few_files},
          {"metadata", options.metadata},
          {"device", device_model(device)},
          {"precision", to_string(resolved.precision)},
          {"version", version_string()}};
}

}  // namespace lazymar
