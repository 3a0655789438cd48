#include "doctor/weights_found.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "files/byte_reader.h"
#include "files/pretrained.h"
#include "metrics/inception.h"
#include "pipeline/model_files.h"
#include "pipeline/model_paths.h"
#include "weights/weight_hash.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

constexpr size_t kShownDigits = 16;  ///< of a hash
constexpr size_t kLongestName = 200;

std::string in_short(WeightHash& hash) {
  return hash.get().substr(0, kShownDigits);
}

void examine_model(const DoctorOptions& options, const std::string& name, Findings& findings) {
  ModelRequest request;
  request.model = name;
  request.model_given = true;
  request.checkpoint_dir = options.checkpoint_dir;
  const std::string shown = concat("model ", one_line(name, kLongestName));
  try {
    const Networks model = load_model(request, {});
    WeightHashes hashes(model);
    findings.fact(shown, concat("usable: ", visible(model.mar_source), " (", in_short(hashes.mar),
                                "), ", visible(model.vae_source), " (", in_short(hashes.vae), ")"));
  } catch (const std::exception& error) {
    findings.fact(shown, "not usable");
    findings.problem(concat(shown, ": ", visible(error.what())));
  }
}

}  // namespace

void examine_weights(const DoctorOptions& options, Findings& findings) {
  if (options.checkpoint_dir && !fs::is_directory(*options.checkpoint_dir)) {
    findings.problem(
        concat("--checkpoint_dir ", visible(options.checkpoint_dir->string()), ": no such folder"));
  }
  findings.fact("weights", concat("looked in ", pretrained_places(options.checkpoint_dir)));
  const std::vector<std::string> models = models_here(options.checkpoint_dir);
  for (const std::string& name : models) {
    examine_model(options, name, findings);
  }
  if (models.empty()) {
    findings.problem(concat("no model was found", where_looked(options.checkpoint_dir)));
  }
  const fs::path inception = find_pretrained(kInceptionWeights, options.checkpoint_dir);
  std::error_code ignored;
  findings.fact("Inception", fs::exists(inception, ignored)
                                 ? visible(inception.string())
                                 : "not here; only FID of ImageNet's models needs it");
}

}  // namespace lazymar
