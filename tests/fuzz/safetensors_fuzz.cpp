// Any bytes as a safetensors file: refused, or every tensor's bytes can be read.
#include "formats/safetensors.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  lazymar::fuzz::refused_or_readable(
      [&] { return lazymar::parse_safetensors(lazymar::fuzz::file(data, size), "file"); });
  return 0;
}
