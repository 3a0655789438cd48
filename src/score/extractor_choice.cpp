#include "score/extractor_choice.h"

#include "core/error.h"
#include "metrics/demo_classifier.h"
#include "metrics/inception.h"

namespace lazymar {

std::unique_ptr<FeatureExtractor> load_extractor(const ExtractorRequest& request,
                                                 c10::Device device) {
  if (request.weights && !std::filesystem::exists(*request.weights)) {
    throw setting_error("extractor_weights", " ", request.weights->string(), ": not found");
  }
  if (request.name == "inception") {
    return load_inception(request.weights.value_or(kInceptionWeights), device);
  }
  if (request.name == "demo") {
    return load_demo_classifier(request.weights.value_or(kDemoClassifier));
  }
  throw setting_error("extractor", " ", request.name, ": use inception or demo");
}

}  // namespace lazymar
