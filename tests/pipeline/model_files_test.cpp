#include "pipeline/model_files.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "formats/safetensors.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using testing::contains;
using testing::refused;
using testing::TemporaryFolder;

const fs::path kModels = fs::path(LAZYMAR_SOURCE_DIR) / "pretrained_models";

ModelRequest demo() {
  ModelRequest request;
  request.model = "demo";
  request.resume = kModels / "mar/demo";
  return request;
}

TEST(LoadModel, TheDemoNeedsNothingElse) {
  const Networks model = load_model(demo(), {});
  EXPECT_EQ(model.mar.config.class_count, 10);
  EXPECT_EQ(model.mar.config.encoder_heads, 4);
  EXPECT_EQ(model.mar.config.sequence_length, 256);
  EXPECT_EQ(model.mar.config.buffer_size, 64);
  EXPECT_EQ(model.img_size, 64);
  EXPECT_EQ(model.patch_size, 1);
  EXPECT_EQ(model.vae.config.groups, 4);
  EXPECT_EQ(model.vae.config.stride(), 4);
  EXPECT_EQ(model.recommended.cfg, 1.5);
  EXPECT_EQ(model.recommended.cfg_schedule, CfgSchedule::kConstant);
}

TEST(LoadModel, AFlagThatContradictsTheCheckpointIsRefused) {
  using Flags = ArchitectureFlags;
  const std::vector<std::pair<std::optional<int64_t> Flags::*, int64_t>> right{
      {&Flags::img_size, 64},     {&Flags::vae_stride, 4},  {&Flags::patch_size, 1},
      {&Flags::vae_embed_dim, 4}, {&Flags::class_num, 10},  {&Flags::buffer_size, 64},
      {&Flags::diffloss_d, 5},    {&Flags::diffloss_w, 192}};
  ModelRequest all = demo();
  for (const auto& [flag, value] : right) {
    all.architecture.*flag = value;
    ModelRequest wrong = demo();
    wrong.architecture.*flag = value + 1;
    EXPECT_TRUE(contains(refused([&] { load_model(wrong, {}); }), "contradicts the checkpoint"));
  }
  EXPECT_NO_THROW(load_model(all, {}));
}

/// Changes the working directory while this object exists.
class InFolder {
 public:
  explicit InFolder(const fs::path& folder) { fs::current_path(folder); }
  ~InFolder() { fs::current_path(before_); }

 private:
  fs::path before_ = fs::current_path();
};

std::string load_refused(const ModelRequest& request) {
  return refused([&] { load_model(request, {}); });
}

TEST(LoadModel, AMissingCheckpointSaysWhereItComesFrom) {
  const TemporaryFolder folder;
  const InFolder inside(folder.path());
  ModelRequest request;
  for (const char* given :
       {"", "pretrained_models/mar/mar_huge", "./pretrained_models/mar/mar_huge/"}) {
    if (*given != '\0') {
      request.resume = given;
    }
    const std::string message = load_refused(request);
    EXPECT_TRUE(contains(message, "checkpoint-last.pth: not found")) << given;
    EXPECT_TRUE(contains(message, "github.com/LTH14/mar")) << given;
    EXPECT_TRUE(contains(
        message, concat("looked in ", folder.path().string(), "/pretrained_models (no such")));
  }
  request = ModelRequest{};
  request.model = "demo";
  EXPECT_TRUE(contains(load_refused(request), "neither one of mar_base"));
  EXPECT_TRUE(contains(load_refused(request), "pretrained_models (no such folder)"));
  fs::create_directory("pretrained_models");
  EXPECT_TRUE(contains(load_refused(request), "neither one of mar_base"));
  EXPECT_TRUE(contains(load_refused(request), "/pretrained_models; --checkpoint_dir names"));
}

TEST(LoadModel, OfAPathThatWasGivenOnlyThatIsSaid) {
  const TemporaryFolder folder;
  for (const char* model : {"mar_huge", "demo"}) {
    ModelRequest request;
    request.model = model;
    request.resume = folder.path();
    EXPECT_TRUE(contains(load_refused(request), "no checkpoint found in this folder; expected"));
    request.resume = folder.path() / "none";
    EXPECT_TRUE(contains(load_refused(request), "none: not found; expected a checkpoint"));
    EXPECT_EQ(load_refused(request).find("ownload"), std::string::npos);
    EXPECT_EQ(load_refused(request).find("looked in"), std::string::npos);
  }
  ModelRequest request = demo();
  request.vae_path = folder.path() / "none";
  EXPECT_TRUE(contains(load_refused(request), "--vae_path " + request.vae_path->string()));
  EXPECT_TRUE(contains(load_refused(request), "not found; expected a VAE's"));
  EXPECT_EQ(load_refused(request).find("ownload"), std::string::npos);
}

