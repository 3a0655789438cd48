#include "formats/npy_header.h"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace lazymar {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr uint64_t kLongestHeader = 10000;  // numpy's own limit for untrusted files
constexpr size_t kAlignment = 64;

// "<" is little-endian, "|" a type of one byte; ">" is read as "<", and its bytes are swapped
// later.
constexpr std::array<std::pair<std::string_view, ElementType>, 12> kTypes{{
    {"|b1", ElementType::kBool},
    {"|u1", ElementType::kU8},
    {"|i1", ElementType::kI8},
    {"<u2", ElementType::kU16},
    {"<i2", ElementType::kI16},
    {"<u4", ElementType::kU32},
    {"<i4", ElementType::kI32},
    {"<u8", ElementType::kU64},
    {"<i8", ElementType::kI64},
    {"<f2", ElementType::kF16},
    {"<f4", ElementType::kF32},
    {"<f8", ElementType::kF64},
}};

/// Reads the dictionary's text, as far as numpy writes it.
class DictionaryReader {
 public:
  DictionaryReader(std::string_view text, const ByteReader& reader, uint64_t position)
      : text_(text), reader_(reader), position_(position) {}

  NpyHeader read() {
    expect('{');
    while (!accept('}')) {
      read_item();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (place_ != text_.size()) {
      refuse("text after the dictionary");
    }
    if (!type_ || !shape_ || !column_major_) {
      refuse("descr, fortran_order or shape is missing");
    }
    return {*type_, *shape_, *column_major_, big_endian_};
  }

 private:
  void read_item() {
    const std::string_view key = read_string();
    expect(':');
    if (key == "descr" && !type_) {
      type_ = read_type();
    } else if (key == "fortran_order" && !column_major_) {
      column_major_ = read_bool();
    } else if (key == "shape" && !shape_) {
      shape_ = read_shape();
    } else {
      refuse("the key ", in_quotes(key), " is unknown or occurs twice");
    }
  }

  ElementType read_type() {
    skip_blanks();
    if (place_ < text_.size() && text_[place_] == '[') {
      refuse("structured arrays are not supported");
    }
    std::string name(read_string());
    if (name.starts_with('|') && name.find('O') == 1) {
      refuse(
          "Python objects are not read; save arrays: np.savez('a.npz', np.stack(list(x))), or of a "
          "dictionary np.savez('a.npz', **x.item())");
    }
    if (name.starts_with('>')) {
      big_endian_ = true;
      name.front() = '<';
    }
    for (const auto& [known, type] : kTypes) {
      if (known == name) {
        return type;
      }
    }
    refuse("the type ", in_quotes(name),
           " is not supported; save it as floats or integers, as with x.astype('float32')");
  }

  bool read_bool() {
    skip_blanks();
    for (const auto& [word, value] :
         {std::pair{std::string_view("True"), true}, {"False", false}}) {
      if (text_.substr(place_).starts_with(word)) {
        place_ += word.size();
        return value;
      }
    }
    refuse("fortran_order is neither True nor False");
  }

  std::vector<int64_t> read_shape() {
    std::vector<int64_t> shape;
    expect('(');
    while (!accept(')')) {
      shape.push_back(read_size());
      if (shape.size() > kMaxDimensions) {
        refuse("more than ", kMaxDimensions, " dimensions");
      }
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  int64_t read_size() {
    skip_blanks();
    int64_t size = -1;
    const char* const begin = text_.data() + place_;
    const auto [end, status] = std::from_chars(begin, text_.data() + text_.size(), size);
    if (status != std::errc() || size < 0 || size > kMaxDimension) {
      refuse("a size in the shape is not a number up to ", kMaxDimension);
    }
    place_ += static_cast<size_t>(end - begin);
    return size;
  }

  std::string_view read_string() {
    skip_blanks();
    const char quote = place_ < text_.size() ? text_[place_] : '\0';
    const size_t end =
        quote == '\'' || quote == '"' ? text_.find(quote, place_ + 1) : std::string_view::npos;
    if (end == std::string_view::npos) {
      refuse("expected a quoted string");
    }
    const std::string_view found = text_.substr(place_ + 1, end - place_ - 1);
    place_ = end + 1;
    return found;
  }

  void skip_blanks() {
    while (place_ < text_.size() && (text_[place_] == ' ' || text_[place_] == '\n')) {
      ++place_;
    }
  }

  bool accept(char wanted) {
    skip_blanks();
    if (place_ < text_.size() && text_[place_] == wanted) {
      ++place_;
      return true;
    }
    return false;
  }

  void expect(char wanted) {
    if (!accept(wanted)) {
      refuse("'", wanted, "' expected");
    }
  }

  template <typename... Parts>
  [[noreturn]] void refuse(Parts&&... reason) const {
    reader_.refuse(position_ + place_, "in the .npy header: ", reason...);
  }

  std::string_view text_;
  const ByteReader& reader_;
  uint64_t position_;
  size_t place_ = 0;
  std::optional<ElementType> type_;
  std::optional<std::vector<int64_t>> shape_;
  std::optional<bool> column_major_;
  bool big_endian_ = false;
};

}  // namespace

bool looks_like_npy(std::span<const std::byte> file) {
  return as_text(file).starts_with(kMagic);
}

NpyHeader read_npy_header(ByteReader& reader) {
  const uint64_t start = reader.position();
  if (reader.text(kMagic.size()) != kMagic) {
    reader.refuse(start, "not an .npy array");
  }
  const auto version = reader.read<uint8_t>();
  reader.read<uint8_t>();  // minor version
  if (version < 1 || version > 3) {
    reader.refuse(start, "an .npy array of format version ", static_cast<int>(version),
                  "; 1 to 3 are supported");
  }
  const uint64_t length = version == 1 ? reader.read<uint16_t>() : reader.read<uint32_t>();
  if (length > kLongestHeader) {
    reader.refuse(start, "an .npy header of ", length, " bytes; ", kLongestHeader, " is the limit");
  }
  const uint64_t position = reader.position();
  const std::string_view text = reader.text(length);
  return DictionaryReader(text, reader, position).read();
}

std::string npy_header(ElementType type, const std::vector<int64_t>& shape) {
  std::string_view name;
  for (const auto& [known, element] : kTypes) {
    if (element == type) {
      name = known;
    }
  }
  if (name.empty()) {
    throw Error(ErrorKind::kInternal, concat("numpy has no type ", to_string(type)));
  }
  std::string sizes;
  for (size_t i = 0; i < shape.size(); ++i) {
    sizes += concat(i > 0 ? " " : "", shape[i], i + 1 < shape.size() || i == 0 ? "," : "");
  }
  std::string text =
      concat("{'descr': '", name, "', 'fortran_order': False, 'shape': (", sizes, "), }");
  const size_t before = kMagic.size() + 2 + sizeof(uint16_t);
  const size_t unpadded = before + text.size() + 1;
  text.append((kAlignment - unpadded % kAlignment) % kAlignment, ' ');
  text += '\n';
  const auto length = static_cast<uint16_t>(text.size());
  std::string header(kMagic);
  header += {'\x01', '\x00', static_cast<char>(length & 0xff), static_cast<char>(length >> 8)};
  return header + text;
}

}  // namespace lazymar
