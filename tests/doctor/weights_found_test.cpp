#include "doctor/weights_found.h"

#include <gtest/gtest.h>

#include <string>

#include "core/error.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::TemporaryFolder;

const fs::path kModels = fs::path(LAZYMAR_SOURCE_DIR) / "pretrained_models";

/// Looks only in one folder: the working directory has none.
class Examined {
 public:
  Examined() : before_(fs::current_path()) { fs::current_path(folder_.path()); }
  ~Examined() { fs::current_path(before_); }

  fs::path put(const std::string& name) const {
    fs::path place = folder_.path() / "models" / name;
    fs::create_directories(place.parent_path());
    fs::copy(kModels / name, place);
    return place;
  }

  Findings examine() const {
    DoctorOptions options;
    options.checkpoint_dir = folder_.path() / "models";
    Findings findings;
    examine_weights(options, findings);
    return findings;
  }

 private:
  TemporaryFolder folder_;
  fs::path before_;
};

std::string all_text(const Findings& findings) {
  std::string text;
  for (const auto& [name, value] : findings.facts) {
    text += concat(name, ": ", value, "\n");
  }
  return text;
}

TEST(Doctor, WeightsThatCanBeUsedAreListedWithHashes) {
  const Examined here;
  here.put("mar/demo/checkpoint-last.safetensors");
  here.put("vae/demo.safetensors");
  const Findings findings = here.examine();
  EXPECT_TRUE(findings.problems.empty());
  EXPECT_TRUE(contains(all_text(findings), "model demo: usable: "));
  EXPECT_TRUE(contains(all_text(findings), "checkpoint-last.safetensors ("));
}

TEST(Doctor, NoWeightsAreAProblem) {
  const Examined here;
  const Findings findings = here.examine();
  ASSERT_FALSE(findings.problems.empty());
  EXPECT_TRUE(contains(findings.problems.front(), "no such folder"));
  EXPECT_TRUE(contains(findings.problems.back(), "no model was found; looked in"));
}

TEST(Doctor, ADamagedCheckpointIsAProblem) {
  const Examined here;
  const fs::path file = here.put("mar/demo/checkpoint-last.safetensors");
  here.put("vae/demo.safetensors");
  fs::resize_file(file, fs::file_size(file) / 2);
  const Findings findings = here.examine();
  ASSERT_EQ(findings.problems.size(), 1U);
  EXPECT_TRUE(contains(findings.problems[0], "model demo: "));
  EXPECT_TRUE(contains(findings.problems[0], "truncated?"));
}

TEST(Doctor, AModelWithoutItsVaeIsAProblem) {
  const Examined here;
  here.put("mar/demo/checkpoint-last.safetensors");
  const Findings findings = here.examine();
  ASSERT_EQ(findings.problems.size(), 1U);
  EXPECT_TRUE(contains(findings.problems[0], "--vae_path"));
}

}  // namespace
}  // namespace lazymar