TEST(LoadModel, NamesAreLookedForInEveryPlaceInOrder) {
  const TemporaryFolder chosen, home, work;
  const InFolder inside(work.path());
  ModelRequest request;
  request.model = "demo";
  const auto put = [](const fs::path& folder) {
    fs::create_directories(folder / "mar/demo");
    fs::create_directories(folder / "vae");
    fs::copy(kModels / "mar/demo/checkpoint-last.safetensors", folder / "mar/demo");
    fs::copy(kModels / "vae/demo.safetensors", folder / "vae");
  };
  const auto found = [&](const fs::path& folder) {
    const Networks model = load_model(request, {});
    return model.mar_source == (folder / "mar/demo/checkpoint-last.safetensors").string() &&
           model.vae_source == (folder / "vae/demo.safetensors").string();
  };
  EXPECT_TRUE(contains(load_refused(request), "looked in "));
  put("pretrained_models");
  EXPECT_TRUE(found("pretrained_models"));
  ASSERT_EQ(::setenv("LAZYMAR_HOME", home.path().c_str(), 1), 0);
  EXPECT_TRUE(found("pretrained_models"));  // nothing is there
  put(home.path() / "pretrained_models");
  EXPECT_TRUE(found(home.path() / "pretrained_models"));
  request.checkpoint_dir = chosen.path();
  EXPECT_TRUE(found(home.path() / "pretrained_models"));
  put(chosen.path());
  EXPECT_TRUE(found(chosen.path()));
  ::unsetenv("LAZYMAR_HOME");
}

TEST(LoadModel, ACopiedCheckpointFindsItsVaeWhereTheModelHasIt) {
  const TemporaryFolder folder;
  fs::copy(kModels / "mar/demo/checkpoint-last.safetensors", folder.path());
  const InFolder inside(kModels.parent_path());
  ModelRequest request = demo();
  request.resume = folder.path() / "checkpoint-last.safetensors";
  EXPECT_TRUE(contains(load_model(request, {}).vae_source, "pretrained_models/vae/demo."));
}

/// The demo's checkpoint with other names, or other bytes of its first tensor.
void write_demo(const fs::path& path, const std::string& prefix, bool with_nan = false) {
  const WeightFile file(kModels / "mar/demo/checkpoint-last.safetensors");
  WeightContent content;
  content.metadata = file.metadata();
  static const std::vector<std::byte> nan(1 << 20, std::byte{0xff});
  for (const auto& [name, view] : file.tensors()) {
    content.tensors[prefix + name] = view;
    if (with_nan && name == "z_proj.bias") {
      content.tensors[prefix + name].bytes = std::span(nan).first(view.bytes.size());
    }
  }
  write_safetensors(path, content);
}

TEST(LoadModel, NamesOfWrappedModulesAndNanInAFileAreSeenWhenItIsOpened) {
  const TemporaryFolder folder;
  ModelRequest request = demo();
  request.resume = folder.path() / "w.safetensors";
  request.vae_path = kModels / "vae/demo.safetensors";
  write_demo(*request.resume, "module._orig_mod.");
  const Networks wrapped = load_model(request, {});
  EXPECT_EQ(WeightHash(*wrapped.mar_weights).get(),
            WeightHash(*load_model(demo(), {}).mar_weights).get());
  write_demo(*request.resume, "", /*with_nan=*/true);
  EXPECT_TRUE(contains(load_refused(request), "z_proj.bias (128 of 128)"));
}

TEST(LoadModel, AMisspelledModelIsTold) {
  const InFolder inside(kModels.parent_path());
  ModelRequest request;
  request.model = "Demo";
  EXPECT_TRUE(contains(load_refused(request), "did you mean demo?"));
  EXPECT_TRUE(contains(load_refused(request), "models here: demo"));
  request.model = "mar_hueg";
  EXPECT_TRUE(contains(load_refused(request), "did you mean mar_huge?"));
  request.model = "stable-diffusion";
  EXPECT_FALSE(contains(load_refused(request), "did you mean"));
}

TEST(LoadModel, AVaeThatACheckpointNamesIsMissedByThatName) {
  const TemporaryFolder folder;
  fs::copy(kModels / "mar/demo/checkpoint-last.safetensors", folder.path());
  const InFolder inside(folder.path());
  ModelRequest request = demo();
  request.resume = folder.path();
  EXPECT_TRUE(contains(load_refused(request), "not found; this is the VAE that"));
  EXPECT_EQ(load_refused(request).find("ownload"), std::string::npos);
}

