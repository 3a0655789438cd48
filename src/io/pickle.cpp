#include "lazymar/io/pickle.h"

#include <algorithm>
#include <utility>

#include "lazymar/io/byte_reader.h"
#include "pickle_opcodes.h"

namespace lazymar {
namespace {

using namespace pickle_opcode;

constexpr uint64_t kMaxBytes = uint64_t{64} << 20;
constexpr size_t kMaxNodes = size_t{4} << 20;
constexpr size_t kMaxStack = size_t{1} << 20;
constexpr uint8_t kMaxProtocol = 5;

/// Opcodes that make one value out of the last few on the stack.
struct Made {
  uint8_t opcode;
  PickleKind kind;
  size_t takes;
};
constexpr Made kMade[] = {
    {kNone, PickleKind::kNone, 0},          {kEmptyTuple, PickleKind::kTuple, 0},
    {kTuple1, PickleKind::kTuple, 1},       {kTuple2, PickleKind::kTuple, 2},
    {kTuple3, PickleKind::kTuple, 3},       {kEmptyList, PickleKind::kList, 0},
    {kEmptyDict, PickleKind::kDict, 0},     {kEmptySet, PickleKind::kOpaque, 0},
    {kNewObj, PickleKind::kOpaque, 2},      {kNewObjEx, PickleKind::kOpaque, 3},
    {kStackGlobal, PickleKind::kGlobal, 2}, {kBinPersId, PickleKind::kPersistent, 1},
};

/// Opcodes that are followed by a length and so many bytes.
struct Text {
  uint8_t opcode;
  PickleKind kind;
  size_t length_bytes;
};
constexpr Text kTexts[] = {
    {kBinUnicode, PickleKind::kString, 4},     {kShortBinUnicode, PickleKind::kString, 1},
    {kBinUnicode8, PickleKind::kString, 8},    {kBinString, PickleKind::kString, 4},  // Python 2's
    {kShortBinString, PickleKind::kString, 1}, {kBinBytes, PickleKind::kBytes, 4},
    {kShortBinBytes, PickleKind::kBytes, 1},   {kBinBytes8, PickleKind::kBytes, 8},
    {kByteArray8, PickleKind::kBytes, 8},
};

/// The stack machine that a pickle is a program for.
class Machine {
 public:
  Machine(std::span<const std::byte> bytes, std::string_view file, uint64_t position)
      : reader_(bytes, file, position), begin_(position) {}

  Pickle run() {
    opcode_at_ = reader_.position();
    if (reader_.read<uint8_t>() != kProto) {
      refuse("no pickle of protocol 2 or later");
    }
    if (const auto protocol = reader_.read<uint8_t>(); protocol < 2 || protocol > kMaxProtocol) {
      refuse("a pickle of protocol ", int{protocol}, "; 2 to ", int{kMaxProtocol}, " are read");
    }
    while (true) {
      opcode_at_ = reader_.position();
      if (opcode_at_ - begin_ > kMaxBytes) {
        refuse("the pickle is longer than ", kMaxBytes, " bytes");
      }
      const auto opcode = reader_.read<uint8_t>();
      if (opcode == kStop) {
        break;
      }
      if (!made(opcode) && !number(opcode) && !text(opcode) && !container(opcode) &&
          !memory(opcode) && !object(opcode)) {
        refuse("unknown pickle opcode ", int{opcode});
      }
    }
    pickle_.root = pop();
    pickle_.end = reader_.position();
    return std::move(pickle_);
  }

 private:
  template <typename... Parts>
  [[noreturn]] void refuse(Parts&&... reason) const {
    reader_.refuse(opcode_at_, std::forward<Parts>(reason)...);
  }

  PickleIndex add(PickleKind kind) {
    if (pickle_.nodes.size() >= kMaxNodes) {
      refuse("the pickle holds more than ", kMaxNodes, " values");
    }
    PickleNode& node = pickle_.nodes.emplace_back();
    node.kind = kind;
    node.position = opcode_at_;
    return static_cast<PickleIndex>(pickle_.nodes.size() - 1);
  }

  PickleNode& node(PickleIndex index) { return pickle_.nodes[index]; }

  void push(PickleIndex index) {
    if (stack_.size() >= kMaxStack) {
      refuse("the pickle's stack holds more than ", kMaxStack, " values");
    }
    stack_.push_back(index);
  }

