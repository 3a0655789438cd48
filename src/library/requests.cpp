#include "library/requests.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/shared_rows.h"
#include "core/text.h"
#include "pipeline/option_rows.h"

namespace lazymar {
namespace {

OptionTable<ModelSettings> compute_rows() {
  return {device_row(&ModelSettings::device), precision_row(&ModelSettings::precision),
          threads_row(&ModelSettings::threads)};
}

}  // namespace

ModelSettings read_model_options(const std::string& name, const ModelOptions& options) {
  ModelSettings settings;
  std::map<std::string, std::string> compute{{"device", options.device},
                                             {"precision", options.precision}};
  if (options.threads) {
    compute["threads"] = std::to_string(*options.threads);
  }
  read_rows(compute_rows(), compute, settings);

  std::map<std::string, std::string> files;
  for (const auto& [row, path] : {std::pair{"resume", &options.resume},
                                  {"vae_path", &options.vae_path},
                                  {"checkpoint_dir", &options.checkpoint_dir}}) {
    if (*path) {
      files[row] = **path;
    }
  }
  read_rows(model_rows(), files, settings.request);
  settings.request.model = name;
  settings.request.model_given = true;
  settings.request.random_weights = options.random_weights;
  return settings;
}

std::map<std::string, std::string> texts_of(const SampleOptions& options) {
  std::map<std::string, std::string> texts = options.options;
  if (!options.method.empty()) {
    texts["method"] = options.method;
  }
  return texts;
}

MethodRequest read_sample_options(const std::map<std::string, std::string>& texts) {
  const OptionTable<MethodRequest> rows = method_rows();
  std::vector<std::string> names;
  for (const OptionRow<MethodRequest>& row : rows) {
    names.push_back(row.info.name);
  }
  for (const auto& [name, text] : texts) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw usage_error("--", name, ": not a sampling option",
                        did_you_mean(name, names, "; did you mean --", "?"));
    }
    if (!text.empty() && row_named(rows, name).info.value.empty()) {
      throw usage_error("--", name, "=", text, ": --", name, " is a switch and takes no value");
    }
  }
  MethodRequest request;
  read_rows(rows, texts, request);
  return request;
}

std::vector<int64_t> ids_or_numbers(const std::vector<int64_t>& ids, size_t labels) {
  constexpr int64_t kMostIds = int64_t{1} << 32;
  std::vector<int64_t> result = ids;
  if (result.empty()) {
    result.resize(labels);
    std::iota(result.begin(), result.end(), 0);
  }
  if (labels == 0 || result.size() != labels) {
    throw usage_error(result.size(), " image ids and ", labels,
                      " labels: give one label for each of at least one image");
  }
  for (const int64_t id : result) {
    if (id < 0 || id >= kMostIds) {
      throw usage_error("image id ", id, ": must be from 0 to ", kMostIds - 1);
    }
  }
  return result;
}

std::map<std::string, std::string> sampling_options() {
  std::map<std::string, std::string> result;
  for (const OptionRow<MethodRequest>& row : method_rows()) {
    result[row.info.name] = row.info.value;
  }
  return result;
}

}  // namespace lazymar
