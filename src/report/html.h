#pragma once
/// Pieces of a page.

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace lazymar {

/// Escapes text for use between tags and inside quoted attributes.
std::string escape_html(std::string_view text);

/// Replaces {{name}} in the template by values; values are not expanded again. Throws Error
/// (internal) for a name without a value.
std::string fill_template(std::string_view text, const std::map<std::string, std::string>& values);

/// "data:image/png;base64,...".
std::string png_uri(std::span<const std::byte> png);

}  // namespace lazymar
