#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "flops/flop_formula.h"
#include "mar/sampler.h"
#include "nn/flops.h"
#include "support/method.h"
#include "support/tiny_model.h"
#include "vae/kl_decoder.h"

namespace lazymar {
namespace {

/// What a case changes.
struct Settings {
  SamplingOptions sampling;
  std::optional<LazyOptions> lazy;
};

struct Case {
  std::string name;
  std::vector<int64_t> labels;
  std::function<void(Settings&)> change;
  bool lazy = true;
};

const Case kCases[] = {
    {"baseline", {1, 0, 1}, [](Settings&) {}, false},
    {"baseline, no guidance", {2}, [](Settings& w) { w.sampling.cfg = 1; }, false},
    {"baseline, more steps than tokens", {0}, [](Settings& w) { w.sampling.num_iter = 20; }, false},
    {"baseline, one step", {0, 2}, [](Settings& w) { w.sampling.num_iter = 1; }, false},
    {"lazy", {1, 0, 1}, [](Settings&) {}},
    {"lazy, no guidance", {2, 2}, [](Settings& w) { w.sampling.cfg = 1; }},
    {"lazy, more steps than tokens", {1}, [](Settings& w) { w.sampling.num_iter = 20; }},
    {"no token cache", {0, 1}, [](Settings& w) { w.lazy->token = false; }},
    {"no condition cache", {0, 1}, [](Settings& w) { w.lazy->condition = false; }},
    {"no head cache", {0, 1}, [](Settings& w) { w.lazy->head = false; }},
    {"head cache alone", {1}, [](Settings& w) { w.lazy->token = w.lazy->condition = false; }},
    {"no warm-up", {0, 2, 2}, [](Settings& w) { w.lazy->warmup = 0; }},
    {"nothing pruned", {1}, [](Settings& w) { w.lazy->extra = 100; }},
    {"pruned in the first layer", {1}, [](Settings& w) { w.lazy->prune_layer = 0; }},
    {"pruned in the last layer", {1}, [](Settings& w) { w.lazy->prune_layer = 4; }},
    {"no layer prunes", {1}, [](Settings& w) { w.lazy->prune_layer = 5; }},
};

Workload workload(const Case& what) {
  Settings work;
  work.sampling.num_iter = 12;
  work.sampling.num_sampling_steps = 9;
  work.sampling.cfg = 2;
  if (what.lazy) {
    work.lazy.emplace();
    work.lazy->warmup = 2;
    work.lazy->refresh = 4;
    work.lazy->prune_layer = 2;
    work.lazy->extra = 1;
    work.lazy->head_refresh = 3;
  }
  what.change(work);
  const MarConfig config = testing::tiny_config();
  return {config, testing::tiny_vae_config(), testing::plan_of(config, work.sampling, work.lazy)};
}

TEST(ExecutedFlops, AreTheFormulasBatchByBatch) {
  const Mar mar = testing::tiny_mar();
  for (const Case& what : kCases) {
    const Workload work = workload(what);
    const FlopFormula formula(work);
    work_count() = {};
    Sampler sampler(mar, work.plan);
    const auto runner = policy_of(work.plan).make_runner(work.mar, work.plan);
    const auto head = policy_of(work.plan).make_head_runner(work.plan);
    EXPECT_EQ(work_count().flops, formula.constants().total()) << what.name;

    const auto images = static_cast<int64_t>(what.labels.size());
    const std::set<int64_t> classes(what.labels.begin(), what.labels.end());
    const FlopCount batch = formula.batch(images);
    const int64_t first_time = formula.class_table(static_cast<int64_t>(classes.size())).total();
    SampleObserver nobody;
    for (const bool known_classes : {false, true}) {
      std::vector<int64_t> ids(what.labels.size(), 7);
      PhiloxNoise noise(1, ids);
      work_count() = {};
      sampler.sample(*runner, *head, at::tensor(what.labels, c10::kLong), noise, nobody);
      EXPECT_EQ(work_count().flops, batch.total() - batch.vae + (known_classes ? 0 : first_time))
          << what.name << (known_classes ? ", second batch" : ", first batch");
    }
  }
}

/// With phase convolutions (saving V) this becomes FlopFormula(work).batch(images).vae.
TEST(ExecutedFlops, AreTheFormulasInTheVae) {
  const Workload work = workload({"", {}, [](Settings&) {}, false});
  RandomWeights weights(1, {parse_precision("fp32")});
  const KlDecoder vae = load_kl_decoder(weights, work.vae);
  for (const int64_t images : {1, 3}) {
    work_count() = {};
    vae.decode(at::zeros({images, 4, 4, 4}));
    EXPECT_EQ(work_count().flops, FlopFormula(work).batch(images).vae);
  }
}

}  // namespace
}  // namespace lazymar
