#include "report/redundancy.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/drift_folder.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::small_header;
using testing::TemporaryFolder;
using testing::write_invented;

TEST(Redundancy, MeansAreOverTheRowsOfAKind) {
  const TemporaryFolder folder;
  // 1 for every row, but twice the row's number in one pair; a second image has three times that.
  const auto change = [](double factor) {
    return [factor](int64_t from, int64_t to, int64_t row) {
      return factor * (from == 1 && to == 3 ? 2. * static_cast<double>(row) : 1.);
    };
  };
  write_invented(folder.path(), small_header(0), change(1), change(4));
  write_invented(folder.path(), small_header(1), change(3), change(4));
  const Redundancy found(read_drift(folder.path()));
  EXPECT_EQ(found.images, 2);
  EXPECT_EQ(found.known.at(1, 2), 2.);
  // From step 1 to 3 the row 0 stays masked, 1 to 5 are decoded, 6 and 7 known, 8 and 9 the buffer.
  EXPECT_EQ(found.masked.at(1, 3), 0.);
  EXPECT_EQ(found.fresh.at(1, 3), 2. * 2 * 3);
  EXPECT_EQ(found.known.at(1, 3), 2. * 2 * 6.5);
  EXPECT_EQ(found.buffer.at(1, 3), 2. * 2 * 8.5);
  EXPECT_EQ(found.predicted.at(1, 2), 2.);
  EXPECT_EQ(found.difference->at(0, 1), 4.);
  // Before step 0 no row is known.
  EXPECT_FALSE(found.known.at(0, 2).has_value());
  EXPECT_FALSE(found.known.at(2, 1).has_value());
  EXPECT_EQ(found.known.along(1).size(), 2U);
}

TEST(Redundancy, TellsFromWhichStepOnAChangeIsSmall) {
  const TemporaryFolder folder;
  const auto calm_from = [](int64_t step) {
    return [step](int64_t from, int64_t, int64_t) { return from >= step ? 0.0625 : 0.5; };
  };
  write_invented(folder.path(), small_header(), calm_from(2), calm_from(3));
  const Redundancy found(read_drift(folder.path()));
  EXPECT_EQ(found.known.below_from(0.1), 2);
  EXPECT_EQ(found.known.below_from(0.0625), std::nullopt);
  EXPECT_EQ(found.known.below_from(1), 1);  // the first step that has a known token before it
  EXPECT_EQ(found.difference->below_from(0.1), std::nullopt);
  const std::vector<std::string> text = redundancy_text(found);
  EXPECT_TRUE(contains(text[0], "Known tokens change by less than 10 % per step from step 2 on"));
  EXPECT_TRUE(contains(text[0], "at most 6.2 %"));
  EXPECT_TRUE(contains(text[3],
                       "Guidance differences of the tokens to be predicted change by 10 % "
                       "or more per step until the end"));
  const auto json = redundancy_json(found);
  EXPECT_EQ(json["output"]["known"]["below_10_percent_from"], 2);
  EXPECT_TRUE(json["condition_difference"]["below_10_percent_from"].is_null());
  EXPECT_TRUE(json["output"]["known"]["over_1_step"][1].is_null());
  EXPECT_EQ(json["output"]["known"]["over_1_step"][2], 0.5);
}

TEST(Redundancy, WithoutGuidanceThereIsNoDifference) {
  const TemporaryFolder folder;
  write_invented(folder.path(), small_header(), [](auto...) { return 0.25; });
  const Redundancy found(read_drift(folder.path()));
  EXPECT_FALSE(found.difference);
  EXPECT_EQ(redundancy_text(found).size(), 3U);
  EXPECT_TRUE(redundancy_json(found)["condition_difference"].is_null());
}

}  // namespace
}  // namespace lazymar