TEST(LoadModel, SafetensorsComeBeforeThePth) {
  const TemporaryFolder folder;
  testing::write_text(folder.path() / "checkpoint-last.pth", "not opened");
  fs::copy(kModels / "mar/demo/checkpoint-last.safetensors", folder.path());
  ModelRequest request = demo();
  request.resume = folder.path();
  request.vae_path = kModels / "vae/demo.safetensors";
  EXPECT_EQ(load_model(request, {}).mar_source,
            (folder.path() / "checkpoint-last.safetensors").string());
}

TEST(LoadModel, AMissingVaeSaysWhereItComesFrom) {
  const TemporaryFolder folder;
  const InFolder inside(folder.path());
  ModelRequest request = demo();
  for (const char* usual : {"kl16.ckpt", "kl16.safetensors"}) {
    request.vae_path = fs::path("pretrained_models/vae") / usual;
    const std::string message = load_refused(request);
    EXPECT_TRUE(contains(message, concat(usual, ": not found"))) << usual;
    EXPECT_TRUE(contains(message, "github.com/LTH14/mar")) << usual;
  }
}

TEST(LoadModel, FilesOfTheWrongKindAreRefused) {
  ModelRequest swapped = demo();
  swapped.resume = kModels / "vae/demo.safetensors";
  EXPECT_TRUE(contains(refused([&] { load_model(swapped, {}); }), "z_proj.weight"));
  ModelRequest no_vae = demo();
  no_vae.vae_path = kModels / "mar/demo/checkpoint-last.safetensors";
  EXPECT_TRUE(contains(refused([&] { load_model(no_vae, {}); }), "post_quant_conv.weight"));
}

TEST(LoadModel, TheNameOfAnotherPublishedNetworkIsRefused) {
  ModelRequest request = demo();
  request.model = "mar_base";
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(open_model(request).shape.mar.encoder_dim, 128);
  EXPECT_TRUE(contains(::testing::internal::GetCapturedStderr(),
                       "is not mar_base, the default of --model, but no published network (encoder "
                       "5 x 128 wide"));
  request.model_given = true;
  EXPECT_TRUE(
      contains(refused([&] { open_model(request); }), "model mar_base contradicts the checkpoint"));
  request.model = "mine";
  EXPECT_NO_THROW(open_model(request));
}

TEST(LoadModel, ClassesHaveTheNamesOfTheMetadata) {
  const std::vector<std::string> names = open_model(demo()).shape.class_names;
  ASSERT_EQ(names.size(), 10U);
  EXPECT_EQ(names.front(), "star");
}

TEST(LoadModel, ATruncatedCheckpointIsRefused) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "checkpoint-last.safetensors";
  fs::copy(kModels / "mar/demo/checkpoint-last.safetensors", file);
  fs::resize_file(file, fs::file_size(file) / 2);
  ModelRequest request = demo();
  request.resume = folder.path();
  EXPECT_TRUE(contains(refused([&] { load_model(request, {}); }), "truncated?"));
}

TEST(LoadModel, RandomWeightsOnlyWhenAsked) {
  ModelRequest request;
  request.model = "mar_base";
  request.random_weights = true;
  request.architecture.img_size = 64;
  request.architecture.class_num = 3;
  request.architecture.diffloss_d = 1;
  request.architecture.diffloss_w = 8;
  const Networks model = load_model(request, {});
  EXPECT_EQ(model.mar.config.sequence_length, 16);
  EXPECT_EQ(model.mar.config.head_width, 8);
  EXPECT_TRUE(contains(model.mar_source, "random"));
  request.vae_path = "x";
  EXPECT_TRUE(contains(refused([&] { load_model(request, {}); }), "contradicts --vae_path"));
  request.vae_path.reset();
  request.architecture.img_size = 100;
  EXPECT_TRUE(contains(refused([&] { load_model(request, {}); }), "multiple of 16"));
  request.model = "demo";
  EXPECT_TRUE(contains(refused([&] { load_model(request, {}); }), "mar_base, mar_large"));
}

TEST(PatchSize, IsTheRootOfTheChannelsRatio) {
  EXPECT_EQ(derive_patch_size(16, 16), 1);
  EXPECT_EQ(derive_patch_size(64, 16), 2);
  EXPECT_TRUE(contains(refused([] { derive_patch_size(16, 3); }), "do not match"));
}

}  // namespace
}  // namespace lazymar
