#include "pipeline/model_paths.h"

#include <algorithm>
#include <set>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "core/network_config.h"
#include "core/text.h"
#include "files/byte_reader.h"
#include "files/missing_path.h"
#include "files/pretrained.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

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

bool has_checkpoint(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / kConvertedFile, ignored) ||
         fs::exists(folder / kOriginalFile, ignored);
}

/// Where checkpoints named `model` may be, best first.
std::vector<fs::path> folders_of(const ModelRequest& request) {
  std::vector<fs::path> folders = pretrained_folders(request.checkpoint_dir);
  for (fs::path& folder : folders) {
    folder = folder / "mar" / request.model;
  }
  return folders;
}

/// The first of them with a checkpoint, else where one is expected.
fs::path usual_folder(const ModelRequest& request) {
  const std::vector<fs::path> folders = folders_of(request);
  const auto found = std::find_if(folders.begin(), folders.end(), has_checkpoint);
  return found == folders.end() ? fs::path(kModelsFolder) / request.model : *found;
}

/// The error for a model that is neither here nor published.
Error unknown_model(const ModelRequest& request, const fs::path& place) {
  const std::string& model = request.model;
  std::vector<std::string> candidates = models_here(request.checkpoint_dir);
  std::vector<std::string> shown;
  shown.reserve(candidates.size());
  for (const std::string& name : candidates) {
    shown.push_back(one_line(name, kLongestName));
  }
  const std::string listed = join(shown, ", ");
  for (const std::string& name : split(preset_names(), ',')) {
    candidates.push_back(name.substr(name.find_first_not_of(' ')));
  }
  return setting_error("model", " ", one_line(model, kLongestName), ": neither one of ",
                       preset_names(), " nor a folder ", one_line(place.string(), kLongestName),
                       " with ", kConvertedFile, " or ", kOriginalFile,
                       did_you_mean(model, candidates, "; did you mean ", "?"),
                       listed.empty() ? "" : concat("; models here: ", listed),
                       where_looked(request.checkpoint_dir));
}

/// The error for a given path without a usable file; says what is expected.
Error missing_path(const char* flag, const fs::path& path, const char* what) {
  return usage_error(
      flag, " ", path.string(),
      fs::is_directory(path) ? ": no checkpoint found in this folder" : ": not found",
      meant_from_here(path), "; expected ", what);
}

bool same_path(const fs::path& one, const fs::path& other) {
  return (one / "").lexically_normal() == (other / "").lexically_normal();
}

}  // namespace

std::vector<std::string> models_here(const std::optional<fs::path>& checkpoint_dir) {
  std::set<std::string> names;
  for (const fs::path& folder : pretrained_folders(checkpoint_dir)) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder / "mar", ignored)) {
      if (has_checkpoint(entry.path())) {
        names.insert(entry.path().filename().string());
      }
    }
  }
  return {names.begin(), names.end()};
}

bool has_weights(const ModelRequest& request) {
  return request.resume || has_checkpoint(usual_folder(request));
}

fs::path find_weights(const ModelRequest& request) {
  const fs::path usual = usual_folder(request);
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
    throw unknown_model(request, place);
  }
  throw usage_error(original.string(), ": not found (nor checkpoint-last.safetensors). Download ",
                    "checkpoint-last.pth of ", request.model,
                    " (links in the README of github.com/LTH14/mar) to ", place.string(),
                    "; to measure latency without weights, use --random_weights",
                    where_looked(request.checkpoint_dir));
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
  std::vector<fs::path> places{place};
  if (!request.vae_path && !own) {
    places.clear();
    for (const fs::path& folder : pretrained_folders(request.checkpoint_dir)) {
      places.push_back(folder / "vae" / place.filename());
    }
  } else if (!request.vae_path) {
    // A checkpoint that was copied elsewhere: its VAE is where the model has it.
    for (const fs::path& folder : folders_of(request)) {
      places.push_back((folder / *own).lexically_normal());
    }
  }
  for (const fs::path& at : places) {
    if (fs::path found = look(at); !found.empty()) {
      return found;
    }
  }
  const fs::path original = fs::path(place).replace_extension(".ckpt");
  if (same_path(original, fs::path(kDefaultVae).replace_extension(".ckpt"))) {
    throw usage_error(place.string(), ": not found. Download kl16.ckpt (link in the README of ",
                      "github.com/LTH14/mar) to ", original.string(),
                      "; to use another VAE, give --vae_path FILE",
                      where_looked(request.checkpoint_dir));
  }
  if (request.vae_path) {
    throw missing_path("--vae_path", place, "a VAE's .safetensors, .ckpt or .pth");
  }
  throw usage_error(place.string(), ": not found; this is the VAE that ", mar_file.string(),
                    " names, and it is not where --model ", request.model,
                    " has it. If it is elsewhere, give --vae_path FILE",
                    where_looked(request.checkpoint_dir));
}

}  // namespace lazymar
