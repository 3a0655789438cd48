// Any bytes as a checkpoint of the stream format: refused, or every tensor's bytes can be read.
#include "formats/torch/torch_checkpoint.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = lazymar::fuzz::file(data, size);
  if (!lazymar::looks_like_zip(bytes)) {
    lazymar::fuzz::refused_or_readable(
        [&] { return lazymar::parse_torch_checkpoint(bytes, "file"); });
  }
  return 0;
}
