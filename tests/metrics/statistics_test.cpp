#include "metrics/statistics.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "formats/npz.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;
using testing::TemporaryFolder;

struct Array {
  std::string name;
  at::Tensor value;
};

void write_npz(const std::filesystem::path& path, const std::vector<Array>& arrays) {
  write_file_atomically(
      path,
      [&](const ByteSink& sink) {
        NpzWriter npz(sink);
        for (const Array& array : arrays) {
          const bool wide = array.value.scalar_type() == c10::kDouble;
          npz.begin(array.name, wide ? ElementType::kF64 : ElementType::kF32,
                    array.value.sizes().vec());
          npz.write(
              {static_cast<const std::byte*>(array.value.const_data_ptr()), array.value.nbytes()});
        }
        npz.finish();
      },
      path.parent_path());
}

const at::Tensor kMu = at::tensor({1.5, -2.0});
const at::Tensor kSigma = at::tensor({2.0, 0.25, 0.25, 1.0}).view({2, 2});

TEST(Statistics, AreReadAsTheyWereWritten) {
  const TemporaryFolder folder;
  write_statistics(folder.path() / "a.npz", {kMu, kSigma});
  const GaussianStatistics read = read_statistics(folder.path() / "a.npz");
  EXPECT_TRUE(read.mu.equal(kMu));
  EXPECT_TRUE(read.sigma.equal(kSigma));
}

TEST(Statistics, OtherNamesOfMeanAndCovarianceAreRead) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.npz";
  for (const auto& [mean, covariance] : {std::pair{"m", "s"}, {"mean", "cov"}}) {
    write_npz(path, {{mean, kMu}, {covariance, kSigma}});
    EXPECT_TRUE(has_statistics(path));
    EXPECT_TRUE(read_statistics(path).sigma.equal(kSigma));
  }
  write_npz(path, {{"m", kMu}, {"sigma", kSigma}});
  EXPECT_FALSE(has_statistics(path));
}

TEST(Statistics, OfBothPublishedKindsAreRead) {
  const TemporaryFolder folder;
  const at::Tensor spatial = at::ones({3}, c10::kDouble);
  write_npz(folder.path() / "openai.npz", {{"arr_0", at::ones({2, 2})},
                                           {"mu", kMu.to(c10::kFloat)},
                                           {"sigma", kSigma.to(c10::kFloat)},
                                           {"mu_s", spatial},
                                           {"sigma_s", spatial}});
  const GaussianStatistics read = read_statistics(folder.path() / "openai.npz");
  EXPECT_TRUE(read.mu.equal(kMu));
  EXPECT_TRUE(read.sigma.equal(kSigma));
  EXPECT_EQ(read.sigma.scalar_type(), c10::kDouble);
}

TEST(Statistics, ThatCannotBeAreRefused) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "bad.npz";
  const auto message = [&](const at::Tensor& mu, const at::Tensor& sigma) {
    write_npz(path, {{"mu", mu}, {"sigma", sigma}});
    return refused([&] { read_statistics(path); });
  };
  EXPECT_TRUE(contains(message(kMu.view({1, 2}), kSigma), "instead of [D]"));
  EXPECT_TRUE(contains(message(kMu, kSigma.view({4})), "sigma has the shape [4]"));
  EXPECT_TRUE(contains(message(kMu, kSigma / 0), "\"sigma\": 4 of 4 values are NaN or infinite"));
  EXPECT_TRUE(contains(message(at::tensor({0.0, NAN}), kSigma), "\"mu\": 1 of 2 values are NaN"));
  EXPECT_TRUE(contains(message(kMu, at::tensor({2.0, 0.3, 0.2, 1.0}).view({2, 2})), "symmetric"));
  write_npz(path, {{"mu", kMu}});
  EXPECT_TRUE(contains(refused([&] { read_statistics(path); }), "no array \"sigma\""));
  const std::string missing = refused([&] { read_statistics(folder.path() / "none.npz"); });
  EXPECT_TRUE(contains(missing, "VIRTUAL_imagenet256_labeled.npz"));
  EXPECT_TRUE(contains(missing, "adm_in256_stats.npz"));
}

TEST(Statistics, WhatIsMeantAsSomeIsKnown) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.npz";
  const auto said = [&](const std::vector<Array>& arrays) {
    write_npz(path, arrays);
    return why_no_statistics(path);
  };
  EXPECT_EQ(said({{"mu", kMu}}),
            "holds \"mu\", but no \"sigma\"; statistics are both; save them "
            "in one .npz");
  EXPECT_TRUE(contains(said({{"cov", kSigma}}), "but no \"mean\""));
  EXPECT_TRUE(contains(said({{"MU", kMu}, {"Sigma", kSigma}}),
                       "holds \"MU\" and \"Sigma\", but statistics are \"mu\" and \"sigma\""));
  EXPECT_TRUE(contains(said({{"MU", kMu}, {"Sigma", kSigma}}), "mu=x['MU'], sigma=x['Sigma'])"));
  EXPECT_EQ(said({{"arr_0", kMu}, {"mu", kMu}}), "") << "images beside a mean";
  EXPECT_EQ(said({{"s", kMu}}), "") << "a letter may mean anything";
  for (const auto& [name, load] : {std::pair{"s.pt", "torch.load('s.pt', weights_only=False)"},
                                   {"s.pkl", "pickle.load(open('s.pkl', 'rb'))"}}) {
    testing::write_text(folder.path() / name, "x");
    EXPECT_TRUE(contains(why_no_statistics(folder.path() / name), load));
  }
  EXPECT_EQ(why_no_statistics(folder.path()), "");
}

TEST(Statistics, OfFloat16SayWhatMayBeWrong) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.npz";
  const auto write = [&](const at::Tensor& sigma) {
    const at::Tensor half = sigma.to(c10::kHalf).contiguous();
    write_file_atomically(
        path,
        [&](const ByteSink& sink) {
          NpzWriter npz(sink);
          npz.begin("mu", ElementType::kF64, {2});
          npz.write({static_cast<const std::byte*>(kMu.const_data_ptr()), kMu.nbytes()});
          npz.begin("sigma", ElementType::kF16, {2, 2});
          npz.write({static_cast<const std::byte*>(half.const_data_ptr()), half.nbytes()});
          npz.finish();
        },
        folder.path());
  };
  write(kSigma);
  EXPECT_TRUE(read_statistics(path).half);
  write(kSigma * 1e6);
  EXPECT_TRUE(contains(refused([&] { read_statistics(path); }), "float16 holds at most 65504"));
}

}  // namespace
}  // namespace lazymar
