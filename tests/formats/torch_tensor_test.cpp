// Tensors of a checkpoint that are refused, while the others can be read.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/torch/torch_checkpoint.h"
#include "support/bad_file.h"
#include "support/torch_files.h"

namespace lazymar {
namespace {

using testing::as_file;
using testing::BadFile;
using testing::contains;
using testing::dict;
using testing::storage;
using testing::tensor;
using testing::zip_checkpoint;

const std::string kFour = storage("FloatStorage", "0", 4);
const std::string kPlain = tensor(kFour, 0, {2, 2}, {2, 1});

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
      zip_checkpoint(root, {{.name = "x/data/0", .content = std::string(16, 'd')},
                            {.name = "x/data/1", .content = std::string(16, 'e')}});
  const WeightContent content = parse_torch_checkpoint(as_file(file), "file");
  EXPECT_TRUE(content.tensors.contains("good"));
  ASSERT_TRUE(content.unreadable.contains("bad"));
  EXPECT_TRUE(contains(content.unreadable.at("bad"), GetParam().reason));
  EXPECT_TRUE(contains(content.unreadable.at("bad"), "file: byte "));
}

INSTANTIATE_TEST_SUITE_P(TorchCheckpoint, TensorRefuses, ::testing::ValuesIn(bad_tensors()),
                         testing::bad_file_name);

}  // namespace
}  // namespace lazymar
