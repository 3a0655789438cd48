// The command lines of lazymar_verify and lazymar_convert.
#include <gtest/gtest.h>

#include "cli/commands.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;

TEST(VerifyOptions, NeedATrace) {
  const char* alone[] = {"lazymar_verify"};
  EXPECT_TRUE(contains(refused([&] { parse_verify_options(1, alone); }), "--trace"));
  const char* help[] = {"lazymar_verify", "--help"};
  EXPECT_TRUE(parse_verify_options(2, help).text);
}

TEST(ConvertOptions, AreReadOrRefused) {
  const auto parse = [](std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "lazymar_convert");
    return parse_convert_options(static_cast<int>(arguments.size()), arguments.data()).options;
  };
  const ConvertOptions plain = parse({"a.pth", "b.safetensors"});
  EXPECT_EQ(plain.input, "a.pth");
  EXPECT_EQ(plain.output, "b.safetensors");
  EXPECT_FALSE(plain.dtype.has_value());
  EXPECT_EQ(plain.weights, WeightSet::kBest);
  EXPECT_TRUE(plain.check_crc);
  const ConvertOptions all =
      parse({"a.pth", "b.safetensors", "--dtype", "bf16", "--weights", "model", "--no_crc"});
  EXPECT_EQ(all.dtype, ElementType::kBF16);
  EXPECT_EQ(all.weights, WeightSet::kModel);
  EXPECT_FALSE(all.check_crc);
  EXPECT_FALSE(all.int8);
  EXPECT_TRUE(parse({"a.pth", "b.safetensors", "--int8"}).int8);
  EXPECT_EQ(parse({"a.pth", "b.safetensors", "--int8", "--calibrate", "4"}).calibrate, 4);
  EXPECT_EQ(parse({"--list", "x"}).list, "x");
  for (const auto& [arguments, reason] :
       std::vector<std::pair<std::vector<const char*>, const char*>>{
           {{}, "either IN and OUT"},
           {{"a.pth"}, "either IN and OUT"},
           {{"a.pth", "--list", "x"}, "either IN and OUT"},
           {{"a", "b.pth"}, "does not end in .safetensors"},
           {{"a", "b.safetensors", "c"}, "unexpected argument"},
           {{"a", "b.safetensors", "--dtype", "fp8"}, "use keep, fp32, bf16 or fp16"},
           {{"a", "b.safetensors", "--calibrate", "4"}, "add --int8"},
           {{"a", "b.safetensors", "--weights", "x"}, "use ema or model"}}) {
    EXPECT_TRUE(testing::contains(testing::refused([&] { parse(arguments); }), reason));
  }
}

}  // namespace
}  // namespace lazymar
