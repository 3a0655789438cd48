#include "lazymar/eval/run_folder.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "lazymar/core/error.h"
#include "lazymar/core/hash.h"
#include "lazymar/io/atomic_file.h"
#include "lazymar/lazy/retain_schedule.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMinDigits = 5;
constexpr size_t kLongestPart = 48;

std::string image_name(int64_t id) {
  std::string digits = std::to_string(id);
  digits.insert(0, kMinDigits - std::min(kMinDigits, digits.size()), '0');
  return digits + ".png";
}

bool is_image_name(const std::string& name) {
  const size_t digits = name.find_first_not_of("0123456789");
  return digits != std::string::npos && digits >= kMinDigits && name.substr(digits) == ".png";
}

/// A part of a file name: separators become dashes, long lists their FNV-1a hash.
std::string name_part(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == ',' || c == '/' || c == ':' || c == '_'; },
      '-');
  if (text.size() <= kLongestPart) {
    return text;
  }
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(fnv1a(text)));
  return hex;
}

/// Adds "_<name><value>" for each setting that differs from its default.
class NameBuilder {
 public:
  explicit NameBuilder(std::string start) : name_(std::move(start)) {}

  template <typename T>
  void add(const char* label, const T& value, const T& standard) {
    if (value != standard) {
      name_ += "_" + name_part(concat(label, value));
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

void remove_earlier_run(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (is_image_name(entry.path().filename().string())) {
      fs::remove(entry.path());
    }
  }
  fs::remove_all(folder / "info");
}

bool holds_images(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (is_image_name(entry.path().filename().string())) {
      return true;
    }
  }
  return false;
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
  name.add("bsz", resolved.eval_bsz, standard.eval_bsz);
  name.add("", to_string(options.precision), to_string(defaults.precision));
  name.add("", std::string(options.model.random_weights ? "random" : ""), std::string());
  name.add("resume-", options.model.resume.value_or("").string(), std::string());
  name.add("vae-", options.model.vae_path.value_or("").string(), std::string());
  return name.name();
}

RunFolder::RunFolder(const fs::path& path, bool overwrite) : path_(path) {
  try {
    fs::create_directories(path_);
    if (overwrite) {
      remove_earlier_run(path_);
    } else if (holds_images(path_)) {
      throw usage_error(path_.string(), ": holds images of an earlier run; --overwrite replaces ",
                        "them, another --output_dir keeps them");
    }
    fs::create_directories(info());
  } catch (const fs::filesystem_error& error) {
    throw usage_error("--output_dir: ", error.path1().string(), ": ", error.code().message());
  }
  for (const fs::path& folder : {path_, info()}) {
    if (::access(folder.c_str(), W_OK | X_OK) != 0) {
      throw usage_error("--output_dir: ", folder.string(), ": ", std::strerror(errno));
    }
  }
}

void RunFolder::write_image(int64_t id, std::span<const std::byte> png) const {
  // The temporary name lives in info/, where no PNG tool looks.
  write_file_atomically(path_ / image_name(id), png, info());
}

}  // namespace lazymar
