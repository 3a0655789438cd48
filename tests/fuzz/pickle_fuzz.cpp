// Any bytes as a pickle: refused, or every index in it names a value.
#include "formats/torch/pickle.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = lazymar::fuzz::file(data, size);
  lazymar::fuzz::refused_or([&] {
    const lazymar::Pickle pickle = lazymar::read_pickle(bytes, "file");
    lazymar::fuzz::require(pickle.root < pickle.nodes.size() && pickle.end <= size);
    for (const lazymar::PickleNode& node : pickle.nodes) {
      lazymar::fuzz::touch(std::as_bytes(std::span(node.text.data(), node.text.size())));
      for (const lazymar::PickleIndex index : node.items) {
        lazymar::fuzz::require(index < pickle.nodes.size());
      }
    }
  });
  return 0;
}
