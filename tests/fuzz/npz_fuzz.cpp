// Any bytes as an .npz and as an .npy. Only small arrays, so that a fuzzer does not inflate
// gigabytes.
#include "formats/npz.h"
#include "fuzz/fuzz.h"

namespace {

void read(const lazymar::NpyArray& array) {
  int64_t count = 1;
  for (const int64_t size : array.shape) {
    count *= size;
  }
  lazymar::fuzz::require(static_cast<int64_t>(array.bytes.size()) ==
                         count * lazymar::element_size(array.type));
  lazymar::fuzz::touch(array.bytes);
  try {
    const auto values = lazymar::to_doubles(array, "array");
    lazymar::fuzz::require(static_cast<int64_t>(values.size()) == count);
  } catch (const lazymar::Error& error) {
    lazymar::fuzz::require(error.kind() == lazymar::ErrorKind::kInvalid);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = lazymar::fuzz::file(data, size);
  lazymar::fuzz::refused_or([&] { read(lazymar::parse_npy(bytes, "file")); });
  lazymar::fuzz::refused_or([&] {
    const lazymar::NpzArchive archive(bytes, "file");
    for (const std::string& name : archive.names()) {
      lazymar::fuzz::refused_or([&] { read(archive.array(name)); });
    }
  });
  return 0;
}
