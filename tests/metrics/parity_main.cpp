// Features and scores of two sets, which scripts/lab/fidelity_parity.py compares with
// torch-fidelity's.
//
//   fidelity_parity WEIGHTS A.npz B.npz FEATURES.npz
//
// A and B contain `arr_0`, uint8 [N, H, W, 3]. Prints the scores as JSON and writes the features.
#include <ATen/ATen.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/error.h"
#include "formats/npz.h"
#include "metrics/frechet.h"
#include "metrics/inception.h"
#include "metrics/inception_score.h"
#include "metrics/kid.h"
#include "metrics/moments.h"
#include "metrics/precision_recall.h"

namespace lazymar {
namespace {

struct Set {
  Features features;
  Moments moments;
  double seconds_per_image = 0;
};

Set extract(const FeatureExtractor& extractor, const std::string& path) {
  const NpzFile file(path);
  const NpyArray array = file.arrays().array("arr_0");
  if (array.type != ElementType::kU8 || array.shape.size() != 4 || array.column_major) {
    throw usage_error(path, ": arr_0 is not uint8 [N, H, W, 3]");
  }
  auto* const data = const_cast<std::byte*>(array.bytes.data());
  const at::Tensor pixels = at::from_blob(data, array.shape, c10::kByte);
  extractor(pixels.slice(0, 0, extractor.info().batch_size));  // warm
  const auto start = std::chrono::steady_clock::now();
  Set set{.features = extractor(pixels), .moments = {}};
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  set.seconds_per_image = taken.count() / static_cast<double>(pixels.size(0));
  for (const at::Tensor& part : set.features.pool.split(100)) {
    set.moments.add(part);
  }
  return set;
}

void write_drift(const std::string& path, const Set& a, const Set& b) {
  write_file_atomically(
      path,
      [&](const ByteSink& sink) {
        NpzWriter npz(sink);
        for (const auto& [name, tensor] : {std::pair{"pool_a", a.features.pool},
                                           {"logits_a", a.features.logits},
                                           {"pool_b", b.features.pool}}) {
          npz.begin(name, ElementType::kF32, tensor.sizes().vec());
          npz.write({static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()});
        }
        npz.finish();
      },
      std::filesystem::path(path).parent_path());
}

int run(char** argv) {
  const auto extractor = load_inception(argv[1], c10::kCPU);
  const Set a = extract(*extractor, argv[2]);
  const Set b = extract(*extractor, argv[3]);
  write_drift(argv[4], a, b);
  const FrechetDistance fid = frechet_distance(a.moments.statistics(), b.moments.statistics());
  const MeanDeviation isc = inception_score(a.features.logits);
  const int64_t smaller = std::min(a.moments.count, b.moments.count);
  const MeanDeviation kid = kernel_inception_distance(
      a.features.pool, b.features.pool, {.subset_size = std::min<int64_t>(1000, smaller / 2)});
  const PrecisionRecall prc = precision_recall(a.features.pool, b.features.pool);
  const nlohmann::json report = {{"seconds_per_image", a.seconds_per_image},
                                 {"rank", fid.rank},
                                 {"fid", fid.distance},
                                 {"isc_mean", isc.mean},
                                 {"isc_std", isc.deviation},
                                 {"kid_mean", kid.mean},
                                 {"kid_std", kid.deviation},
                                 {"precision", prc.precision},
                                 {"recall", prc.recall},
                                 {"f_score", prc.f_score}};
  std::cout << report.dump() << "\n";
  return 0;
}

}  // namespace
}  // namespace lazymar

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: fidelity_parity WEIGHTS A.npz B.npz FEATURES.npz\n";
    return 2;
  }
  try {
    return lazymar::run(argv);
  } catch (const std::exception& error) {
    std::cerr << "fidelity_parity: " << error.what() << "\n";
    return 2;
  }
}
