#include "method/decoding_method.h"

#include <gtest/gtest.h>

#include "method/method_json.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;
using testing::contains;
using testing::refused;

LazyOptions unusual() {
  LazyOptions lazy;
  lazy.condition = false;
  lazy.warmup = 3;
  lazy.refresh = 4;
  lazy.prune_layer = 2;
  lazy.extra = 0;
  lazy.head_refresh = 9;
  lazy.retain = RetainKind::kList;
  lazy.retain_list = {1.0, 1.0 / 3.0, 0.1};
  lazy.condition_scale = 0.1 + 0.2;
  return lazy;
}

TEST(DecodingMethod, HoldsLazymarsConstantsToTheLastBit) {
  const LazyOptions lazy = unusual();
  const LazyOptions read = lazymar_options(lazymar_text(lazy));
  EXPECT_EQ(read.token, lazy.token);
  EXPECT_EQ(read.condition, lazy.condition);
  EXPECT_EQ(read.head, lazy.head);
  EXPECT_EQ(read.warmup, lazy.warmup);
  EXPECT_EQ(read.refresh, lazy.refresh);
  EXPECT_EQ(read.prune_layer, lazy.prune_layer);
  EXPECT_EQ(read.extra, lazy.extra);
  EXPECT_EQ(read.head_refresh, lazy.head_refresh);
  EXPECT_EQ(read.retain, lazy.retain);
  EXPECT_EQ(read.retain_list, lazy.retain_list);
  EXPECT_EQ(read.condition_scale, lazy.condition_scale);
  EXPECT_TRUE(lazymar_text(LazyOptions()).empty()) << "what differs from its default";
}

TEST(DecodingMethod, RefusesOptionsThatLazymarHasNot) {
  EXPECT_TRUE(contains(refused([] { lazymar_options({{"warmth", "3"}}); }), "warmup"));
  EXPECT_TRUE(contains(refused([] { lazymar_options({{"warmup", "3x"}}); }), "3x"));
  EXPECT_TRUE(contains(refused([] { lazymar_options({{"warmup", ""}}); }), "number"));
  EXPECT_TRUE(contains(refused([] {
                         lazymar_options({{"caches", "yes"}});
                       }),
                       "token,condition,head"));
  EXPECT_TRUE(contains(refused([] { lazymar_options({{"retain", "2"}}); }), "0 to 1"));
  EXPECT_TRUE(contains(refused([] { lazymar_options({{"refresh", "0"}}); }), "lazy_refresh 0"));
  LazyOptions below;
  below.warmup = -1;
  EXPECT_TRUE(contains(refused([&] { lazymar_options(lazymar_text(below)); }), "lazy_warmup -1"));
}

TEST(DecodingMethod, JsonHoldsWhatDiffersFromMar) {
  EXPECT_EQ(method_json(DecodingMethod()).dump(), "{}");
  EXPECT_EQ(method_json(method_of({}, LazyOptions())).dump(),
            R"({"name":"lazymar","cache":{"policy":"lazymar"}})");
  SamplingOptions sampling;
  sampling.num_iter = 32;
  sampling.num_sampling_steps = 50;
  EXPECT_EQ(method_json(method_of(sampling)).dump(),
            R"({"cosine_steps":32,"head":[{"steps":50}]})");
}

TEST(DecodingMethod, JsonReadsBack) {
  SamplingOptions sampling;
  sampling.cfg = 0.1 + 0.2;
  sampling.cfg_schedule = CfgSchedule::kConstant;
  sampling.temperature = 0.95;
  DecodingMethod method = method_of(sampling, unusual());
  method.name = "everything";
  method.order = "raster";
  method.stages = {{64, 24}, {192, 8}};
  method.head = {{}, {.from_step = 3, .solver = "ddim", .steps = 20, .last_timestep = 950}};
  const std::string text = method_json(method).dump();
  EXPECT_EQ(method_from_json(ordered_json::parse(text)), method) << text;
  EXPECT_EQ(method_from_json(ordered_json::object()), DecodingMethod());
  DecodingMethod other = method;
  other.head[1].last_timestep = 951;
  EXPECT_NE(method_from_json(ordered_json::parse(text)), other) << "control";
}

TEST(DecodingMethod, JsonOfAnotherShapeIsRefused) {
  const auto message = [](const char* text) {
    return refused([&] { method_from_json(ordered_json::parse(text)); });
  };
  EXPECT_TRUE(contains(message(R"({"sequence": "raster"})"), "order"));
  EXPECT_TRUE(contains(message(R"({"cache": {"police": "none"}})"), "policy"));
  EXPECT_TRUE(contains(message(R"({"head": [{"steps": "many"}]})"), "steps"));
  EXPECT_TRUE(contains(message(R"({"head": {"steps": 3}})"), "list"));
  EXPECT_TRUE(contains(message(R"({"cfg_schedule": "cubic"})"), "cubic"));
  message("[]");
  message(R"({"stages": [3]})");
}

TEST(DecodingMethod, CountsItsSteps) {
  DecodingMethod method;
  EXPECT_EQ(method.steps(), 64);
  method.stages = {{64, 24}, {64, 6}, {128, 2}};
  EXPECT_EQ(method.steps(), 32);
}

}  // namespace
}  // namespace lazymar
