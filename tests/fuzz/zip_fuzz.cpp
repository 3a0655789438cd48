// Any bytes as a zip archive, and as a checkpoint in one. No CRC: a fuzzer cannot make them agree.
#include "formats/torch/torch_checkpoint.h"
#include "formats/zip_archive.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = lazymar::fuzz::file(data, size);
  lazymar::fuzz::refused_or([&] {
    for (const lazymar::ZipEntry& entry : lazymar::read_zip_directory(bytes, "file")) {
      lazymar::fuzz::touch(entry.bytes);
    }
  });
  if (lazymar::looks_like_zip(bytes)) {
    lazymar::fuzz::refused_or_readable([&] {
      return lazymar::parse_torch_checkpoint(bytes, "file", lazymar::WeightSet::kBest, false);
    });
  }
  return 0;
}
