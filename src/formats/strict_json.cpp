#include "formats/strict_json.h"

#include <set>
#include <vector>

namespace lazymar {
namespace {

using nlohmann::json;

/// Follows the parser's events and keeps only the keys of the open objects.
class Rules final : public nlohmann::json_sax<json> {
 public:
  explicit Rules(size_t max_depth) : max_depth_(max_depth) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }

  bool start_object(size_t) override { return open(); }
  bool start_array(size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (!keys_.back().insert(name).second) {
      throw DuplicateKey(name);
    }
    return true;
  }

  /// Invalid JSON is left to the parser, which reports the reason.
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool open() {
    if (keys_.size() >= max_depth_) {
      throw NestsTooDeep("nested deeper than " + std::to_string(max_depth_) + " levels");
    }
    keys_.emplace_back();
    return true;
  }

  bool close() {
    keys_.pop_back();
    return true;
  }

  size_t max_depth_;
  std::vector<std::set<std::string>> keys_;
};

void check(std::string_view text, size_t max_depth) {
  Rules rules(max_depth);
  json::sax_parse(text, &rules);
}

}  // namespace

json parse_strict_json(std::string_view text, size_t max_depth) {
  check(text, max_depth);
  return json::parse(text);
}

nlohmann::ordered_json parse_strict_ordered_json(std::string_view text, size_t max_depth) {
  check(text, max_depth);
  return nlohmann::ordered_json::parse(text);
}

}  // namespace lazymar
