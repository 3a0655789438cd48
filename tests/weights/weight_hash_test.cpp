#include "weights/weight_hash.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "formats/safetensors.h"
#include "support/bad_file.h"
#include "support/temporary_folder.h"
#include "weights/weight_file.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;
using testing::as_file;
using Tensors = std::map<std::string, TensorView>;

const fs::path kData = fs::path(LAZYMAR_SOURCE_DIR) / "tests/data/checkpoints";
const std::string kEight = "01234567";

std::string hash_of(const Tensors& tensors) {
  WeightHasher hasher({tensors, nullptr});
  while (hasher.step()) {
  }
  return hasher.digest();
}

Tensors two() {
  return {{"b", {ElementType::kF32, {2, 1}, as_file(kEight)}},
          {"a.weight", {ElementType::kF16, {0, 3}, {}}}};
}

std::string hash_of_file(const fs::path& path) {
  const WeightFile file(path);
  return hash_of(file.tensors());
}

TEST(WeightHash, IsWhatItsDescriptionSays) {
  // Python: sha256(pack("<Q", 8) + b"a.weight" + b"F16" + pack("<QQQ", 2, 0, 3) +
  //                pack("<Q", 1) + b"b" + b"F32" + pack("<QQQ", 2, 2, 1) + b"01234567")
  EXPECT_EQ(hash_of(two()), "f105e3a3892d5a5986483a71a2dacae0363db6cc30417072a152c2e7eb6c9abe");
}

TEST(WeightHash, ChangesWithNameTypeShapeAndBytes) {
  const std::string hash = hash_of(two());
  const std::string other = "01234568";
  const std::vector<std::pair<const char*, TensorView>> changed{
      {"c", {ElementType::kF32, {2, 1}, as_file(kEight)}},
      {"b", {ElementType::kI32, {2, 1}, as_file(kEight)}},
      {"b", {ElementType::kF32, {1, 2}, as_file(kEight)}},
      {"b", {ElementType::kF32, {2}, as_file(kEight)}},
      {"b", {ElementType::kF32, {2, 1}, as_file(other)}}};
  for (const auto& [name, view] : changed) {
    Tensors tensors = two();
    tensors.erase("b");
    EXPECT_NE(hash_of(tensors), hash);
    tensors[name] = view;
    EXPECT_NE(hash_of(tensors), hash) << name << shape_string(view.shape);
  }
}

TEST(WeightHash, DoesNotDependOnTheFileFormat) {
  const testing::TemporaryFolder folder;
  const WeightFile file(kData / "training.pth");
  write_safetensors(folder.path() / "x", {file.tensors(), {}, {}, "", {}, "", {}});
  const std::string hash = hash_of_file(kData / "training.pth");
  EXPECT_EQ(hash_of_file(kData / "training-old.pth"), hash);
  EXPECT_EQ(hash_of_file(folder.path() / "x"), hash);
  EXPECT_NE(hash_of_file(kData / "vae.ckpt"), hash);
}

TEST(WeightHash, TakesElementsInRowMajorOrderWhateverTheStrides) {
  const auto expected = nlohmann::json::parse(testing::read_text(kData / "variety.expected.json"));
  const WeightFile file(kData / "variety.pth");
  for (const auto& [name, entry] : expected.items()) {
    const TensorView& view = file.tensors().at(name);
    const auto hex = entry["hex"].get<std::string>();
    std::string dense;
    for (size_t i = 0; i < hex.size(); i += 2) {
      dense += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    EXPECT_EQ(hash_of({{name, view}}), hash_of({{name, {view.type, view.shape, as_file(dense)}}}))
        << name;
  }
}

TEST(WeightHash, LargeTensorsAreHashedPieceByPiece) {
  const std::string many(size_t{3} << 20U, 'x');
  const auto size = static_cast<int64_t>(many.size());
  const std::string row_by_row = hash_of({{"a", {ElementType::kU8, {size / 2, 2}, as_file(many)}}});
  TensorView strided{ElementType::kU8, {size / 2, 2}, as_file(many), {1, size / 2}};
  EXPECT_EQ(hash_of({{"a", strided}}), row_by_row);
  strided.bytes = strided.bytes.first(strided.bytes.size() - 1);
  strided.shape[0] -= 1;
  EXPECT_NE(hash_of({{"a", strided}}), row_by_row);
}

TEST(WeightHash, InTheBackgroundItIsTheSame) {
  const WeightFile file(kData / "training.pth");
  WeightHash hash(WeightsInUse{file.tensors(), file.owner()});
  EXPECT_EQ(hash.get(), hash_of(file.tensors()));
  EXPECT_TRUE(hash.ready());
  EXPECT_EQ(hash.get(), hash_of(file.tensors()));
}

TEST(WeightHash, IsReadyWithoutAskingInTheEnd) {
  WeightHash hash(WeightsInUse{two(), nullptr});
  const auto begin = std::chrono::steady_clock::now();
  while (!hash.ready() && std::chrono::steady_clock::now() - begin < std::chrono::minutes(1)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(hash.ready());
}

TEST(WeightHash, StopsWhenItIsDropped) {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.path() / "sparse";
  testing::write_text(path, "");
  constexpr int64_t kSize = int64_t{1} << 40;  // hours of work
  fs::resize_file(path, kSize);
  const auto begin = std::chrono::steady_clock::now();
  {
    const auto mapping = std::make_shared<const MappedFile>(path);
    const WeightHash hash(
        WeightsInUse{{{"a", {ElementType::kU8, {kSize}, mapping->bytes()}}}, mapping});
    EXPECT_FALSE(hash.ready());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::minutes(1));
}

TEST(WeightHash, AStatementStandsForWeightsOutOfNoFile) {
  WeightHash hash("random weights (seed 1)");
  EXPECT_TRUE(hash.ready());
  EXPECT_EQ(hash.get(), "random weights (seed 1)");
}

}  // namespace
}  // namespace lazymar
