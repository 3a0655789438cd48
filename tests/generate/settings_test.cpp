#include "generate/settings.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "pipeline/device.h"
#include "support/errors.h"

namespace lazymar {
namespace {

ResolvedSettings usual() {
  return {SamplingOptions{}, 8};
}

TEST(SettingsName, DefaultsAreNotNamed) {
  EvalOptions options;
  EXPECT_EQ(settings_name(options, usual(), usual()), "iter64_baseline");
  options.lazy.emplace();
  EXPECT_EQ(settings_name(options, usual(), usual()), "iter64_lazy");
}

TEST(SettingsName, EverySettingThatDiffersIsNamed) {
  std::set<std::string> names;
  const auto add = [&](auto change) {
    EvalOptions options;
    options.lazy.emplace();
    ResolvedSettings resolved = usual();
    change(options, resolved);
    names.insert(settings_name(options, resolved, usual()));
  };
  using O = EvalOptions;
  using R = ResolvedSettings;
  add([](O&, R&) {});
  add([](O& o, R&) { o.lazy.reset(); });
  add([](O&, R& r) { r.sampling.num_iter = 32; });
  add([](O&, R& r) { r.sampling.cfg = 2; });
  add([](O&, R& r) { r.sampling.cfg_schedule = CfgSchedule::kConstant; });
  add([](O&, R& r) { r.sampling.num_sampling_steps = 50; });
  add([](O&, R& r) { r.sampling.temperature = 0.9; });
  add([](O&, R& r) { r.eval_bsz = 16; });
  add([](O& o, R&) { o.auto_batch = true; });
  add([](O& o, R&) { o.num_images = 64; });
  add([](O& o, R&) { o.classes = {1, 2}; });
  add([](O& o, R&) { o.classes = {12}; });
  add([](O& o, R&) { o.model.seed = 7; });
  add([](O&, R& r) { r.precision = parse_precision("fp64"); });
  add([](O& o, R&) { o.model.random_weights = true; });
  add([](O& o, R&) { o.model.resume = "a/b"; });
  add([](O& o, R&) { o.model.vae_path = "a/b"; });
  add([](O& o, R&) { o.few_files = true; });
  add([](O& o, R&) { o.lazy->token = false; });
  add([](O& o, R&) { o.lazy->condition = false; });
  add([](O& o, R&) { o.lazy->head = false; });
  add([](O& o, R&) { o.lazy->warmup = 1; });
  add([](O& o, R&) { o.lazy->refresh = 1; });
  add([](O& o, R&) { o.lazy->prune_layer = 1; });
  add([](O& o, R&) { o.lazy->extra = 1; });
  add([](O& o, R&) { o.lazy->head_refresh = 1; });
  add([](O& o, R&) { o.lazy->retain = RetainKind::kPublished; });
  add([](O& o, R&) { o.lazy->condition_scale = 0; });
  EXPECT_EQ(names.size(), 28U);
}

TEST(SettingsName, IsOneFolderNameOfBoundedLength) {
  EvalOptions options;
  options.model.resume = "some/where/with a space:and,more";
  options.classes.assign(1000, 123);
  const std::string name = settings_name(options, usual(), usual());
  EXPECT_EQ(name.find('/'), std::string::npos);
  EXPECT_LT(name.size(), 255U);
}

TEST(SettingsJson, IsAllThatTheBytesDependOn) {
  EvalOptions options;
  const auto json = [&] { return settings_json(options, usual(), c10::kCPU); };
  const auto standard = json();
  EXPECT_TRUE(standard.at("lazy_mar").is_null());
  EXPECT_FALSE(standard.at("device").get<std::string>().empty());
  options.threads = 3;
  options.workers = 2;
  options.durability = Durability::kFile;
  EXPECT_EQ(json(), standard);
  options.model.seed = 2;
  EXPECT_NE(json(), standard);
  options.lazy.emplace();
  EXPECT_EQ(json().at("lazy_mar").at("warmup"), 5);
}

}  // namespace
}  // namespace lazymar
