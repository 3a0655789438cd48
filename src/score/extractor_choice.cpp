#include "score/extractor_choice.h"

#include "core/error.h"
#include "core/option_field.h"
#include "files/missing_path.h"
#include "files/pretrained.h"
#include "metrics/demo_classifier.h"
#include "metrics/inception.h"

namespace lazymar {
namespace {

std::filesystem::path weights_of(const ExtractorRequest& request, const char* usual) {
  return request.weights ? *request.weights : find_pretrained(usual, request.checkpoint_dir);
}

}  // namespace

std::unique_ptr<FeatureExtractor> load_extractor(const ExtractorRequest& request,
                                                 c10::Device device) {
  if (request.weights && !std::filesystem::exists(*request.weights)) {
    throw setting_error("extractor_weights", " ", request.weights->string(), ": not found",
                        meant_from_here(*request.weights));
  }
  if (request.name == "inception") {
    return load_inception(weights_of(request, kInceptionWeights), device);
  }
  if (request.name == "demo") {
    return load_demo_classifier(weights_of(request, kDemoClassifier));
  }
  throw setting_error("extractor", " ", request.name, ": ",
                      use_one_of(request.name, {"inception", "demo"}));
}

std::filesystem::path find_reference(const std::filesystem::path& path,
                                     const ExtractorRequest& request) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) ? path
                                                : find_pretrained(path, request.checkpoint_dir);
}

}  // namespace lazymar
