#include "metrics/inception.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "files/sha256.h"
#include "formats/safetensors.h"
#include "metrics/demo_classifier.h"
#include "metrics/formula_weights.h"
#include "metrics/golden.h"
#include "support/errors.h"
#include "support/temporary_folder.h"
#include "weights/weights.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::FormulaWeights;
using testing::golden;
using testing::golden_hash;
using testing::refused;
using testing::relative_error;

TEST(InceptionInput, HasTorchFidelitysBits) {
  for (const std::string name : {"up", "down", "one"}) {
    const at::Tensor resized = inception_input(golden("resize_" + name + "_pixels"), 13);
    EXPECT_TRUE(resized.equal(golden("resize_" + name))) << name;
  }
  const at::Tensor pixels = golden("resize_down_pixels");
  for (const std::string mistake : {"corners", "half_pixel", "antialias"}) {
    EXPECT_GT(relative_error(inception_input(pixels, 13), golden("resize_down_" + mistake)), 1e-2);
  }
}

TEST(InceptionInput, HasTorchFidelitysBitsAtFullSize) {
  const at::Tensor whole = inception_input(golden("resize_299_pixels")).permute({0, 2, 3, 1});
  ASSERT_TRUE(whole.is_contiguous());
  const auto* bytes = static_cast<const std::byte*>(whole.const_data_ptr());
  EXPECT_EQ(sha256({bytes, whole.nbytes()}), golden_hash("resize_299_sha256"));
}

class InceptionTest : public ::testing::Test {
 protected:
  static Features features(bool plain, const at::Tensor& pixels) {
    FormulaWeights weights;
    return (*make_inception(weights, plain))(pixels);
  }
};

TEST_F(InceptionTest, IsTorchFidelitys) {
  const at::Tensor wanted = golden("inception_pool");
  for (const bool plain : {false, true}) {
    const Features found = features(plain, golden("inception_pixels"));
    EXPECT_LT(relative_error(found.pool, wanted), 1e-5);
    EXPECT_LT(relative_error(found.logits, golden("inception_logits")), 1e-5);
    for (const std::string mistake : {"padded_average", "last_average", "norm_eps"}) {
      EXPECT_GT(relative_error(found.pool, golden("inception_pool_" + mistake)), 1e-2);
    }
  }
}

TEST_F(InceptionTest, AnImageDoesNotSeeTheOthers) {
  const at::Tensor pixels = golden("inception_pixels");
  const Features alone = features(false, pixels.slice(0, 1, 2));
  const Features many = features(false, pixels.repeat({9, 1, 1, 1}));  // more than a batch
  ASSERT_EQ(many.pool.size(0), 18);
  EXPECT_LT(relative_error(many.pool.slice(0, 17), alone.pool), 1e-5);
  EXPECT_LT(relative_error(many.logits.slice(0, 1, 2), alone.logits), 1e-5);
}

TEST_F(InceptionTest, IsReadFromAFileUnderTorchFidelitysNames) {
  FormulaWeights formula;
  const Features wanted = (*make_inception(formula))(golden("inception_pixels"));
  WeightContent content;
  for (const auto& [name, tensor] : formula.given()) {
    content.tensors[name] = view_of_tensor(tensor);
  }
  const at::Tensor batches = at::zeros({}, c10::kLong);  // what PyTorch's batch norms count
  content.tensors["Conv2d_1a_3x3.bn.num_batches_tracked"] = view_of_tensor(batches);
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "inception.safetensors";
  write_safetensors(path, content);
  const auto extractor = load_inception(path, c10::kCPU);
  EXPECT_TRUE((*extractor)(golden("inception_pixels")).pool.equal(wanted.pool));
  EXPECT_EQ(extractor->info().source, path.string());
  EXPECT_EQ(extractor->info().weights.tensors.size(), content.tensors.size());
  EXPECT_EQ(extractor->info().feature_dim, 2048);
  EXPECT_EQ(extractor->info().class_count, 1008);

  content.tensors.erase("Mixed_7c.branch_pool.bn.running_var");
  write_safetensors(path, content);
  EXPECT_TRUE(contains(refused([&] { load_inception(path, c10::kCPU); }),
                       "1 missing: Mixed_7c.branch_pool.bn.running_var"));
}

TEST_F(InceptionTest, SaysWhereTheWeightsComeFrom) {
  const std::string message = refused([] { load_inception("no/such.pth", c10::kCPU); });
  EXPECT_TRUE(contains(message, "no/such.pth: not found"));
  EXPECT_TRUE(contains(message, kInceptionUrl));
  EXPECT_TRUE(contains(message, kInceptionWeights));
}

TEST_F(InceptionTest, RefusesAFileThatDoesNotFit) {
  const std::string other = std::string(LAZYMAR_SOURCE_DIR) + "/" + kDemoClassifier;
  const std::string message = refused([&] { load_inception(other, c10::kCPU); });
  EXPECT_TRUE(contains(message, "missing: Conv2d_1a_3x3.conv.weight"));
  EXPECT_TRUE(contains(message, "unexpected: convolutions.0.bias"));
}

TEST(DemoClassifier, IsThePythonOne) {
  const auto extractor =
      load_demo_classifier(std::string(LAZYMAR_SOURCE_DIR) + "/" + kDemoClassifier);
  EXPECT_EQ(extractor->info().name, "demo");
  EXPECT_EQ(extractor->info().feature_dim, 96);
  EXPECT_EQ(extractor->info().class_count, 10);
  EXPECT_EQ(extractor->info().image_side, 64);
  EXPECT_EQ(extractor->info().weights.tensors.size(), 10U);
  const Features found = (*extractor)(golden("demo_pixels"));
  EXPECT_LT(relative_error(found.pool, golden("demo_pool")), 1e-5);
  EXPECT_LT(relative_error(found.logits, golden("demo_logits")), 1e-5);
  EXPECT_GT(relative_error(found.pool.flip(0), golden("demo_pool")), 1e-2);
  EXPECT_TRUE(contains(refused([&] { (*extractor)(golden("inception_pixels").slice(1, 0, 32)); }),
                       "64x64"));
}

TEST(DemoClassifier, RefusesOtherFiles) {
  const std::string root = LAZYMAR_SOURCE_DIR;
  refused([&] { load_demo_classifier("no/such.safetensors"); });
  const std::string vae = root + "/pretrained_models/vae/demo.safetensors";
  EXPECT_TRUE(contains(refused([&] { load_demo_classifier(vae); }), "not a demo classifier"));
}

}  // namespace
}  // namespace lazymar
