#include "formats/torch_storages.h"

#include <algorithm>
#include <array>
#include <utility>

#include "files/byte_reader.h"

namespace lazymar {
namespace {

constexpr std::array<std::pair<std::string_view, ElementType>, 10> kStorageTypes{{
    {"FloatStorage", ElementType::kF32},
    {"HalfStorage", ElementType::kF16},
    {"BFloat16Storage", ElementType::kBF16},
    {"DoubleStorage", ElementType::kF64},
    {"LongStorage", ElementType::kI64},
    {"IntStorage", ElementType::kI32},
    {"ShortStorage", ElementType::kI16},
    {"CharStorage", ElementType::kI8},
    {"ByteStorage", ElementType::kU8},
    {"BoolStorage", ElementType::kBool},
}};

bool is_tuple(const PickleNode& node, size_t least) {
  return node.kind == PickleKind::kTuple && node.items.size() >= least;
}

/// Whether the node calls torch._utils.<name>.
bool calls(const Pickle& pickle, const PickleNode& node, std::string_view name) {
  return node.kind == PickleKind::kCall &&
         pickle.is_global(pickle.item(node, 0), "torch._utils", name) &&
         is_tuple(pickle.item(node, 1), 1);
}

/// The tensor inside nn.Parameter; the node itself if it is not one.
const PickleNode& without_parameter(const Pickle& pickle, const PickleNode& node) {
  const bool parameter = calls(pickle, node, "_rebuild_parameter") ||
                         calls(pickle, node, "_rebuild_parameter_with_state");
  return parameter ? pickle.item(pickle.item(node, 1), 0) : node;
}

/// One tensor's rebuild call, read and checked.
class TensorReader {
 public:
  TensorReader(const Pickle& pickle, std::string_view file, const PickleNode& call)
      : pickle_(pickle), file_(file), call_(call) {}

  TensorView read(const LocatedStorages& storages) {
    const bool second = calls(pickle_, call_, "_rebuild_tensor_v2");
    if (!second && !calls(pickle_, call_, "_rebuild_tensor")) {
      refuse("not a plain tensor");
    }
    const PickleNode& arguments = pickle_.item(call_, 1);
    if (!is_tuple(arguments, 4)) {
      refuse("a tensor without storage, offset, shape and strides");
    }
    // After requires_grad and hooks: whether the view negates or conjugates its storage.
    if (second && arguments.items.size() > 6) {
      const PickleNode& math = pickle_.item(arguments, 6);
      if (math.kind != PickleKind::kNone &&
          !(math.kind == PickleKind::kDict && math.items.empty())) {
        refuse("a tensor that negates or conjugates its storage");
      }
    }
    const auto storage = declared_storage(pickle_, pickle_.item(arguments, 0));
    if (!storage) {
      refuse("a tensor without a valid storage");
    }
    TensorView view = locate(*storage, storages);
    view.shape = sizes(pickle_.item(arguments, 2), "shape");
    view.strides = sizes(pickle_.item(arguments, 3), "strides");
    cut(view, integer(pickle_.item(arguments, 1), "offset"), storage->elements);
    return view;
  }

 private:
  template <typename... Parts>
  [[noreturn]] void refuse(Parts&&... reason) const {
    refuse_at(file_, call_.position, std::forward<Parts>(reason)...);
  }

  /// The whole storage as a view without shape.
  TensorView locate(const DeclaredStorage& storage, const LocatedStorages& storages) const {
    if (!storage.type || storage.part) {
      refuse("a tensor with an unsupported kind of storage: ", in_quotes(storage.type_name),
             storage.part ? ", part of another" : "");
    }
    const auto found = storages.find(storage.key);
    if (found == storages.end()) {
      refuse("storage ", in_quotes(storage.key), " is not in the file");
    }
    uint64_t needed = 0;
    const bool overflow = __builtin_mul_overflow(
        storage.elements, static_cast<uint64_t>(element_size(*storage.type)), &needed);
    if (overflow || needed != found->second.bytes.size()) {
      refuse("storage ", in_quotes(storage.key), " has ", found->second.bytes.size(),
             " bytes (at byte ", found->second.position, "), ", storage.elements, " elements of ",
             to_string(*storage.type), " are declared");
    }
    return {*storage.type, {}, found->second.bytes, {}, found->second.record};
  }

  int64_t integer(const PickleNode& node, std::string_view what) const {
    if (node.kind != PickleKind::kInteger || node.integer < 0) {
      refuse("a tensor's ", what, " is not a number from 0 on");
    }
    return node.integer;
  }

