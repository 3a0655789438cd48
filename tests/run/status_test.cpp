#include "run/status.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace lazymar {
namespace {

RunStatus status(int64_t images, int64_t made) {
  RunStatus status;
  status.images = images;
  status.num_images = 64;
  status.made = made;
  status.seconds = 8;
  return status;
}

TEST(Status, TellsRateAndTimeLeft) {
  EXPECT_EQ(status_text(status(12, 12), 0), "12/64 images, 1.50 images/s, 0:35 left");
  EXPECT_EQ(status_text(status(32, 32), 4), "[##  ] 32/64 images, 4.00 images/s, 0:08 left");
}

TEST(Status, EarlierLaunchesCountForImagesNotForTheRate) {
  EXPECT_EQ(status_text(status(32, 8), 0), "32/64 images, 1.00 images/s, 0:32 left");
}

TEST(Status, NothingMadeHasNoRate) {
  EXPECT_EQ(status_text(status(0, 0), 0), "0/64 images");
}

TEST(Status, SaysWhatEachProcessDoes) {
  RunStatus several = status(12, 12);
  several.members = {{0, {}, "", "shard 4", 0}, {1, {}, "", "waiting", 0}};
  EXPECT_EQ(status_text(several, 0),
            "12/64 images, 1.50 images/s, 0:35 left, 0: shard 4, 1: waiting");
}

TEST(Status, JsonHoldsWhatScriptsRead) {
  RunStatus several = status(12, 12);
  several.members = {{0, {"host", "m", 5, 6}, "l", "shard 4", 1.5}};
  const auto json = nlohmann::json::parse(status_json(several));
  EXPECT_EQ(json.at("images"), 12);
  EXPECT_EQ(json.at("num_images"), 64);
  EXPECT_DOUBLE_EQ(json.at("images_per_second"), 1.5);
  EXPECT_NEAR(json.at("seconds_left"), 34.7, 0.1);
  EXPECT_EQ(json.at("ranks").at(0).at("host"), "host");
  EXPECT_EQ(json.at("ranks").at(0).at("state"), "shard 4");
  EXPECT_TRUE(nlohmann::json::parse(status_json(status(0, 0))).at("seconds_left").is_null());
}

TEST(Status, DurationsRoundToSeconds) {
  EXPECT_EQ(duration_text(0), "0:00");
  EXPECT_EQ(duration_text(59.6), "1:00");
  EXPECT_EQ(duration_text(3723), "1:02:03");
}

}  // namespace
}  // namespace lazymar
