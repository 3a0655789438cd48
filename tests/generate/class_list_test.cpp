#include "generate/class_list.h"

#include <gtest/gtest.h>

#include <chrono>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;
using Classes = std::vector<int64_t>;

Classes classes(const std::string& text, const ClassNames& names = class_names({}, 1000)) {
  return class_numbers(parse_class_list(text), names);
}

std::string said(const std::string& text, const ClassNames& names = class_names({}, 1000)) {
  return refused([&] { classes(text, names); });
}

TEST(ClassList, NumbersAndRanges) {
  EXPECT_EQ(classes("207,360", {}), (Classes{207, 360}));
  EXPECT_EQ(classes("0-2, 7,9 - 10"), (Classes{0, 1, 2, 7, 9, 10}));
  EXPECT_FALSE(has_names(parse_class_list("5,7-8")));
  EXPECT_TRUE(has_names(parse_class_list("5,otter")));
  EXPECT_TRUE(contains(said("2-0"), "\"2-0\" is no range"));
  EXPECT_TRUE(contains(said("1,0-2"), "class 1 is there twice"));
  EXPECT_TRUE(contains(said("0-9999999999"), "is no range"));
}

TEST(ClassList, NamesOfImageNet) {
  EXPECT_EQ(classes("golden retriever,otter"), (Classes{207, 360}));
  EXPECT_EQ(classes("Golden_Retriever, german short-haired pointer"), (Classes{207, 210}));
  EXPECT_TRUE(contains(said("tench,0"), "class 0 is there twice"));
  EXPECT_EQ(classes("tench, Tinca tinca"), (Classes{0})) << "as messages print a class";
  EXPECT_EQ(classes("otter,tench,Tinca tinca,golden retriever"), (Classes{360, 0, 207}));
  EXPECT_TRUE(contains(said("tench,tench"), "class 0 is there twice"));
  EXPECT_TRUE(contains(said("tench,otter,Tinca tinca"), "class 0 is there twice"));
}

TEST(ClassList, AModelsOwnNamesComeFirst) {
  const ClassNames own = class_names({"star, asterisk", "heart", "T-shirt"}, 3);
  EXPECT_EQ(classes("t shirt,Star", own), (Classes{2, 0}));
  EXPECT_EQ(classes("asterisk,1", own), (Classes{0, 1}));
  EXPECT_TRUE(contains(said("haert", own), "did you mean heart?"));
  EXPECT_TRUE(contains(said("otter", own), "0 (star, asterisk), 1 (heart), 2 (T-shirt)"));
  EXPECT_EQ(class_names({}, 1000).size(), 1000U);
  EXPECT_TRUE(contains(said("star", class_names({}, 10)), "have no names; give numbers"));
  // A model of a thousand classes with names of its own does not have ImageNet's.
  std::vector<std::string> thousand(1000, "nothing");
  thousand[7] = "star";
  EXPECT_EQ(classes("star", class_names(thousand, 1000)), (Classes{7}));
  EXPECT_TRUE(contains(said("otter", class_names(thousand, 1000)), "is no class of this model"));
}

TEST(ClassList, WhatIsNotClearIsListed) {
  EXPECT_TRUE(contains(said("crane"), "2 classes; give a number: 134 (crane), 517 (crane)"));
  EXPECT_TRUE(contains(said("retriever"), "207 (golden retriever)"));
  EXPECT_TRUE(contains(said("retriever"), "208 (Labrador retriever)"));
  EXPECT_TRUE(contains(said("goldn retriever"), "did you mean golden retriever?"));
  EXPECT_TRUE(contains(said("xyzzy"), "use class numbers (0), ranges (0-9)"));
  EXPECT_TRUE(contains(said(""), "is no class"));
}

TEST(ClassList, LongListsTakeNoLookAtAllNamesForEachItem) {
  constexpr int64_t kCount = 20'000;
  std::vector<std::string> own;
  Classes backwards;
  std::string by_two_names;
  std::string one_class = "common";
  for (int64_t i = 0; i < kCount; ++i) {
    own.push_back(concat("common, first-", i, ", second ", i));
    const int64_t label = kCount - 1 - i;
    backwards.push_back(label);
    by_two_names += concat(i == 0 ? "" : ",", "common,First_", label, ",second ", label);
    one_class += concat(",name ", i);
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(classes(by_two_names, class_names(own, kCount)), backwards);
  EXPECT_EQ(classes(one_class, class_names({"other", one_class}, 2)), (Classes{1}));
  // A tenth of a second; with a look at all names for each item, minutes.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  EXPECT_TRUE(contains(said("common", class_names(own, kCount)), "the name of 20000 classes"));
}

TEST(ClassList, Files) {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "classes.txt";
  testing::write_text(path, "# dogs\ngolden retriever\n\n 0-1,5 # fish\r\n");
  EXPECT_EQ(classes(concat("@", path.string(), ",9")), (Classes{207, 0, 1, 5, 9}));
  testing::write_text(path, concat("@", path.string()));
  EXPECT_TRUE(contains(said(concat("@", path.string())), "in a circle"));
  EXPECT_TRUE(contains(said("@none.txt"), "@none.txt: no such file"));
  EXPECT_TRUE(contains(said(concat("@", folder.path().string())), ": a folder, not a list"));
  EXPECT_TRUE(contains(said("@/dev/null"), "@/dev/null: not a regular file"));
  testing::write_text(path,
                      "\xef\xbb\xbf"
                      "3\n4\n");
  EXPECT_EQ(classes(concat("@", path.string())), (Classes{3, 4}));
}

TEST(ClassList, LongListsAreShortInAFoldersName) {
  EXPECT_EQ(class_list_name({207, 360}), "207,360");
  EXPECT_EQ(class_list_name({}), "");
  const std::string name = class_list_name(classes("0-999"));
  EXPECT_TRUE(name.starts_with("1000-")) << name;
  EXPECT_LT(name.size(), 30U);
  EXPECT_NE(name, class_list_name(classes("0-998,1000")));
}

}  // namespace
}  // namespace lazymar
