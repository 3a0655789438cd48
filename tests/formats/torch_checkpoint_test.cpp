#include "formats/torch/torch_checkpoint.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/bad_file.h"
#include "support/temporary_folder.h"
#include "support/torch_files.h"
#include "weights/weight_file.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using testing::as_file;
using testing::BadFile;
using testing::contains;
using testing::dict;
using testing::refused;
using testing::storage;
using testing::stream_checkpoint;
using testing::tensor;
using testing::zip_checkpoint;

const fs::path kData = fs::path(LAZYMAR_SOURCE_DIR) / "tests/data/checkpoints";

/// The tensor's elements in row-major order, as hexadecimal digits.
std::string hex_of(const TensorView& view) {
  int64_t count = 1;
  for (const int64_t size : view.shape) {
    count *= size;
  }
  std::string hex;
  const auto width = static_cast<size_t>(element_size(view.type));
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i;
    int64_t element = view.strides.empty() ? i : 0;
    for (size_t d = view.strides.size(); d-- > 0;) {
      element += rest % view.shape[d] * view.strides[d];
      rest /= view.shape[d];
    }
    for (const std::byte byte : view.bytes.subspan(static_cast<size_t>(element) * width, width)) {
      constexpr const char* kDigits = "0123456789abcdef";
      hex += kDigits[static_cast<unsigned>(byte) >> 4U];
      hex += kDigits[static_cast<unsigned>(byte) & 15U];
    }
  }
  return hex;
}

void expect_recorded(const WeightFile& file, const std::string& recorded) {
  const auto expected = nlohmann::json::parse(testing::read_text(kData / recorded));
  EXPECT_EQ(file.tensors().size(), expected.size());
  for (const auto& [name, entry] : expected.items()) {
    const TensorView* view = file.find(name);
    ASSERT_NE(view, nullptr) << name;
    EXPECT_EQ(to_string(view->type), entry["dtype"].get<std::string>()) << name;
    EXPECT_EQ(view->shape, entry["shape"].get<std::vector<int64_t>>()) << name;
    EXPECT_EQ(hex_of(*view), entry["hex"].get<std::string>()) << name;
  }
}

TEST(TorchCheckpoint, ATrainingCheckpointGivesItsEmaWeights) {
  for (const char* name : {"training.pth", "training-old.pth"}) {
    const WeightFile file(kData / name);
    EXPECT_EQ(file.section(), "model_ema");
    EXPECT_TRUE(contains(file.description(), "EMA weights"));
    expect_recorded(file, "training.expected.json");
  }
}

TEST(TorchCheckpoint, GivesTheLastWeightsWhenAsked) {
  const WeightFile ema(kData / "training.pth", {.weights = WeightSet::kEma});
  const WeightFile last(kData / "training.pth", {.weights = WeightSet::kModel});
  EXPECT_EQ(last.section(), "model");
  EXPECT_NE(hex_of(*ema.find("0.weight")), hex_of(*last.find("0.weight")));
}

TEST(TorchCheckpoint, EveryTypeAndLayoutIsReadExactly) {
  for (const char* name : {"variety.pth", "variety-old.pth"}) {
    const WeightFile file(kData / name);
    expect_recorded(file, "variety.expected.json");
    EXPECT_EQ(file.unreadable().size(), 4U);
    EXPECT_TRUE(contains(refused([&] { file.find("note"); }), "not a plain tensor"));
    EXPECT_TRUE(contains(refused([&] { file.find("expanded"); }), "repeats elements"));
    EXPECT_EQ(file.find("tied.a")->bytes.data(), file.find("tied.b")->bytes.data());
    EXPECT_EQ(file.find("nowhere"), nullptr);
  }
}

TEST(TorchCheckpoint, AVaesWeightsStandUnderModel) {
  const WeightFile file(kData / "vae.ckpt");
  EXPECT_EQ(file.section(), "model");
  expect_recorded(file, "vae.expected.json");
  EXPECT_TRUE(
      contains(refused([] { WeightFile(kData / "vae.ckpt", {.weights = WeightSet::kEma}); }),
               "no weights under \"model_ema\""));
}

