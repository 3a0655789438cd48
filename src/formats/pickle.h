#pragma once
/// Python pickles as inert data: nothing in them is looked up or called. A call becomes a node that
/// describes it. Every byte is untrusted.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace lazymar {

enum class PickleKind : uint8_t {
  kNone,
  kBool,        ///< integer
  kInteger,     ///< integer
  kBytes,       ///< text; also integers of more than 8 bytes
  kString,      ///< text
  kTuple,       ///< items
  kList,        ///< items
  kDict,        ///< items: key, value, key, value; also collections.OrderedDict
  kGlobal,      ///< items: module, name
  kPersistent,  ///< items: the identifier
  kCall,        ///< items: what is called, its arguments; never executed
  kOpaque,      ///< anything else: objects with a state, sets, floats
};

using PickleIndex = uint32_t;

/// One value. Others are named by their index in Pickle::nodes, and may be shared or cyclic.
struct PickleNode {
  PickleKind kind = PickleKind::kNone;
  int64_t integer = 0;
  uint64_t position = 0;  ///< of the opcode in the file
  std::string_view text;  ///< points into the file
  std::vector<PickleIndex> items;
};

/// A parsed pickle. Discarded values stay among the nodes.
struct Pickle {
  std::vector<PickleNode> nodes;
  PickleIndex root = 0;
  uint64_t end = 0;  ///< position after its last byte

  const PickleNode& operator[](PickleIndex index) const { return nodes[index]; }
  const PickleNode& item(const PickleNode& node, size_t i) const { return nodes[node.items[i]]; }
  bool is_global(const PickleNode& node, std::string_view module, std::string_view name) const;
};

/// Reads the pickle that begins at `position`, of protocol 2 to 5. `file` names it in messages.
/// Takes time and memory in proportion to the pickle's length, and no recursion. Throws Error
/// (usage) with the position of the opcode. Refused are opcodes of other protocols, lengths past
/// the end, an empty stack, items set in an object that has none, and more than 64 MiB, 4 Mi nodes
/// or 1 Mi values on the stack.
Pickle read_pickle(std::span<const std::byte> bytes, std::string_view file, uint64_t position = 0);

}  // namespace lazymar
