#pragma once
/// The state of a pickle's program: values, a stack with marks, and a memo. All limits are enforced
/// here, so that no opcode can underflow the stack or grow without bound.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "files/byte_reader.h"
#include "formats/torch/pickle.h"

namespace lazymar {

/// Every invalid operation throws Error (usage) with the position of the current opcode.
class PickleStack {
 public:
  /// `file` is the name for messages, and must outlive the stack.
  explicit PickleStack(std::string_view file) : file_(file) {}

  /// From now on values and messages have this position.
  void begin_opcode(uint64_t position) { opcode_at_ = position; }

  template <typename... Parts>
  [[noreturn]] void refuse(Parts&&... reason) const {
    refuse_at(file_, opcode_at_, std::forward<Parts>(reason)...);
  }

  /// A new value that is not on the stack.
  PickleIndex add(PickleKind kind);
  PickleNode& node(PickleIndex index) { return pickle_.nodes[index]; }
  bool is_global(PickleIndex index, std::string_view module, std::string_view name) const {
    return pickle_.is_global(pickle_[index], module, name);
  }

  void push(PickleIndex index);
  /// Adds and pushes; the reference is valid until the next value is added.
  PickleNode& push_new(PickleKind kind);

  /// These cannot reach below the last mark until the mark is popped.
  PickleIndex top() const;
  PickleIndex pop();
  std::vector<PickleIndex> pop_last(size_t count);

  void set_mark();
  /// Pops the last mark and everything above it.
  std::vector<PickleIndex> pop_mark();
  /// As in CPython, a mark on top is what is popped.
  void pop_value_or_mark();

  /// Remembers the top value; memoize() under the next free index.
  void put(uint64_t index);
  void memoize() { put(memoized_); }
  /// Pushes what was remembered.
  void get(uint64_t index);

  /// The result, whose root is the top value; `end` is the position after the pickle.
  Pickle finish(uint64_t end);

 private:
  void need(size_t count) const;

  static constexpr PickleIndex kUnset = ~PickleIndex{0};

  std::string_view file_;
  uint64_t opcode_at_ = 0;
  Pickle pickle_;
  std::vector<PickleIndex> stack_;
  std::vector<size_t> marks_;  ///< heights of the stack
  std::vector<PickleIndex> memo_;
  uint64_t memoized_ = 0;  ///< how many memo entries are set
};

}  // namespace lazymar