TEST(TorchCheckpoint, OnlyUsedRecordsAreChecked) {
  const testing::TemporaryFolder folder;
  std::string bytes = testing::read_text(kData / "vae.ckpt");
  const WeightFile good(kData / "vae.ckpt");
  const auto position =
      static_cast<size_t>(good.find("loss.logvar")->bytes.data() - good.bytes().data());
  bytes[position] ^= 1;
  testing::write_text(folder.path() / "x", bytes);
  const WeightFile file(folder.path() / "x");
  EXPECT_NE(file.find("decoder.conv_in.weight"), nullptr);
  EXPECT_TRUE(contains(refused([&] { file.find("loss.logvar"); }), "is damaged"));
  const WeightFile unchecked(folder.path() / "x", {.check_crc = false});
  EXPECT_NE(unchecked.find("loss.logvar"), nullptr);
}

const std::string kFour = storage("FloatStorage", "0", 4);
const std::string kPlain = tensor(kFour, 0, {2, 2}, {2, 1});
const std::vector<testing::ZipSpec> kRecord{{.name = "x/data/0", .content = std::string(16, 'd')}};
const std::string kStored = testing::bytes_of<uint64_t>(4) + std::string(16, 'd');

TEST(TorchCheckpoint, HandMadeFilesAreRead) {
  const std::string root = dict({{"model", dict({{"a", kPlain}})}});
  for (const std::string& file :
       {zip_checkpoint(root, kRecord), stream_checkpoint(root, {"0"}, kStored)}) {
    const auto content = parse_torch_checkpoint(as_file(file), "file");
    EXPECT_EQ(content.tensors.at("a").bytes.size(), 16U);
    EXPECT_EQ(content.section, "model");
  }
}

TEST(TorchCheckpoint, KeysOfOtherProjectsLeadToTheWeights) {
  const std::string weights = dict({{"a", kPlain}});
  const std::string other = dict({{"b", kPlain}});
  const auto section = [](const std::string& root) {
    const WeightContent content =
        parse_torch_checkpoint(as_file(zip_checkpoint(root, kRecord)), "f");
    EXPECT_TRUE(content.tensors.contains("a"));
    return content.section;
  };
  // DiT; timm; latent diffusion and Lightning; a wrapper around MAR's; EMA that was switched off.
  EXPECT_EQ(section(dict({{"model", other}, {"ema", weights}, {"opt", "}"}})), "ema");
  EXPECT_EQ(section(dict({{"state_dict", other}, {"state_dict_ema", weights}})), "state_dict_ema");
  EXPECT_EQ(section(dict({{"epoch", "K\1"}, {"state_dict", weights}})), "state_dict");
  EXPECT_EQ(section(dict({{"model", dict({{"model", weights}})}})), "model");
  EXPECT_EQ(section(dict({{"model", weights}, {"ema", "K\1"}})), "model");
  EXPECT_EQ(section(dict({{"model", weights}, {"model_ema", "}"}})), "model");
  // Any name, as with a prefix in one dictionary.
  EXPECT_EQ(section(dict({{"net", other}, {"net_ema", weights}})), "net_ema");
  EXPECT_EQ(section(dict({{"params", other}, {"params_ema", weights}})), "params_ema");
  EXPECT_EQ(section(dict({{"epoch", "K\1"}, {"generator", weights}})), "generator");
  EXPECT_EQ(section(dict({{"checkpoint", dict({{"model", weights}})}})), "checkpoint");
}

TEST(TorchCheckpoint, OfSeveralUnknownKeysNoneIsGuessed) {
  const std::string weights = dict({{"a", kPlain}});
  const std::string file =
      zip_checkpoint(dict({{"generator", weights}, {"discriminator", weights}}), kRecord);
  EXPECT_TRUE(contains(refused([&] { parse_torch_checkpoint(as_file(file), "f"); }),
                       "holds 2 state dicts, under \"generator\", \"discriminator\""));
}

