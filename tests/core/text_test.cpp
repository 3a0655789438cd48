#include "core/text.h"

#include <gtest/gtest.h>

#include "core/option_field.h"

namespace lazymar {
namespace {

TEST(Text, ControlCharactersAreMadeVisible) {
  EXPECT_EQ(visible("a\x1b[31mb\x7f\r\n"), "a\\x1b[31mb\\x7f\\x0d\\x0a");
  EXPECT_EQ(visible("\xc2\x9b and \xe2\x80\xae"), "\\x9b and \\u202e");
  EXPECT_EQ(visible("\xff\xfe \xc3"), "\\xff\\xfe \\xc3") << "no UTF-8";
  EXPECT_EQ(visible("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb6"),
            "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb6")
      << "control";
  EXPECT_EQ(visible("a\nb\t", /*keep_lines=*/true), "a\nb\\x09");
  EXPECT_EQ(visible("\xc2\x9b"), "\\x9b");  // CSI as one character
  EXPECT_EQ(visible("caf\xc3\xa9 \xe7\x8c\xab"), "caf\xc3\xa9 \xe7\x8c\xab");
}

TEST(Text, TheNearestWordIsOneThatIsNear) {
  const std::vector<std::string> words{"demo", "mar_base", "mar_huge"};
  EXPECT_EQ(nearest_word("Demo", words), "demo");
  EXPECT_EQ(nearest_word("mar_hueg", words), "mar_huge");
  EXPECT_EQ(nearest_word("stable_diffusion", words), "");
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(use_one_of("bf61", {"bf16", "fp16", "fp32"}),
            "did you mean bf16? use bf16, fp16 or fp32");
  EXPECT_EQ(use_one_of("quick", {"bf16", "fp32"}), "use bf16 or fp32");
  EXPECT_EQ(did_you_mean("Demo", words), "did you mean demo? ");
  EXPECT_EQ(did_you_mean("Demo", words, "; did you mean --", "?"), "; did you mean --demo?");
  EXPECT_EQ(did_you_mean("stable_diffusion", words, "; did you mean --", "?"), "");
}

TEST(Text, BytesInGibibytes) {
  EXPECT_EQ(gib_text(0), "0.0 GiB");
  EXPECT_EQ(gib_text(1.625 * (1 << 30)), "1.6 GiB");
  EXPECT_EQ(gib_text(100.0 * (1 << 30)), "100.0 GiB");
}

}  // namespace
}  // namespace lazymar