  std::vector<int64_t> sizes(const PickleNode& node, std::string_view what) const {
    if (node.kind != PickleKind::kTuple || node.items.size() > kMaxDimensions) {
      refuse("a tensor's ", what, ": not a list of at most ", kMaxDimensions, " numbers");
    }
    std::vector<int64_t> values;
    for (const PickleIndex index : node.items) {
      values.push_back(integer(pickle_[index], what));
      if (values.back() > kMaxDimension) {
        refuse("a tensor's ", what, ": ", values.back(), " is out of bounds");
      }
    }
    return values;
  }

  /// Reduces the bytes to those from the first element to the last.
  void cut(TensorView& view, int64_t offset, uint64_t elements) const {
    if (view.shape.size() != view.strides.size()) {
      refuse("a tensor with ", view.shape.size(), " sizes and ", view.strides.size(), " strides");
    }
    // After this no product of sizes can overflow.
    bool overflow = !checked_byte_count(view.type, view.shape);
    int64_t count = 1;
    int64_t span = 1;  // elements from the first to the last
    int64_t dense = 1;
    bool contiguous = true;
    for (size_t i = view.shape.size(); !overflow && i-- > 0;) {
      const int64_t size = view.shape[i];
      int64_t reach = 0;
      overflow = __builtin_mul_overflow(std::max<int64_t>(size - 1, 0), view.strides[i], &reach) ||
                 __builtin_add_overflow(span, reach, &span);
      contiguous = contiguous && (size == 1 || view.strides[i] == dense);
      count *= size;
      dense *= std::max<int64_t>(size, 1);
    }
    const auto bound = static_cast<uint64_t>(count == 0 ? 0 : span);
    const auto begin = static_cast<uint64_t>(offset);
    if (overflow || begin > elements || bound > elements - begin) {
      refuse("a tensor of shape ", shape_string(view.shape), " and strides ",
             shape_string(view.strides), " at element ", offset, " reaches out of its storage of ",
             elements, " elements");
    }
    if (count > 0 && count > span) {
      refuse("a tensor of shape ", shape_string(view.shape), " and strides ",
             shape_string(view.strides), " repeats elements of its storage");
    }
    if (contiguous || count == 0) {
      view.strides.clear();
    }
    const auto size = static_cast<uint64_t>(element_size(view.type));
    view.bytes = view.bytes.subspan(begin * size, bound * size);
  }

  const Pickle& pickle_;
  std::string_view file_;
  const PickleNode& call_;
};

}  // namespace

std::optional<DeclaredStorage> declared_storage(const Pickle& pickle, const PickleNode& node) {
  if (node.kind != PickleKind::kPersistent || !is_tuple(pickle.item(node, 0), 5)) {
    return std::nullopt;
  }
  const PickleNode& id = pickle.item(node, 0);
  const PickleNode& type = pickle.item(id, 1);
  const PickleNode& key = pickle.item(id, 2);
  const PickleNode& elements = pickle.item(id, 4);
  if (pickle.item(id, 0).kind != PickleKind::kString || pickle.item(id, 0).text != "storage" ||
      type.kind != PickleKind::kGlobal || key.kind != PickleKind::kString ||
      elements.kind != PickleKind::kInteger || elements.integer < 0) {
    return std::nullopt;
  }
  DeclaredStorage storage;
  storage.key = key.text;
  storage.type_name = pickle.item(type, 1).text;
  storage.elements = static_cast<uint64_t>(elements.integer);
  storage.part = id.items.size() > 5 && pickle.item(id, 5).kind != PickleKind::kNone;
  storage.position = node.position;
  for (const auto& [name, element] : kStorageTypes) {
    if (pickle.is_global(type, "torch", name)) {
      storage.type = element;
    }
  }
  return storage;
}

std::unordered_map<std::string_view, DeclaredStorage> declared_storages(const Pickle& pickle,
                                                                        std::string_view file) {
  std::unordered_map<std::string_view, DeclaredStorage> storages;
  for (const PickleNode& node : pickle.nodes) {
    const auto storage = declared_storage(pickle, node);
    if (!storage) {
      continue;
    }
    const auto [place, fresh] = storages.emplace(storage->key, *storage);
    if (!fresh && (place->second.type_name != storage->type_name ||
                   place->second.elements != storage->elements)) {
      refuse_at(file, storage->position, "storage ", in_quotes(storage->key), " is declared as ",
                storage->elements, " elements of ", in_quotes(storage->type_name), " and as ",
                place->second.elements, " of ", in_quotes(place->second.type_name));
    }
  }
  return storages;
}

TensorView rebuild_tensor(const Pickle& pickle, const PickleNode& node,
                          const LocatedStorages& storages, std::string_view file) {
  return TensorReader(pickle, file, without_parameter(pickle, node)).read(storages);
}

bool means_tensor(const Pickle& pickle, const PickleNode& node) {
  const PickleNode& inner = without_parameter(pickle, node);
  return calls(pickle, inner, "_rebuild_tensor_v2") || calls(pickle, inner, "_rebuild_tensor");
}

}  // namespace lazymar
