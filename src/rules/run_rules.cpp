#include "rules/run_rules.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

#include "core/error.h"
#include "core/labels.h"
#include "formats/image.h"
#include "rules/binomial.h"

namespace lazymar {
namespace {

constexpr const char* kModel = "rules";

/// Classes that the run generates: all of them if the manifest lists none.
std::vector<int64_t> classes_of(const RunData& run) {
  auto classes = run.settings.value("classes", std::vector<int64_t>());
  if (classes.empty()) {
    classes.resize(kRuleClasses.size());
    std::iota(classes.begin(), classes.end(), 0);
  }
  return classes;
}

ImageRule check_image(const RunData& run, const std::vector<int64_t>& classes, int64_t id) {
  const std::optional<DecodedImage> image = decode_png(run.png(id));
  if (!image) {
    throw usage_error(run.folder.string(), ": image ", id,
                      " cannot be decoded; lazymar_eval with the run's own command makes it again");
  }
  if (image->width != kRuleSide || image->height != kRuleSide) {
    throw usage_error(run.folder.string(), ": image ", id, " has ", image->width, "x",
                      image->height, " pixels; rules are known for ", kRuleSide, "x", kRuleSide);
  }
  const int64_t label = label_of(id, classes, run.plan.num_images());
  return {id, label, check_rule(label, image->pixels)};
}

}  // namespace

std::pair<double, double> RuleCount::interval() const {
  return binomial_interval(passes, images);
}

RuleCount RunRules::count(std::optional<int64_t> wanted) const {
  RuleCount result;
  for (const ImageRule& image : images) {
    if (!wanted || image.label == *wanted) {
      ++result.images;
      result.passes += image.check.pass ? 1 : 0;
      result.score += image.check.score;
    }
  }
  result.score /= static_cast<double>(std::max<int64_t>(result.images, 1));
  return result;
}

const ImageRule* RunRules::find(int64_t id) const {
  const auto found =
      std::lower_bound(images.begin(), images.end(), id,
                       [](const ImageRule& image, int64_t wanted) { return image.id < wanted; });
  return found != images.end() && found->id == id ? &*found : nullptr;
}

double RulePairs::probability() const {
  return mcnemar_probability(only_baseline, only_run);
}

bool has_rules(const RunData& run) {
  return run.settings.value("model", std::string()) == kModel;
}

RunRules check_run(const RunData& run, int64_t threads) {
  const std::vector<int64_t> classes = classes_of(run);
  RunRules result;
  result.label = run.label.empty() ? run.folder.string() : run.label;
  for (const auto& [id, shard] : run.images) {
    result.images.push_back({id, 0, {}});
  }
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    try {
      for (size_t i; (i = next.fetch_add(1)) < result.images.size();) {
        result.images[i] = check_image(run, classes, result.images[i].id);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> workers;
    for (int64_t i = 0; i < threads; ++i) {
      workers.emplace_back(work);
    }
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
  return result;
}

bool breaks_rule(const RunRules& baseline, const RunRules& run, int64_t id) {
  const ImageRule* first = baseline.find(id);
  const ImageRule* second = run.find(id);
  return first != nullptr && second != nullptr && first->check.pass && !second->check.pass;
}

RulePairs pair_rules(const RunRules& baseline, const RunRules& run) {
  RulePairs pairs;
  for (const ImageRule& image : run.images) {
    const ImageRule* other = baseline.find(image.id);
    if (other != nullptr && other->label == image.label) {
      const bool first = other->check.pass, second = image.check.pass;
      (first && second ? pairs.both
       : first         ? pairs.only_baseline
       : second        ? pairs.only_run
                       : pairs.neither) += 1;
    }
  }
  return pairs;
}

}  // namespace lazymar
