#include "cli/arguments.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;

const std::vector<OptionInfo>& options() {
  static const std::vector<OptionInfo> infos{{.name = "classes", .value = "LIST"},
                                             {.name = "lazy_mar"}};
  return infos;
}

Arguments parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "lazymar_eval");
  return {options(), static_cast<int>(words.size()), words.data()};
}

TEST(Arguments, ReadValuesSwitchesAndOperands) {
  const Arguments arguments = parsed({"--classes", "-1", "run", "--lazy-mar", "--", "--classes"});
  EXPECT_EQ(arguments.text("classes"), "-1");
  EXPECT_TRUE(arguments.given("lazy_mar"));
  EXPECT_EQ(arguments.operands(), (std::vector<std::string>{"run", "--classes"}));
  EXPECT_EQ(parsed({"--classes=1", "--classes=2=3"}).text("classes"), "2=3") << "the last one wins";
  EXPECT_FALSE(parsed({}).given("lazy_mar")) << "control";
}

// A parser that splits words with std::regex overflows the stack here.
TEST(Arguments, ValuesMayBeLong) {
  const std::string value(1 << 20, '1');
  const std::string word = "--classes=" + value;
  EXPECT_EQ(parsed({word.c_str()}).text("classes"), value);
  EXPECT_EQ(parsed({"--classes", value.c_str()}).text("classes"), value);
}

TEST(Arguments, RefuseWhatIsIncomplete) {
  EXPECT_TRUE(contains(refused([] { parsed({"--classes"}); }), "needs a value"));
  EXPECT_TRUE(contains(refused([] { parsed({"--lazy_mar=1"}); }), "takes no value"));
  EXPECT_TRUE(contains(refused([] { parsed({"-x"}); }), "unexpected argument"));
  EXPECT_TRUE(contains(refused([] { parsed({"--clases", "1"}); }), "did you mean --classes"));
}

}  // namespace
}  // namespace lazymar
