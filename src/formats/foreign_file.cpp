#include "formats/foreign_file.h"

#include <algorithm>
#include <string_view>

#include "core/text.h"
#include "files/byte_reader.h"

namespace lazymar {

using namespace std::string_view_literals;

std::string foreign_file(std::span<const std::byte> file) {
  constexpr size_t kBeginning = 4096;
  const std::string_view text = as_text(file).substr(0, kBeginning);
  if (text.starts_with("version https://git-lfs")) {
    return "a Git LFS pointer, not the file itself; fetch it with git lfs pull";
  }
  const size_t begin = std::min(text.find_first_not_of(" \t\r\n\xef\xbb\xbf"), text.size());
  const std::string tag = lower(std::string(text.substr(begin, 14)));
  if (tag.starts_with("<!doctype html") || tag.starts_with("<html")) {
    return "a web page, as a failed download leaves it; download the file again";
  }
  if (text.starts_with("\x1f\x8b"sv)) {
    return "compressed by gzip; unpack it with gunzip or tar -xzf";
  }
  if (text.starts_with("\xfd"
                       "7zXZ"sv)) {
    return "compressed by xz; unpack it with unxz or tar -xJf";
  }
  if (text.starts_with("\x28\xb5\x2f\xfd"sv)) {
    return "compressed by zstd; unpack it with unzstd or tar --zstd -xf";
  }
  if (tag.starts_with("{") && text.find("\"weight_map\"") != std::string_view::npos) {
    return "the index of a checkpoint in several files, which is not read; save all tensors in one "
           "file";
  }
  return {};
}

}  // namespace lazymar