TEST(TorchCheckpoint, APlainStateDictHasNoEmaToAskFor) {
  const auto parsed = [](const std::string& root, WeightSet wanted) {
    return parse_torch_checkpoint(as_file(zip_checkpoint(root, kRecord)), "f", wanted);
  };
  const std::string plain = dict({{"module.a", kPlain}});
  for (const WeightSet wanted : {WeightSet::kEma, WeightSet::kModel}) {
    EXPECT_TRUE(contains(refused([&] { parsed(plain, wanted); }),
                         "a plain state dict without EMA weights; omit --weights"));
  }
  EXPECT_EQ(parsed(plain, WeightSet::kBest).tensors.size(), 1U);
  const std::string both = dict({{"model.a", kPlain}, {"model_ema.a", kPlain}});
  EXPECT_EQ(parsed(both, WeightSet::kEma).tensors.size(), 2U) << "chosen by the prefix";
}

std::vector<BadFile> bad_checkpoints() {
  const std::string root = dict({{"model", dict({{"a", kPlain}})}});
  const auto with = [&](const testing::ZipSpec& entry) {
    return zip_checkpoint(root, {kRecord[0], entry});
  };
  const auto conflicting = dict({{"model", dict({{"a", kPlain}})},
                                 {"b", tensor(storage("FloatStorage", "0", 2), 0, {2}, {1})}});
  const auto other_type = dict({{"model", dict({{"a", kPlain}})},
                                {"b", tensor(storage("HalfStorage", "0", 4), 0, {2}, {1})}});
  const std::string module = testing::global("torch.nn", "Linear") + ")\x81}b";
  return {
      {"NotTorch", testing::zip_of({{.name = "x/y", .content = "z"}}), "no data.pkl"},
      {"PickleElsewhere", testing::zip_of({{.name = "x/y/data.pkl", .content = "z"}}),
       "no data.pkl"},
      {"TwoPickles", with({.name = "y/data.pkl", .content = "z"}), "a second data.pkl"},
      {"TwoFolders", with({.name = "y/z", .content = "z"}), "is not in \"x/\""},
      {"TorchScript", with({.name = "x/constants.pkl", .content = "z"}), "TorchScript"},
      {"TorchScriptCode", with({.name = "x/code/a.py", .content = "z"}), "TorchScript"},
      {"TorchScriptCompressed", with({.name = "x/code/a.py", .content = "z", .method = 8}),
       "TorchScript"},
      {"Compressed", with({.name = "x/data/1", .content = "z", .method = 8}), "is compressed"},
      {"BigEndian", with({.name = "x/byteorder", .content = "big"}), "byteorder \"big\""},
      {"VersionAhead", with({.name = "x/version", .content = "11\n"}), "version \"11\\x0a\""},
      {"VersionNoNumber", with({.name = "x/version", .content = "abc"}), "version \"abc\""},
      {"PickleDamaged", testing::zip_of({{.name = "x/data.pkl", .content = "z", .crc = 1}}),
       "is damaged"},
      {"BytesBehindThePickle",
       testing::zip_of({{.name = "x/data.pkl", .content = testing::kPickle + "}.x"}}),
       "bytes after the pickle"},
      {"PickleRunsOut",
       testing::zip_of({{.name = "x/data.pkl", .content = testing::kPickle + "X"}}), "truncated?"},
      {"NoDictionary", zip_checkpoint("N", {}), "is not a dictionary"},
      {"WholeModule", zip_checkpoint(module, {}), "is not a dictionary"},
      {"ModelIsAModule", zip_checkpoint(dict({{"model", module}}), {}),
       "not a dictionary of tensors"},
      {"NoWeights", zip_checkpoint(dict({{"epoch", "K\1"}}), {}), "contains \"epoch\""},
      {"ModelTwice", zip_checkpoint(dict({{"model", "}"}, {"model", "}"}}), kRecord),
       "key \"model\" occurs twice"},
      {"NameTwice",
       zip_checkpoint(dict({{"model", dict({{"a", kPlain}, {"a", kPlain}})}}), kRecord),
       "tensor \"a\" occurs twice"},
      {"NameNotPlain", zip_checkpoint(dict({{"model", dict({{"a\nb", kPlain}})}}), kRecord),
       "not plain text"},
      {"NameIsANumber", zip_checkpoint(dict({{"model", "}K\1" + kPlain + "s"}}), kRecord),
       "not plain text"},
      {"TwoSizesOfAStorage", zip_checkpoint(conflicting, kRecord), "is declared as"},
      {"TwoTypesOfAStorage", zip_checkpoint(other_type, kRecord), "is declared as"},
      {"NoMagic", testing::kPickle + "\x8a\x01\x05.", "torch.save did not write"},
      {"OtherProtocol", stream_checkpoint(root, {"0"}, kStored).replace(15 + 4, 2, "\1\1"),
       "unsupported stream protocol"},
      {"StreamBigEndian", stream_checkpoint(root, {"0"}, kStored, false), "big-endian"},
      {"KeyNotUsed", stream_checkpoint(root, {"0", "1"}, kStored), "used by no tensor"},
      {"KeyTwice", stream_checkpoint(root, {"0", "0"}, kStored + kStored), "occurs twice"},
      {"UnknownType",
       stream_checkpoint(dict({{"a", tensor(storage("OddStorage", "0", 4), 0, {1}, {1})}}), {"0"},
                         kStored),
       "type of unknown size"},
      {"OtherCount", stream_checkpoint(root, {"0"}, testing::bytes_of<uint64_t>(5) + kStored),
       "4 are declared"},
      {"StorageRunsOut", stream_checkpoint(root, {"0"}, kStored.substr(0, 20)), "truncated?"},
      {"StorageOverflows",
       stream_checkpoint(
           dict({{"a", tensor(storage("FloatStorage", "0", int64_t{1} << 62), 0, {1}, {1})}}),
           {"0"}, testing::bytes_of(int64_t{1} << 62)),
       "truncated?"},
      {"NoStorages", stream_checkpoint(root, {"0"}, ""), "truncated?"},
      {"BytesBehind", stream_checkpoint(root, {"0"}, kStored + "x"), "1 bytes after"},
  };
}

