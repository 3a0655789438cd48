#include "formats/safetensors.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <string>
#include <vector>

#include "support/bad_file.h"
#include "support/temporary_folder.h"
#include "weights/weight_file.h"

namespace lazymar {
namespace {

using testing::BadFile;
using testing::contains;
using testing::refused;
using testing::TemporaryFolder;

/// A file of this header and that many bytes of data.
std::string file_of(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + std::string(data_bytes, '\1');
}

WeightContent parse(const std::string& file) {
  return parse_safetensors(std::as_bytes(std::span(file.data(), file.size())), "file");
}

TEST(Safetensors, ReadsBackWhatItWrites) {
  const std::vector<float> values{1.5F, -2.0F, 0.0F, 3.25F, 1e-9F, 7.0F};
  const std::vector<int64_t> numbers{1, -1};
  WeightContent content;
  content.metadata["config"] = R"({"heads": 4})";
  content.tensors["b.weight"] = {ElementType::kF32, {2, 3}, std::as_bytes(std::span(values))};
  content.tensors["a"] = {ElementType::kI64, {2}, std::as_bytes(std::span(numbers))};
  content.tensors["empty"] = {ElementType::kF16, {0, 4}, {}};
  content.tensors["scalar"] = {ElementType::kF32, {}, std::as_bytes(std::span(values)).first(4)};

  const TemporaryFolder folder;
  const auto path = folder.path() / "x.safetensors";
  write_safetensors(path, content);
  const WeightFile file(path);

  EXPECT_EQ(file.metadata(), content.metadata);
  ASSERT_EQ(file.tensors().size(), content.tensors.size());
  for (const auto& [name, expected] : content.tensors) {
    const TensorView& view = file.tensors().at(name);
    EXPECT_EQ(view.type, expected.type) << name;
    EXPECT_EQ(view.shape, expected.shape) << name;
    EXPECT_TRUE(std::equal(view.bytes.begin(), view.bytes.end(), expected.bytes.begin(),
                           expected.bytes.end()))
        << name;
  }
}

TEST(Safetensors, AcceptsWhatTheFormatAllows) {
  EXPECT_TRUE(parse(file_of("{}", 0)).tensors.empty());
  EXPECT_EQ(parse(file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}   )", 2))
                .tensors.at("a")
                .bytes.size(),
            2U);
  // Unknown fields of an entry, and entries out of order.
  const auto content =
      parse(file_of(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3],"note":1},)"
                    R"("a":{"dtype":"BF16","shape":[1,1],"data_offsets":[0,2]}})",
                    3));
  EXPECT_EQ(content.tensors.size(), 2U);
}

