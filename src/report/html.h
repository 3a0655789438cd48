#pragma once
/// Pieces of a page.

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace lazymar {

/// Text that comes from anywhere, safe between tags and inside of quoted attributes.
std::string escape_html(std::string_view text);

/// Puts values where the template has {{name}}; values are not looked at again. Throws Error
/// (internal) for a name without a value.
std::string fill_template(std::string_view text, const std::map<std::string, std::string>& values);

/// "data:image/png;base64,...".
std::string png_uri(std::span<const std::byte> png);

}  // namespace lazymar