class CheckpointRefuses : public ::testing::TestWithParam<BadFile> {};

TEST_P(CheckpointRefuses, WithTheReason) {
  testing::expect_refused(
      GetParam(), [](const std::string& file) { parse_torch_checkpoint(as_file(file), "file"); });
}

INSTANTIATE_TEST_SUITE_P(TorchCheckpoint, CheckpointRefuses, ::testing::ValuesIn(bad_checkpoints()),
                         testing::bad_file_name);

TEST(TorchCheckpoint, EveryTruncationIsRefused) {
  for (const char* name : {"training.pth", "training-old.pth"}) {
    const std::string whole = testing::read_text(kData / name);
    ASSERT_NO_THROW(parse_torch_checkpoint(as_file(whole), "file"));
    for (size_t length = 0; length < whole.size(); length += 7) {
      refused([&] { parse_torch_checkpoint(as_file(whole.substr(0, length)), "file"); });
    }
  }
}

TEST(WeightFile, TellsFormatsByTheirFirstBytes) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "checkpoint-last.pth";
  testing::write_text(path, std::string(257, '\0') + "ustar" + std::string(300, '\0'));
  EXPECT_TRUE(contains(refused([&] { WeightFile file(path); }), "a tar archive"));
  for (const char* text : {"", "x", "# README\n", "hello, world", "\x80\x04K\x01."}) {
    testing::write_text(path, text);
    const std::string message = refused([&] { WeightFile file(path); });
    EXPECT_TRUE(contains(message, path.string() + ": byte 0: ")) << text;
    EXPECT_TRUE(contains(message, "not a checkpoint: neither safetensors nor")) << text;
  }
  // A truncated checkpoint counts as one.
  testing::write_text(path, std::string("\x40\0\0\0\0\0\0\0{\"a\"", 12));
  EXPECT_TRUE(contains(refused([&] { WeightFile file(path); }), "truncated?"));
}

}  // namespace
}  // namespace lazymar
