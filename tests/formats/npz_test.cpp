#include "formats/npz.h"

#include <gtest/gtest.h>
#include <libdeflate.h>

#include <cstring>
#include <string>
#include <vector>

#include "support/bad_file.h"
#include "support/temporary_folder.h"
#include "support/torch_files.h"

namespace lazymar {
namespace {

using testing::as_file;
using testing::BadFile;
using testing::bytes_of;
using testing::contains;
using testing::expect_refused;
using testing::refused;
using testing::TemporaryFolder;
using testing::zip_of;

constexpr uint16_t kDeflate = 8;

/// An .npy with this dictionary, in numpy's layout.
std::string npy(const std::string& dictionary, const std::string& elements = "", char version = 1) {
  const std::string text = dictionary + "\n";
  const auto size = text.size();
  return std::string("\x93NUMPY") + version + '\0' +
         (version == 1 ? bytes_of(static_cast<uint16_t>(size))
                       : bytes_of(static_cast<uint32_t>(size))) +
         text + elements;
}

std::string dictionary(const std::string& type, const std::string& shape,
                       const std::string& order = "False") {
  return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::string deflated(const std::string& content) {
  libdeflate_compressor* const compressor = libdeflate_alloc_compressor(6);
  std::string packed(libdeflate_deflate_compress_bound(compressor, content.size()), '\0');
  packed.resize(libdeflate_deflate_compress(compressor, content.data(), content.size(),
                                            packed.data(), packed.size()));
  libdeflate_free_compressor(compressor);
  return packed;
}

testing::ZipSpec deflated_entry(const std::string& name, const std::string& content) {
  return {.name = name,
          .content = deflated(content),
          .method = kDeflate,
          .crc = libdeflate_crc32(0, content.data(), content.size()),
          .original = static_cast<uint32_t>(content.size())};
}

std::vector<double> values_of(const std::string& file) {
  return to_doubles(parse_npy(as_file(file), "file"), "array");
}

TEST(Npy, IsReadInItsOwnTypeAndOrder) {
  const std::string rows = npy(dictionary("<f4", "(2, 3)"), floats({1, 2, 3, 4, 5, 6}));
  const NpyArray array = parse_npy(as_file(rows), "file");
  EXPECT_EQ(array.type, ElementType::kF32);
  EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_FALSE(array.column_major);
  EXPECT_EQ(to_doubles(array, "array"), (std::vector<double>{1, 2, 3, 4, 5, 6}));
  const std::string columns = npy(dictionary("<f4", "(2, 3)", "True"), floats({1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(values_of(columns), (std::vector<double>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(values_of(npy(dictionary("<f4", "()"), floats({7}), 2)), std::vector<double>{7});
  EXPECT_EQ(values_of(npy(dictionary("|u1", "(2,)"), "\x01\xff", 3)),
            (std::vector<double>{1, 255}));
  EXPECT_EQ(values_of(npy(dictionary("<i8", "(1,)"), bytes_of<int64_t>(-5))),
            std::vector<double>{-5});
  EXPECT_TRUE(values_of(npy(dictionary("<f8", "(0, 4)"))).empty());
  EXPECT_TRUE(contains(refused([] { values_of(npy(dictionary("<f2", "(1,)"), "xx")); }), "F16"));
}

std::vector<BadFile> bad_arrays() {
  const std::string good = npy(dictionary("<f4", "(2,)"), floats({1, 2}));
  return {
      {"Empty", "", "truncated?"},
      {"NoMagic", std::string(80, 'x'), "not an .npy array"},
      {"Version", npy(dictionary("<f4", "()"), floats({1}), 4), "format version 4"},
      {"LongHeader", npy(std::string(20000, ' ')), "header of 20001 bytes"},
      {"HeaderRunsOut", good.substr(0, 20), "truncated?"},
      {"NoDictionary", npy("nothing"), "'{' expected"},
      {"TextBehind", npy(dictionary("<f4", "()") + "x", floats({1})), "text after"},
      {"KeyMissing", npy("{'descr': '<f4', 'shape': (), }"), "is missing"},
      {"KeyTwice", npy("{'descr': '<f4', 'descr': '<f4'}"), "occurs twice"},
      {"KeyUnknown", npy("{'color': 'red'}"), "\"color\" is unknown"},
      {"BigEndian", npy(dictionary(">f4", "()"), floats({1})), "\">f4\" is not supported"},
      {"Objects", npy(dictionary("|O", "()")), "\"|O\" is not supported"},
      {"Records", npy("{'descr': [('a', '<f4')], }"), "structured arrays"},
      {"OpenString", npy("{'descr"), "quoted string"},
      {"NoBool", npy(dictionary("<f4", "()", "yes")), "neither True nor False"},
      {"NegativeSize", npy(dictionary("<f4", "(-1,)")), "is not a number"},
      {"HugeSize", npy(dictionary("<f4", "(99999999999999999999,)")), "is not a number"},
      {"OverflowingShape", npy(dictionary("<f8", "(1000000000000, 1000000000000, 1000000000000)")),
       "overflows"},
      {"EmptyAndOverflowing", npy(dictionary("<i8", "(905048400, 400000000, 400, 800080, 0)")),
       "overflows"},
      {"ManyDimensions", npy(dictionary("<f4", "(1, 1, 1, 1, 1, 1, 1, 1, 1)")), "dimensions"},
      {"TooFewBytes", good.substr(0, good.size() - 1), "7 are present: truncated?"},
      {"TooManyBytes", good + "x", "has 8 bytes, but 9 are present"},
  };
}

class BadNpy : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadNpy, IsRefused) {
  expect_refused(GetParam(), [](const std::string& file) { parse_npy(as_file(file), "file"); });
}

INSTANTIATE_TEST_SUITE_P(Files, BadNpy, ::testing::ValuesIn(bad_arrays()), testing::bad_file_name);

TEST(Npz, StoredAndDeflatedArraysAreRead) {
  const std::string one = npy(dictionary("<f4", "(2,)"), floats({1, 2}));
  const std::string many = npy(dictionary("<f4", "(1000,)"), floats(std::vector<float>(1000, 3)));
  const std::string file =
      zip_of({{.name = "one.npy", .content = one}, deflated_entry("many.npy", many)});
  const NpzArchive archive(as_file(file), "file");
  EXPECT_EQ(archive.names(), (std::vector<std::string>{"many", "one"}));
  EXPECT_TRUE(archive.has("many") && !archive.has("many.npy"));
  EXPECT_EQ(to_doubles(archive.array("one"), "one"), (std::vector<double>{1, 2}));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(to_doubles(archive.array("many"), "many"), std::vector<double>(1000, 3));
  }
  const std::string message = refused([&] { archive.array("none"); });
  EXPECT_TRUE(contains(message, "file: no array \"none\"; found many, one"));
}

TEST(Npz, DamageIsFound) {
  const std::string good = npy(dictionary("<f4", "(100,)"), floats(std::vector<float>(100, 3)));
  const auto message = [](const testing::ZipSpec& entry) {
    const std::string file = zip_of({entry});
    return refused([&] { NpzArchive(as_file(file), "file").array("a"); });
  };
  testing::ZipSpec entry = deflated_entry("a.npy", good);
  entry.crc = *entry.crc ^ 1;
  EXPECT_TRUE(contains(message(entry), "CRC-32 mismatch"));
  entry = deflated_entry("a.npy", good);
  entry.original = *entry.original - 1;
  EXPECT_TRUE(contains(message(entry), "cannot be inflated"));
  entry = deflated_entry("a.npy", good);
  entry.original = 1U << 30;  // so few bytes cannot inflate to that size
  EXPECT_TRUE(contains(message(entry), "cannot be inflated"));
  entry.original = 0xf0000000;
  EXPECT_TRUE(contains(message(entry), "the limit"));
  entry = {.name = "a.npy", .content = good, .crc = 1};
  EXPECT_TRUE(contains(message(entry), "CRC-32 mismatch"));
  entry = {.name = "a.npy", .content = good, .method = 12};
  EXPECT_TRUE(contains(message(entry), "method 12"));
  const std::string twice =
      zip_of({{.name = "a.npy", .content = good}, {.name = "a", .content = good}});
  EXPECT_TRUE(contains(refused([&] { NpzArchive(as_file(twice), "file"); }), "occurs twice"));
}

/// Two arrays as NpzWriter writes them.
std::string written() {
  std::string file;
  NpzWriter npz([&](std::span<const std::byte> bytes) {
    file.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  const std::string pixels = "abcdefghijkl";
  npz.begin("arr_0", ElementType::kU8, {2, 1, 2, 3});
  npz.write(as_file(pixels.substr(0, 6)));
  npz.write(as_file(pixels.substr(6)));
  npz.begin("labels", ElementType::kI64, {1});
  npz.write(as_file(bytes_of<int64_t>(42)));
  npz.finish();
  return file;
}

TEST(NpzWriter, WritesWhatIsReadBack) {
  const std::string file = written();
  EXPECT_EQ(file, written());
  const NpzArchive archive(as_file(file), "file");
  const NpyArray images = archive.array("arr_0");
  EXPECT_EQ(images.type, ElementType::kU8);
  EXPECT_EQ(images.shape, (std::vector<int64_t>{2, 1, 2, 3}));
  EXPECT_EQ(std::memcmp(images.bytes.data(), "abcdefghijkl", 12), 0);
  EXPECT_EQ(to_doubles(archive.array("labels"), "labels"), std::vector<double>{42});
  // As numpy.save does, so that elements are aligned within the .npy.
  const auto start = file.find("\x93NUMPY");
  EXPECT_EQ((file.find("abcdef") - start) % 64, 0U);
}

TEST(NpzWriter, CountsTheElements) {
  NpzWriter npz([](std::span<const std::byte>) {});
  npz.begin("a", ElementType::kU8, {2});
  refused([&] { npz.write(as_file("abc")); }, ErrorKind::kInternal);
  npz.write(as_file("a"));
  EXPECT_TRUE(contains(refused([&] { npz.finish(); }, ErrorKind::kInternal), "1 bytes of array a"));
  refused([&] { npz.begin("b", ElementType::kU8, {2}); }, ErrorKind::kInternal);
  refused([&] { NpzWriter(npz).begin("c", ElementType::kBF16, {1}); }, ErrorKind::kInternal);
}

TEST(NpzWriter, GoesPastFourGigabytes) {
  // The pieces are checked and dropped: the directory must contain the large sizes.
  std::string tail;
  uint64_t size = 0;
  NpzWriter npz([&](std::span<const std::byte> bytes) {
    size += bytes.size();
    if (bytes.size() < 1000) {
      tail.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
  });
  const std::vector<std::byte> piece(1 << 20);
  npz.begin("arr_0", ElementType::kU8, {4097, 1 << 20});
  for (int i = 0; i < 4097; ++i) {
    npz.write(piece);
  }
  npz.begin("far", ElementType::kU8, {1});
  npz.write(std::span(piece).first(1));
  npz.finish();
  const uint64_t content = (uint64_t{4097} << 20) + 128;
  const std::string sizes = bytes_of(content) + bytes_of(content);
  EXPECT_TRUE(contains(tail, bytes_of<uint16_t>(1) + bytes_of<uint16_t>(16) + sizes));
  const size_t locator = tail.find("PK\6\7");
  ASSERT_NE(locator, std::string::npos);
  uint64_t end64 = 0;
  std::memcpy(&end64, tail.data() + locator + 8, sizeof end64);
  EXPECT_EQ(end64, size - 22 - 20 - 56);
  EXPECT_EQ(tail.substr(tail.size() - 22 - 20 - 56, 4), "PK\6\6");
}

TEST(NpzFile, IsMapped) {
  const TemporaryFolder folder;
  testing::write_text(folder.path() / "a.npz", written());
  const NpzFile file(folder.path() / "a.npz");
  EXPECT_EQ(file.arrays().names().size(), 2U);
  EXPECT_TRUE(contains(refused([&] { NpzFile(folder.path() / "none.npz"); }), "cannot open"));
}

}  // namespace
}  // namespace lazymar
