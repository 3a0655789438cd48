// Any bytes as a picture. What is decoded has the size that it says.
#include "formats/image.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = lazymar::fuzz::file(data, size);
  if (const auto image = lazymar::decode_image(bytes)) {
    lazymar::fuzz::require(static_cast<int64_t>(image->pixels.size()) ==
                           3 * image->width * image->height);
  } else {
    lazymar::fuzz::require(!lazymar::why_not_decoded(bytes).empty());
  }
  return 0;
}
