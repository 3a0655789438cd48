#include "formats/pickle.h"

#include <algorithm>
#include <utility>

#include "files/byte_reader.h"
#include "formats/pickle_opcodes.h"
#include "formats/pickle_stack.h"

namespace lazymar {
namespace {

using namespace pickle_opcode;

constexpr uint64_t kMaxBytes = uint64_t{64} << 20;
constexpr uint8_t kMaxProtocol = 5;

/// The stack machine that runs a pickle's opcodes.
class Machine {
 public:
  Machine(std::span<const std::byte> bytes, std::string_view file, uint64_t position)
      : reader_(bytes, file, position), begin_(position), stack_(file) {}

  Pickle run() {
    stack_.begin_opcode(begin_);
    if (reader_.read<uint8_t>() != kProto) {
      refuse("not a pickle of protocol 2 or later");
    }
    if (const auto protocol = reader_.read<uint8_t>(); protocol < 2 || protocol > kMaxProtocol) {
      refuse("a pickle of protocol ", int{protocol}, "; 2 to ", int{kMaxProtocol},
             " are supported");
    }
    while (true) {
      stack_.begin_opcode(reader_.position());
      if (reader_.position() - begin_ > kMaxBytes) {
        refuse("pickle: longer than ", kMaxBytes, " bytes");
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
    return stack_.finish(reader_.position());
  }

 private:
  template <typename... Parts>
  [[noreturn]] void refuse(Parts&&... reason) const {
    stack_.refuse(std::forward<Parts>(reason)...);
  }

  void push_integer(PickleKind kind, int64_t value) { stack_.push_new(kind).integer = value; }

  void push_text(PickleKind kind, uint64_t length) {
    const std::string_view text = reader_.text(length);
    stack_.push_new(kind).text = text;
  }

  void push_items(PickleKind kind, std::vector<PickleIndex> items) {
    stack_.push_new(kind).items = std::move(items);
  }

  bool made(uint8_t opcode) {
    for (const Made& entry : kMade) {
      if (entry.opcode == opcode) {
        push_items(entry.kind, stack_.pop_last(entry.takes));
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
        stack_.push_new(PickleKind::kOpaque);
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
    constexpr uint64_t kLongest = 1000;  // no Python name comes near
    const uint64_t most = std::min(reader_.remaining(), kLongest);
    ByteReader ahead = reader_;
    const size_t length = ahead.text(most).find('\n');
    if (length == std::string_view::npos) {
      refuse("unterminated name of a global");
    }
    const PickleIndex line = stack_.add(PickleKind::kString);
    stack_.node(line).text = reader_.text(length);
    reader_.take(1);
    return line;
  }

  bool container(uint8_t opcode) {
    switch (opcode) {
      case kMark:
        stack_.set_mark();
        return true;
      case kTuple:
        push_items(PickleKind::kTuple, stack_.pop_mark());
        return true;
      case kFrozenSet:
        stack_.pop_mark();
        stack_.push_new(PickleKind::kOpaque);
        return true;
      case kAppend:
        extend(PickleKind::kList, stack_.pop_last(1));
        return true;
      case kAppends:
        extend(PickleKind::kList, stack_.pop_mark());
        return true;
      case kSetItem:
        extend(PickleKind::kDict, stack_.pop_last(2));
        return true;
      case kSetItems:
        extend(PickleKind::kDict, stack_.pop_mark());
        return true;
      case kAddItems:
        extend(PickleKind::kOpaque, stack_.pop_mark());
        return true;
      default:
        return false;
    }
  }

  /// Adds to the container on top. Items for an object that was never made are dropped.
  void extend(PickleKind kind, const std::vector<PickleIndex>& items) {
    PickleNode& target = stack_.node(stack_.top());
    if (target.kind == PickleKind::kCall || target.kind == PickleKind::kOpaque) {
      target.kind = PickleKind::kOpaque;
      return;
    }
    if (target.kind != kind) {
      refuse("pickle: cannot append items to this object (not a list or dict)");
    }
    if (kind == PickleKind::kDict && items.size() % 2 != 0) {
      refuse("pickle: a key has no value");
    }
    target.items.insert(target.items.end(), items.begin(), items.end());
  }

  bool memory(uint8_t opcode) {
    switch (opcode) {
      case kPop:
        stack_.pop_value_or_mark();
        return true;
      case kPopMark:
        stack_.pop_mark();
        return true;
      case kDup:
        stack_.push(stack_.top());
        return true;
      case kBinPut:
        stack_.put(reader_.read<uint8_t>());
        return true;
      case kLongBinPut:
        stack_.put(reader_.read<uint32_t>());
        return true;
      case kMemoize:
        stack_.memoize();
        return true;
      case kBinGet:
        stack_.get(reader_.read<uint8_t>());
        return true;
      case kLongBinGet:
        stack_.get(reader_.read<uint32_t>());
        return true;
      case kFrame:
        reader_.read<uint64_t>();
        return true;
      default:
        return false;
    }
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
        stack_.pop();
        // The attributes of an OrderedDict (a state dict's _metadata) do not change its items.
        PickleNode& target = stack_.node(stack_.top());
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
    std::vector<PickleIndex> parts = stack_.pop_last(2);
    const PickleNode& arguments = stack_.node(parts[1]);
    const bool empty = arguments.kind == PickleKind::kTuple && arguments.items.empty();
    if (empty && stack_.is_global(parts[0], "collections", "OrderedDict")) {
      stack_.push_new(PickleKind::kDict);
      return;
    }
    push_items(PickleKind::kCall, std::move(parts));
  }

  ByteReader reader_;
  uint64_t begin_;
  PickleStack stack_;
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