std::vector<BadFile> bad_files() {
  const std::string huge_length = std::string("\xff\xff\xff\xff\xff\xff\xff\x7f", 8) + "{}";
  std::string past_the_end = file_of("{}", 0);
  past_the_end[0] = 100;
  const auto tensor = [](const std::string& body) { return R"({"a":{)" + body + "}}"; };
  const std::string nested = std::string(100000, '[');
  return {
      {"Empty", "", "only 0 bytes"},
      {"SevenBytes", "1234567", "only 7 bytes"},
      {"HeaderOverLimit", huge_length, "the limit is"},
      {"HeaderPastTheEnd", past_the_end, "runs past the end"},
      {"NotJson", file_of("{\"a\":", 0), "header"},
      {"NotUtf8", file_of("{\"\xff\":1}", 0), "header"},
      {"NulPadding", file_of(std::string("{}\0", 3), 0), "header"},
      {"NumberOverflow", file_of("{\"a\":1e999}", 0), "number overflow"},
      {"NewlineInName", file_of("{\"a\\nb\":1}", 0), "tensor \"a\\x0ab\" has no dtype"},
      {"NotAnObject", file_of("[]", 0), "not a JSON object"},
      {"Deep", file_of("{\"a\":" + nested, 0), "nested deeper"},
      {"DuplicateName",
       file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
               R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
               1),
       "duplicate key"},
      {"DuplicateField",
       file_of(tensor(R"("dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1])"), 1),
       "duplicate key"},
      {"MetadataNotStrings", file_of(R"({"__metadata__":{"a":1}})", 0), "is not a string"},
      {"MetadataNotAnObject", file_of(R"({"__metadata__":"a"})", 0), "not an object"},
      {"EntryNotAnObject", file_of(R"({"a":1})", 0), "has no dtype"},
      {"NoShape", file_of(tensor(R"("dtype":"U8","data_offsets":[0,1])"), 1), "has no dtype"},
      {"UnknownType", file_of(tensor(R"("dtype":"F4","shape":[2],"data_offsets":[0,1])"), 1),
       "unknown dtype \"F4\""},
      {"TypeNotAString", file_of(tensor(R"("dtype":7,"shape":[1],"data_offsets":[0,1])"), 1),
       "unknown dtype \"7\""},
      {"NegativeSize", file_of(tensor(R"("dtype":"U8","shape":[-1],"data_offsets":[0,1])"), 1),
       "invalid size"},
      {"FractionalSize", file_of(tensor(R"("dtype":"U8","shape":[1.5],"data_offsets":[0,1])"), 1),
       "invalid size"},
      {"HugeSize",
       file_of(tensor(R"("dtype":"U8","shape":[0,9223372036854775807],"data_offsets":[0,0])"), 0),
       "invalid size"},
      {"ProductOverflow",
       file_of(tensor(R"("dtype":"F64","shape":[1099511627776,1099511627776],)"
                      R"("data_offsets":[0,1])"),
               1),
       "overflows"},
      {"EmptyAndOverflowing",
       file_of(tensor(R"("dtype":"F64","shape":[0,1099511627776,1099511627776],)"
                      R"("data_offsets":[0,0])"),
               0),
       "overflows"},
      {"NineDimensions",
       file_of(tensor(R"("dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1])"), 1),
       "at most 8"},
      {"OffsetsNotAPair", file_of(tensor(R"("dtype":"U8","shape":[1],"data_offsets":[0])"), 1),
       "not a pair"},
      {"OffsetPastTheEnd", file_of(tensor(R"("dtype":"U8","shape":[9],"data_offsets":[0,9])"), 8),
       "outside the file"},
      {"OffsetsReversed", file_of(tensor(R"("dtype":"U8","shape":[1],"data_offsets":[1,0])"), 1),
       "outside the file"},
      {"NegativeOffset", file_of(tensor(R"("dtype":"U8","shape":[1],"data_offsets":[-1,0])"), 1),
       "outside the file"},
      {"ShapeDisagrees", file_of(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), 4),
       "its shape needs 8"},
      {"Overlap",
       file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
               R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
               3),
       "overlap"},
      {"Hole",
       file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
               R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
               3),
       "gap"},
      {"TrailingBytes", file_of(tensor(R"("dtype":"U8","shape":[1],"data_offsets":[0,1])"), 3),
       "2 bytes after"},
  };
}

class SafetensorsRefuses : public ::testing::TestWithParam<BadFile> {};

TEST_P(SafetensorsRefuses, WithTheReason) {
  testing::expect_refused(GetParam(), [](const std::string& file) { parse(file); });
}

INSTANTIATE_TEST_SUITE_P(Safetensors, SafetensorsRefuses, ::testing::ValuesIn(bad_files()),
                         testing::bad_file_name);

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string whole =
      file_of(R"({"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})", 16);
  ASSERT_NO_THROW(parse(whole));
  for (size_t length = 0; length < whole.size(); ++length) {
    refused([&] { parse(whole.substr(0, length)); });
  }
}

TEST(Safetensors, ManyTensorsTakeNoLongTime) {
  // Half a million: a parser that searches them all for each one would take hours.
  std::string header = "{";
  for (int i = 0; i < 500'000; ++i) {
    header += (i > 0 ? ",\"" : "\"") + std::to_string(i) +
              R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  EXPECT_EQ(parse(file_of(header + "}", 0)).tensors.size(), 500'000U);
}

TEST(Safetensors, APipeIsRefusedWithoutWaiting) {
  const TemporaryFolder folder;
  ASSERT_EQ(mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(contains(refused([&] { WeightFile(folder.path() / "pipe"); }), "not a regular file"));
}

TEST(Safetensors, MissingFileAndFolderAreRefused) {
  const TemporaryFolder folder;
  EXPECT_TRUE(contains(refused([&] { WeightFile(folder.path() / "none"); }), "cannot open"));
  EXPECT_TRUE(contains(refused([&] { WeightFile(folder.path()); }), "not a regular file"));
}

}  // namespace
}  // namespace lazymar
