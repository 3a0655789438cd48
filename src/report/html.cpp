#include "report/html.h"

#include <algorithm>
#include <cstdint>

#include "core/error.h"

namespace lazymar {

std::string escape_html(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      default:
        safe += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
  }
  return safe;
}

std::string fill_template(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string page;
  size_t begin = 0;
  for (size_t open; (open = text.find("{{", begin)) != std::string_view::npos;) {
    const size_t close = text.find("}}", open);
    const std::string name(text.substr(open + 2, close - open - 2));
    const auto value = values.find(name);
    if (value == values.end()) {
      throw Error(ErrorKind::kInternal, concat("the report's template asks for ", name));
    }
    page += text.substr(begin, open - begin);
    page += value->second;
    begin = close + 2;
  }
  page += text.substr(begin);
  return page;
}

std::string png_uri(std::span<const std::byte> png) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string uri = "data:image/png;base64,";
  for (size_t i = 0; i < png.size(); i += 3) {
    const size_t count = std::min<size_t>(3, png.size() - i);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < count ? std::to_integer<uint32_t>(png[i + k]) : 0);
    }
    for (size_t k = 0; k < 4; ++k) {
      uri += k <= count ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
  return uri;
}

}  // namespace lazymar
