#include "formats/torch/pickle.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/bad_file.h"
#include "support/torch_files.h"

namespace lazymar {
namespace {

using testing::as_file;
using testing::BadFile;
using testing::bytes_of;
using testing::kPickle;

Pickle read(const std::string& body) {
  return read_pickle(as_file(kPickle + body), "file");
}

const PickleNode& root(const Pickle& pickle) {
  return pickle[pickle.root];
}

TEST(Pickle, ReadsValues) {
  struct Case {
    std::string body;
    PickleKind kind;
    int64_t integer;
    std::string text;
  };
  const std::vector<Case> cases{
      {"N", PickleKind::kNone, 0, ""},
      {"\x88", PickleKind::kBool, 1, ""},
      {"\x89", PickleKind::kBool, 0, ""},
      {"K\xff", PickleKind::kInteger, 255, ""},
      {"M\x01\x02", PickleKind::kInteger, 513, ""},
      {"J\xfe\xff\xff\xff", PickleKind::kInteger, -2, ""},
      {std::string("\x8a\x00", 2), PickleKind::kInteger, 0, ""},
      {"\x8a\x01\xff", PickleKind::kInteger, -1, ""},
      {std::string("\x8a\x02\xff\x00", 4), PickleKind::kInteger, 255, ""},
      {"\x8a\x09" + std::string(9, 'x'), PickleKind::kBytes, 0, std::string(9, 'x')},
      {testing::text_of("hey"), PickleKind::kString, 0, "hey"},
      {"\x8c\x02ho", PickleKind::kString, 0, "ho"},
      {"C\x02ho", PickleKind::kBytes, 0, "ho"},
      {"G" + std::string(8, '\0'), PickleKind::kOpaque, 0, ""},
      {"\x8f", PickleKind::kOpaque, 0, ""},
  };
  for (const Case& one : cases) {
    const std::string file = kPickle + one.body + ".";
    const Pickle pickle = read_pickle(as_file(file), "file");
    EXPECT_EQ(root(pickle).kind, one.kind) << one.body;
    EXPECT_EQ(root(pickle).integer, one.integer) << one.body;
    EXPECT_EQ(root(pickle).text, one.text) << one.body;
    EXPECT_EQ(pickle.end, file.size());
  }
}

TEST(Pickle, BuildsContainersAndRemembers) {
  const std::string file = kPickle + "]q\x07(K\1K\2eK\3a" + "h\x07\x86.";
  const Pickle pickle = read_pickle(as_file(file), "file");
  ASSERT_EQ(root(pickle).kind, PickleKind::kTuple);
  ASSERT_EQ(root(pickle).items.size(), 2U);
  EXPECT_EQ(root(pickle).items[0], root(pickle).items[1]);
  EXPECT_EQ(pickle.item(root(pickle), 0).items.size(), 3U);
}

TEST(Pickle, ExecutesNothing) {
  const std::string system =
      testing::global("os", "system") + testing::tuple({testing::text_of("x")});
  const std::string called = kPickle + system + "R.";
  const Pickle call = read_pickle(as_file(called), "file");
  EXPECT_EQ(root(call).kind, PickleKind::kCall);
  EXPECT_TRUE(call.is_global(call.item(root(call), 0), "os", "system"));
  EXPECT_FALSE(call.is_global(call.item(root(call), 0), "os", "open"));
  for (const std::string& body : {system + "\x81.", system + "R}b.", system + "RK\1a.",
                                  system + "R(K\1K\2u.", testing::global("a", "B") + ")}\x92."}) {
    EXPECT_EQ(root(read(body)).kind, PickleKind::kOpaque) << body;
  }
  const std::string ordered = testing::global("collections", "OrderedDict") + ")R";
  EXPECT_EQ(root(read(ordered + ".")).kind, PickleKind::kDict);
  EXPECT_EQ(root(read(ordered + "}b.")).kind, PickleKind::kDict);
}

TEST(Pickle, DeepNestingAndCyclesAreOnlyData) {
  std::string deep = "N";
  for (int i = 0; i < 200'000; ++i) {
    deep += "\x85";
  }
  EXPECT_EQ(read(deep + ".").nodes.size(), 200'001U);
  const std::string file = kPickle + std::string("]q\0h\0a.", 7);
  const Pickle cycle = read_pickle(as_file(file), "file");
  EXPECT_EQ(root(cycle).items.at(0), cycle.root);
}

std::vector<BadFile> bad_pickles() {
  const auto pickle = [](const std::string& body) { return kPickle + body; };
  return {
      {"Empty", "", "truncated?"},
      {"NoProtocol", "N.", "not a pickle of protocol 2"},
      {"ProtocolOne", "\x80\x01N.", "protocol 1"},
      {"ProtocolSix", "\x80\x06N.", "protocol 6"},
      {"NoStop", pickle("N"), "truncated?"},
      {"StopWithoutValue", pickle("."), "stack is empty"},
      {"UnknownOpcode", pickle("\xff"), "unknown pickle opcode 255"},
      {"TextOpcode", pickle("I1\n."), "unknown pickle opcode 73"},
      {"LongString", pickle("X\xff\xff\xff\xffx."), "4294967295 bytes expected"},
      {"HugeString", pickle("\x8d" + bytes_of(~uint64_t{0}) + "x."), "truncated?"},
      {"EndlessGlobal", pickle("cos\nsystem"), "unterminated name"},
      {"LongGlobal", pickle("c" + std::string(2000, 'x') + "\ny\n."), "unterminated name"},
      {"PopOfNothing", pickle("0."), "stack is empty"},
      {"TupleOfNothing", pickle("\x85."), "stack is empty"},
      {"MarkNeverSet", pickle("Nt."), "no mark on the stack"},
      {"UnderTheMark", pickle("N(\x85."), "stack is empty"},
      {"MemoNeverSet", pickle("h\x05."), "was never set"},
      {"MemoHole", pickle("Nq\x05h\x04."), "was never set"},
      {"MemoHuge", pickle("Nr\xfe\xff\xff\xff."), "memo index 4294967294"},
      {"AppendToTuple", pickle(")Na."), "cannot append items"},
      {"SetItemOnTuple", pickle(")NNs."), "cannot append items"},
      {"SetItemOnList", pickle("]NNs."), "cannot append items"},
      {"KeyWithoutValue", pickle("}(Nu."), "a key has no value"},
      {"BuildOfNothing", pickle("Nb."), "stack is empty"},
      {"ReduceOfNothing", pickle("NR."), "stack is empty"},
      {"StackTooHigh", pickle(std::string((1U << 20U) + 1, 'N') + "."), "stack has more than"},
      {"TooManyMarks", pickle(std::string((1U << 20U) + 1, '(') + "."), "marks"},
  };
}

class PickleRefuses : public ::testing::TestWithParam<BadFile> {};

TEST_P(PickleRefuses, WithTheReason) {
  testing::expect_refused(GetParam(),
                          [](const std::string& file) { read_pickle(as_file(file), "file"); });
}

INSTANTIATE_TEST_SUITE_P(Pickle, PickleRefuses, ::testing::ValuesIn(bad_pickles()),
                         testing::bad_file_name);

TEST(Pickle, TooManyValuesAreRefused) {
  std::string body;
  for (size_t i = 0; i < (size_t{4} << 20U) + 1; ++i) {
    body += "N0";
  }
  EXPECT_TRUE(testing::contains(testing::refused([&] { read(body + "N."); }), "more than"));
}

}  // namespace
}  // namespace lazymar
