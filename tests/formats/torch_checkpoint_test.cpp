#include "formats/torch_checkpoint.h"

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
      static_cast<size_t>(good.find("loss.logvar")->bytes.data() - good.mapping()->bytes().data());
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
      {"BigEndian", with({.name = "x/byteorder", .content = "big"}), "byteorder \"big\""},
      {"VersionAhead", with({.name = "x/version", .content = "11\n"}), "version \"11?\""},
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

/// Tensors that are refused once requested; the field `file` is the tensor's pickle.
std::vector<BadFile> bad_tensors() {
  constexpr int64_t kHuge = int64_t{1} << 40;
  const auto half = [](const std::string& name, const std::string& arguments) {
    return testing::global("torch._utils", name) + "(" + arguments + "tR";
  };
  const std::string empty = ")";
  return {
      {"AString", testing::text_of("x"), "not a plain tensor"},
      {"AnotherCall", testing::global("os", "system") + testing::tuple({kFour}) + "R",
       "not a plain tensor"},
      {"Sparse", half("_rebuild_sparse_tensor", kFour), "not a plain tensor"},
      {"Quantized", half("_rebuild_qtensor", kFour), "not a plain tensor"},
      {"FewArguments", half("_rebuild_tensor_v2", kFour), "without storage"},
      {"WithState", kPlain + "}b", "not a plain tensor"},
      {"Negated", tensor(kFour, 0, {4}, {1}, dict({{"neg", "\x88"}})), "negates"},
      {"StorageIsNone", tensor("N", 0, {4}, {1}), "without a valid storage"},
      {"StorageIsShort", tensor(testing::tuple({testing::text_of("storage")}) + "Q", 0, {4}, {1}),
       "without a valid storage"},
      {"TypeNotRead", tensor(storage("ComplexFloatStorage", "9", 2), 0, {2}, {1}),
       "unsupported kind of storage"},
      {"NoRecord", tensor(storage("FloatStorage", "9", 4), 0, {4}, {1}), "is not in the file"},
      {"RecordTooShort", tensor(storage("FloatStorage", "1", 5), 0, {4}, {1}), "has 16 bytes"},
      {"RecordTooLong", tensor(storage("FloatStorage", "1", 3), 0, {3}, {1}), "has 16 bytes"},
      {"RecordOverflows", tensor(storage("FloatStorage", "1", (int64_t{1} << 62) + 4), 0, {3}, {1}),
       "has 16 bytes"},
      {"NegativeCount", tensor(storage("FloatStorage", "1", -1), 0, {3}, {1}),
       "without a valid storage"},
      {"ShapeTooLarge", tensor(kFour, 0, {5}, {1}), "reaches out"},
      {"NegativeOffset", tensor(kFour, -1, {4}, {1}), "offset is not a number"},
      {"OffsetPastTheEnd", tensor(kFour, 5, {0}, {1}), "reaches out"},
      {"OffsetAndShape", tensor(kFour, 2, {3}, {1}), "reaches out"},
      {"NegativeSize", tensor(kFour, 0, {-4}, {1}), "shape is not a number"},
      {"NegativeStride", tensor(kFour, 3, {4}, {-1}), "strides is not a number"},
      {"StridesReachOut", tensor(kFour, 0, {2, 2}, {3, 1}), "reaches out"},
      {"StridesOverflow", tensor(kFour, 0, {kHuge, kHuge}, {kHuge, kHuge}), "reaches out"},
      {"CountOverflows", tensor(kFour, 0, {kHuge, kHuge}, {0, 0}), "reaches out"},
      {"EmptyAndHuge", tensor(kFour, 0, {kHuge, kHuge, 0}, {0, 0, 0}), "reaches out"},
      {"EmptyAndHugeInBytes", tensor(kFour, 0, {kHuge, kHuge >> 18U, 0}, {0, 0, 0}), "reaches out"},
      {"HugeSize", tensor(kFour, 0, {2 * kHuge}, {1}), "out of bounds"},
      {"Expanded", tensor(kFour, 0, {1000, 4}, {0, 1}), "repeats elements"},
      {"StridesMissing", tensor(kFour, 0, {2, 2}, {1}), "2 sizes and 1 strides"},
      {"NineDimensions", tensor(kFour, 0, std::vector<int64_t>(9, 1), std::vector<int64_t>(9, 1)),
       "at most 8"},
      {"SizeIsText",
       half("_rebuild_tensor_v2",
            kFour + std::string("K\0", 2) + testing::tuple({testing::text_of("4")}) + empty),
       "not a number"},
  };
}

class TensorRefuses : public ::testing::TestWithParam<BadFile> {};

TEST_P(TensorRefuses, OnlyWhenWanted) {
  const std::string root = dict({{"model", dict({{"good", kPlain}, {"bad", GetParam().file}})}});
  const std::string file =
      zip_checkpoint(root, {kRecord[0], {.name = "x/data/1", .content = std::string(16, 'e')}});
  const WeightContent content = parse_torch_checkpoint(as_file(file), "file");
  EXPECT_TRUE(content.tensors.contains("good"));
  ASSERT_TRUE(content.unreadable.contains("bad"));
  EXPECT_TRUE(contains(content.unreadable.at("bad"), GetParam().reason));
  EXPECT_TRUE(contains(content.unreadable.at("bad"), "file: byte "));
}

INSTANTIATE_TEST_SUITE_P(TorchCheckpoint, TensorRefuses, ::testing::ValuesIn(bad_tensors()),
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
