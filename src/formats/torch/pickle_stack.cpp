#include "formats/torch/pickle_stack.h"

#include <algorithm>

namespace lazymar {
namespace {

constexpr size_t kMaxNodes = size_t{4} << 20;
constexpr size_t kMaxStack = size_t{1} << 20;

}  // namespace

PickleIndex PickleStack::add(PickleKind kind) {
  if (pickle_.nodes.size() >= kMaxNodes) {
    refuse("pickle: more than ", kMaxNodes, " values");
  }
  PickleNode& node = pickle_.nodes.emplace_back();
  node.kind = kind;
  node.position = opcode_at_;
  return static_cast<PickleIndex>(pickle_.nodes.size() - 1);
}

void PickleStack::push(PickleIndex index) {
  if (stack_.size() >= kMaxStack) {
    refuse("pickle: the stack has more than ", kMaxStack, " values");
  }
  stack_.push_back(index);
}

PickleNode& PickleStack::push_new(PickleKind kind) {
  push(add(kind));
  return pickle_.nodes.back();
}

void PickleStack::need(size_t count) const {
  if (stack_.size() - (marks_.empty() ? 0 : marks_.back()) < count) {
    refuse("pickle: the stack is empty");
  }
}

PickleIndex PickleStack::top() const {
  need(1);
  return stack_.back();
}

PickleIndex PickleStack::pop() {
  const PickleIndex index = top();
  stack_.pop_back();
  return index;
}

std::vector<PickleIndex> PickleStack::pop_last(size_t count) {
  need(count);
  const auto begin = stack_.end() - static_cast<ptrdiff_t>(count);
  std::vector<PickleIndex> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  return items;
}

void PickleStack::set_mark() {
  if (marks_.size() >= kMaxStack) {
    refuse("pickle: more than ", kMaxStack, " marks");
  }
  marks_.push_back(stack_.size());
}

std::vector<PickleIndex> PickleStack::pop_mark() {
  if (marks_.empty()) {
    refuse("pickle: no mark on the stack");
  }
  std::vector<PickleIndex> items = pop_last(stack_.size() - marks_.back());
  marks_.pop_back();
  return items;
}

void PickleStack::pop_value_or_mark() {
  if (!marks_.empty() && marks_.back() == stack_.size()) {
    marks_.pop_back();
  } else {
    pop();
  }
}

void PickleStack::put(uint64_t index) {
  // Picklers number what they remember from 0 on, so no index reaches the number of values.
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

void PickleStack::get(uint64_t index) {
  if (index >= memo_.size() || memo_[index] == kUnset) {
    refuse("memo index ", index, " was never set");
  }
  push(memo_[index]);
}

Pickle PickleStack::finish(uint64_t end) {
  pickle_.root = pop();
  pickle_.end = end;
  return std::move(pickle_);
}

}  // namespace lazymar