  PickleNode& push_new(PickleKind kind) {
    push(add(kind));
    return pickle_.nodes.back();
  }

  /// What lies under a mark is out of reach until the mark is taken.
  void need(size_t count) const {
    if (stack_.size() - (marks_.empty() ? 0 : marks_.back()) < count) {
      refuse("the pickle takes a value from an empty stack");
    }
  }

  PickleIndex top() const {
    need(1);
    return stack_.back();
  }

  PickleIndex pop() {
    const PickleIndex index = top();
    stack_.pop_back();
    return index;
  }

  std::vector<PickleIndex> pop_last(size_t count) {
    need(count);
    const auto begin = stack_.end() - static_cast<ptrdiff_t>(count);
    std::vector<PickleIndex> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    return items;
  }

  std::vector<PickleIndex> pop_mark() {
    if (marks_.empty()) {
      refuse("the pickle takes a mark that it has not set");
    }
    std::vector<PickleIndex> items = pop_last(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
  }

  void push_integer(PickleKind kind, int64_t value) { push_new(kind).integer = value; }

  void push_text(PickleKind kind, uint64_t length) {
    const std::string_view text = reader_.text(length);
    push_new(kind).text = text;
  }

  void push_items(PickleKind kind, std::vector<PickleIndex> items) {
    push_new(kind).items = std::move(items);
  }

  bool made(uint8_t opcode) {
    for (const Made& entry : kMade) {
      if (entry.opcode == opcode) {
        push_items(entry.kind, pop_last(entry.takes));
        return true;
      }
    }
    return false;
  }

  bool number(uint8_t opcode) {
    switch (opcode) {
      case kNewTrue:
      case kNewFalse:
        push_integer(PickleKind::kBool, opcode == kNewTrue ? 1 : 0);
        return true;
      case kBinInt:
        push_integer(PickleKind::kInteger, reader_.read<int32_t>());
        return true;
      case kBinInt1:
        push_integer(PickleKind::kInteger, reader_.read<uint8_t>());
        return true;
      case kBinInt2:
        push_integer(PickleKind::kInteger, reader_.read<uint16_t>());
        return true;
      case kLong1:
        push_long();
        return true;
      case kBinFloat:
        reader_.take(sizeof(double));
        push_new(PickleKind::kOpaque);
        return true;
      default:
        return false;
    }
  }

  /// Two's complement, as short as it can be.
  void push_long() {
    const auto length = reader_.read<uint8_t>();
    if (length > sizeof(int64_t)) {
      push_text(PickleKind::kBytes, length);
      return;
    }
    const std::string_view bytes = reader_.text(length);
    uint64_t value = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~uint64_t{0} : 0;
    for (size_t i = bytes.size(); i-- > 0;) {
      value = value << 8U | static_cast<unsigned char>(bytes[i]);
    }
    push_integer(PickleKind::kInteger, static_cast<int64_t>(value));
  }

  bool text(uint8_t opcode) {
    for (const Text& entry : kTexts) {
      if (entry.opcode == opcode) {
        push_text(entry.kind, reader_.read_unsigned(entry.length_bytes));
        return true;
      }
    }
    return false;
  }

  PickleIndex read_line() {
    constexpr uint64_t kLongest = 1000;  // no name of Python's comes near
    const uint64_t most = std::min(reader_.remaining(), kLongest);
    ByteReader ahead = reader_;
    const size_t length = ahead.text(most).find('\n');
    if (length == std::string_view::npos) {
      refuse("a global's name does not end");
    }
    const PickleIndex line = add(PickleKind::kString);
    node(line).text = reader_.text(length);
    reader_.take(1);
    return line;
  }

  bool container(uint8_t opcode) {
    switch (opcode) {
      case kMark:
        if (marks_.size() >= kMaxStack) {
          refuse("the pickle sets more than ", kMaxStack, " marks");
        }
        marks_.push_back(stack_.size());
        return true;
      case kTuple:
        push_items(PickleKind::kTuple, pop_mark());
        return true;
      case kFrozenSet:
        pop_mark();
        push_new(PickleKind::kOpaque);
        return true;
      case kAppend:
        extend(PickleKind::kList, pop_last(1));
        return true;
      case kAppends:
        extend(PickleKind::kList, pop_mark());
        return true;
      case kSetItem:
        extend(PickleKind::kDict, pop_last(2));
        return true;
      case kSetItems:
        extend(PickleKind::kDict, pop_mark());
        return true;
      case kAddItems:
        extend(PickleKind::kOpaque, pop_mark());
        return true;
      default:
        return false;
    }
  }

  /// Adds to the container on top. What goes into an object that was never made is dropped.
  void extend(PickleKind kind, const std::vector<PickleIndex>& items) {
    PickleNode& target = node(top());
    if (target.kind == PickleKind::kCall || target.kind == PickleKind::kOpaque) {
      target.kind = PickleKind::kOpaque;
      return;
    }
    if (target.kind != kind) {
      refuse("the pickle puts items into a value that holds none of this kind");
    }
    if (kind == PickleKind::kDict && items.size() % 2 != 0) {
      refuse("the pickle sets a key without a value");
    }
    target.items.insert(target.items.end(), items.begin(), items.end());
  }

  bool memory(uint8_t opcode) {
    switch (opcode) {
      case kPop:
        // As in CPython, a mark on top is what is popped.
        if (!marks_.empty() && marks_.back() == stack_.size()) {
          marks_.pop_back();
        } else {
          pop();
        }
        return true;
      case kPopMark:
        pop_mark();
        return true;
      case kDup:
        push(top());
        return true;
      case kBinPut:
        put(reader_.read<uint8_t>());
        return true;
      case kLongBinPut:
        put(reader_.read<uint32_t>());
        return true;
      case kMemoize:
        put(memoized_);
        return true;
      case kBinGet:
        get(reader_.read<uint8_t>());
        return true;
      case kLongBinGet:
        get(reader_.read<uint32_t>());
        return true;
      case kFrame:
        reader_.read<uint64_t>();
        return true;
      default:
        return false;
    }
  }

  /// Picklers number what they remember from 0 on, so no index reaches the number of values.
  void put(uint64_t index) {
    constexpr uint64_t kAlwaysFine = 256;
    if (index >= std::max<uint64_t>(pickle_.nodes.size(), kAlwaysFine)) {
      refuse("memo index ", index, " with ", pickle_.nodes.size(), " values so far");
    }
    if (index >= memo_.size()) {
      memo_.resize(index + 1, kUnset);
    }
    memoized_ += memo_[index] == kUnset ? 1 : 0;
    memo_[index] = top();
  }

  void get(uint64_t index) {
    if (index >= memo_.size() || memo_[index] == kUnset) {
      refuse("memo index ", index, " was never set");
    }
    push(memo_[index]);
  }

  bool object(uint8_t opcode) {
    switch (opcode) {
      case kGlobal: {
        const PickleIndex module = read_line();
        const PickleIndex name = read_line();
        push_items(PickleKind::kGlobal, {module, name});
        return true;
      }
      case kReduce:
        call();
        return true;
      case kBuild: {
        pop();
        // An OrderedDict's attributes (a state dict's _metadata) change none of its items.
        PickleNode& target = node(top());
        if (target.kind != PickleKind::kDict) {
          target.kind = PickleKind::kOpaque;
        }
        return true;
      }
      default:
        return false;
    }
  }

  void call() {
    std::vector<PickleIndex> parts = pop_last(2);
    const PickleNode& arguments = node(parts[1]);
    const bool empty = arguments.kind == PickleKind::kTuple && arguments.items.empty();
    if (empty && pickle_.is_global(node(parts[0]), "collections", "OrderedDict")) {
      push_new(PickleKind::kDict);
      return;
    }
    push_items(PickleKind::kCall, std::move(parts));
  }

  static constexpr PickleIndex kUnset = ~PickleIndex{0};

  ByteReader reader_;
  uint64_t begin_;
  uint64_t opcode_at_ = 0;
  Pickle pickle_;
  std::vector<PickleIndex> stack_;
  std::vector<size_t> marks_;
  std::vector<PickleIndex> memo_;
  uint64_t memoized_ = 0;  ///< how many memo entries are set: MEMOIZE's next index
};

}  // namespace

bool Pickle::is_global(const PickleNode& node, std::string_view module,
                       std::string_view name) const {
  return node.kind == PickleKind::kGlobal && item(node, 0).kind == PickleKind::kString &&
         item(node, 1).kind == PickleKind::kString && item(node, 0).text == module &&
         item(node, 1).text == name;
}

Pickle read_pickle(std::span<const std::byte> bytes, std::string_view file, uint64_t position) {
  return Machine(bytes, file, position).run();
}

}  // namespace lazymar
