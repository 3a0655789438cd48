#include "pipeline/model_paths.h"

#include <algorithm>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/network_config.h"
#include "core/text.h"
#include "files/byte_reader.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModelsRoot = "pretrained_models";
constexpr const char* kModelsFolder = "pretrained_models/mar";
constexpr const char* kConvertedFile = "checkpoint-last.safetensors";
constexpr const char* kOriginalFile = "checkpoint-last.pth";
constexpr size_t kLongestName = 200;
constexpr const char* kDefaultVae = "pretrained_models/vae/kl16.safetensors";

/// The first of these files that exists, else empty; logs if there was a choice.
fs::path choose_file(const std::vector<fs::path>& candidates) {
  std::vector<fs::path> there;
  for (const fs::path& path : candidates) {
    if (fs::is_regular_file(path)) {
      there.push_back(path);
    }
  }
  if (there.size() > 1) {
    log_info(concat(there[0].string(), " is used instead of ", there[1].filename().string(),
                    " next to it"));
  }
  return there.empty() ? fs::path() : there.front();
}

/// Why a file below pretrained_models/ may not be found.
std::string where_from() {
  return fs::exists(kModelsRoot)
             ? ""
             : concat("; ", kModelsRoot, "/ not found in the working directory (",
                      fs::current_path().string(), "); run from the repository's root");
}

bool has_checkpoint(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / kConvertedFile, ignored) ||
         fs::exists(folder / kOriginalFile, ignored);
}

/// Models that can be named here: folders with a checkpoint, then the published ones.
std::vector<std::string> models_here() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(kModelsFolder, ignored)) {
    if (has_checkpoint(entry.path())) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// The error for a model that is neither here nor published.
Error unknown_model(const std::string& model, const fs::path& place) {
  const std::vector<std::string> here = models_here();
  std::vector<std::string> candidates = here;
  std::vector<std::string> shown;
  for (const std::string& name : here) {
    shown.push_back(one_line(name, kLongestName));
  }
  const std::string listed = join(shown, ", ");
  for (const std::string& name : split(preset_names(), ',')) {
    candidates.push_back(name.substr(name.find_first_not_of(' ')));
  }
  const std::string nearest = nearest_word(model, candidates);
  return setting_error("model", " ", one_line(model, kLongestName), ": neither one of ",
                       preset_names(), " nor a folder ", one_line(place.string(), kLongestName),
                       " with ", kConvertedFile, " or ", kOriginalFile,
                       nearest.empty() ? "" : concat("; did you mean ", nearest, "?"),
                       listed.empty() ? "" : concat("; models here: ", listed), where_from());
}

/// The error for a given path without a usable file; says what is expected.
Error missing_path(const char* flag, const fs::path& path, const char* what) {
  return usage_error(
      flag, " ", path.string(),
      fs::is_directory(path) ? ": no checkpoint found in this folder" : ": not found",
      "; expected ", what);
}

bool same_path(const fs::path& one, const fs::path& other) {
  return (one / "").lexically_normal() == (other / "").lexically_normal();
}

}  // namespace

bool has_weights(const ModelRequest& request) {
  return request.resume || has_checkpoint(fs::path(kModelsFolder) / request.model);
}

fs::path find_weights(const ModelRequest& request) {
  const fs::path usual = fs::path(kModelsFolder) / request.model;
  fs::path place = request.resume.value_or(usual);
  if (fs::is_regular_file(place)) {
    return place;
  }
  const fs::path converted = place / kConvertedFile;
  const fs::path original = place / kOriginalFile;
  if (fs::path found = choose_file({converted, original}); !found.empty()) {
    return found;
  }
  if (!same_path(place, usual)) {
    throw missing_path("--resume", place,
                       "a checkpoint (.safetensors, .pth) or a folder with "
                       "checkpoint-last.safetensors or checkpoint-last.pth");
  }
  if (find_preset(request.model) == nullptr) {
    throw unknown_model(request.model, place);
  }
  throw usage_error(original.string(), ": not found (nor checkpoint-last.safetensors). Download ",
                    "checkpoint-last.pth of ", request.model,
                    " (links in the README of github.com/LTH14/mar) to ", place.string(),
                    "; to measure latency without weights, use --random_weights", where_from());
}

fs::path find_vae(const ModelRequest& request, const fs::path& mar_file,
                  const std::optional<std::string>& own) {
  fs::path place = kDefaultVae;
  if (request.vae_path) {
    place = *request.vae_path;
  } else if (own) {
    place = (mar_file.parent_path() / *own).lexically_normal();
  }
  if (request.vae_path && fs::is_regular_file(place)) {
    return place;  // only that file
  }
  const auto look = [](const fs::path& at) {
    return choose_file(
        {fs::path(at).replace_extension(".safetensors"), fs::path(at).replace_extension(".ckpt")});
  };
  if (fs::path found = look(place); !found.empty()) {
    return found;
  }
  const fs::path usual = fs::path(kModelsFolder) / request.model;
  if (own && !request.vae_path) {
    // A checkpoint that was copied elsewhere: its VAE is where the model has it.
    if (fs::path found = look((usual / *own).lexically_normal()); !found.empty()) {
      return found;
    }
  }
  const fs::path original = fs::path(place).replace_extension(".ckpt");
  if (same_path(original, fs::path(kDefaultVae).replace_extension(".ckpt"))) {
    throw usage_error(place.string(), ": not found. Download kl16.ckpt (link in the README of ",
                      "github.com/LTH14/mar) to ", original.string(),
                      "; to use another VAE, give --vae_path FILE", where_from());
  }
  if (request.vae_path) {
    throw missing_path("--vae_path", place, "a VAE's .safetensors, .ckpt or .pth");
  }
  throw usage_error(place.string(), ": not found; this is the VAE that ", mar_file.string(),
                    " names, and it is not at ", (usual / *own).lexically_normal().string(),
                    " either. If it is elsewhere, give --vae_path FILE");
}

}  // namespace lazymar
