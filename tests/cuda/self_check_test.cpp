// The check of a device's kernels at the start: a spoiled entry is found by name and replaced.
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>

#include "core/error.h"
#include "nn/device_fault.h"
#include "nn/plain_ops.h"
#include "pipeline/kernel_check.h"
#include "pipeline/kernel_twins.h"
#include "support/kernel_device.h"
#include "support/network.h"
#include "support/tiny_model.h"
#include "vae/kl_decoder.h"

namespace lazymar {
namespace {

using testing::KernelsInUse;

class SelfCheck : public testing::KernelTest {
 protected:
  static Mar tiny_mar(const char* precision) {
    testing::RicherRandomWeights weights({parse_precision(precision), {testing::kKernelDevice, 0}});
    MarConfig config = testing::tiny_config();
    config.head_width = 32;  // supported by the kernel for the head's MLP, in 16 bits
    return load_mar(weights, config);
  }
  static KlDecoder tiny_vae(const char* precision) {
    testing::RicherRandomWeights weights({parse_precision(precision), {testing::kKernelDevice, 0}});
    return load_kl_decoder(weights, testing::tiny_vae_config());
  }
  /// What is decided for a tiny model with these kernels.
  static KernelReport settled(const cuda::Kernels& kernels,
                              KernelChoice choice = KernelChoice::kAuto,
                              const char* precision = "fp32", bool check = true) {
    const KernelsInUse use(kernels);
    const Mar mar = tiny_mar(precision);
    const KlDecoder vae = tiny_vae(precision);
    return settle_kernels(choice, check, mar, &vae, 4, {testing::kKernelDevice, 0});
  }
  static std::set<std::string> failed(const KernelReport& report) {
    std::set<std::string> entries;
    for (const KernelVerdict& verdict : report.checks) {
      if (!verdict.passed()) {
        entries.insert(verdict.entry);
      }
    }
    return entries;
  }
};

TEST_F(SelfCheck, SoundKernelsPassInEveryPrecision) {
  for (const char* precision : {"fp64", "fp32", "fp16"}) {
    const KernelReport report = settled(ops, KernelChoice::kOwn, precision);
    EXPECT_EQ(report.kernels, "own") << precision;
    EXPECT_EQ(failed(report), std::set<std::string>()) << precision;
    // Every entry is compared; a window of the head needs dense weights, its MLP 16 bits.
    std::set<std::string> compared;
    for (const KernelVerdict& verdict : report.checks) {
      compared.insert(verdict.entry);
    }
    for (const std::string& entry : kernel_entries()) {
      EXPECT_TRUE(compared.contains(entry)) << precision << ": " << entry;
    }
  }
}

const cuda::Kernels* sound = nullptr;

/// Makes an entry wrong in one element.
using Spoil = void (*)(cuda::Kernels&);
struct SpoiledEntry {
  const char* entry;
  Spoil spoil;
};
const SpoiledEntry kSpoiled[] = {
    {"norm",
     [](cuda::Kernels& k) {
       k.norm = [](const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                   double eps, const at::Tensor& shift, const at::Tensor& scale,
                   c10::ScalarType type) {
         at::Tensor out = sound->norm(x, weight, bias, eps, shift, scale, type);
         out.view(-1)[0] += 1;
         return out;
       };
     }},
    {"add_norm",
     [](cuda::Kernels& k) {
       k.add_norm = [](const at::Tensor& x, const at::Tensor& y, const at::Tensor& weight,
                       const at::Tensor& bias, double eps, c10::ScalarType type) {
         SumAndNorm out = sound->add_norm(x, y, weight, bias, eps, type);
         out.sum.view(-1)[1] += 1;
         return out;
       };
     }},
    {"add",
     [](cuda::Kernels& k) {
       k.add = [](const at::Tensor& x, const at::Tensor& gate, const at::Tensor& y,
                  at::Tensor& out) {
         sound->add(x, gate, y, out);
         out.view(-1)[2] = NAN;
       };
     }},
    {"silu_of_sums",
     [](cuda::Kernels& k) {
       k.silu_of_sums = [](const at::Tensor& a, const at::Tensor& b, c10::ScalarType type) {
         return sound->silu_of_sums(a, b.neg(), type);
       };
     }},
    {"group_norm",
     [](cuda::Kernels& k) {
       k.group_norm = [](const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         int64_t, double eps, c10::ScalarType type, bool silu) {
         return sound->group_norm(x, weight, bias, 1, eps, type, silu);
       };
     }},
    {"take_rows",
     [](cuda::Kernels& k) {
       k.take_rows = [](const at::Tensor& x, const at::Tensor& rows) {
         return sound->take_rows(x, rows.flip(1));
       };
     }},
    {"write_rows",
     [](cuda::Kernels& k) {
       k.write_rows = [](at::Tensor&, const at::Tensor&, const at::Tensor&) {};
     }},
    {"gated_sums",
     [](cuda::Kernels& k) {
       k.gated_sums = [](const GatedSums& sums) {
         GatedSums fewer = sums;
         fewer.residuals.pop_back();
         return sound->gated_sums(fewer);
       };
     }},
    {"head_window",
     [](cuda::Kernels& k) {
       k.head_window = [](const HeadWindow& window) {
         HeadWindow later = window;
         --later.first;
         return sound->head_window(later);
       };
     }},
    {"reverse_step",
     [](cuda::Kernels& k) {
       k.reverse_step = [](const ReverseStep& step) {
         Reversed out = sound->reverse_step(step);
         out.x0 = out.x0 + 0.1;
         return out;
       };
     }},
    {"mean_cosine_similarity",
     [](cuda::Kernels& k) {
       k.mean_cosine_similarity = [](const at::Tensor& a, const at::Tensor& b, int64_t) {
         return sound->mean_cosine_similarity(a, b, 1);
       };
     }},
    {"least_similar_rows",
     [](cuda::Kernels& k) {
       k.least_similar_rows = [](const at::Tensor& scores, const at::Tensor& raster,
                                 const RowSelection& selection) {
         return sound->least_similar_rows(scores.neg(), raster, selection);
       };
     }},
    {"to_bytes",
     [](cuda::Kernels& k) {
       k.to_bytes = [](const at::Tensor& images) {
         at::Tensor out = sound->to_bytes(images);
         out.view(-1)[5].bitwise_xor_(1);  // one bit of one pixel
         return out;
       };
     }},
    {"draw_normals",
     [](cuda::Kernels& k) {
       k.draw_normals = [](const NormalDraw& draw) {
         at::Tensor out = sound->draw_normals(draw);
         out.view(-1)[7] = std::nextafter(out.view(-1)[7].item<float>(), 9.0F);  // the last bit
         return out;
       };
     }},
};

TEST_F(SelfCheck, ASpoiledEntryIsFoundByNameAndReplaced) {
  sound = &ops;
  std::set<std::string> spoiled{"head_mlp", "head_blocks"};  // below, in 16 bits
  for (const auto& [entry, spoil] : kSpoiled) {
    spoiled.insert(entry);
    cuda::Kernels kernels = ops;
    spoil(kernels);
    const KernelReport report = settled(kernels);
    EXPECT_EQ(report.kernels, std::string("own except ") + entry);
    EXPECT_EQ(failed(report), std::set<std::string>{entry});
    EXPECT_EQ(settled(kernels, KernelChoice::kAuto, "fp32", /*check=*/false).kernels, "own");
    EXPECT_THROW(settled(kernels, KernelChoice::kOwn), Error) << entry;
  }
  const std::vector<std::string> all = kernel_entries();
  EXPECT_EQ(spoiled, std::set<std::string>(all.begin(), all.end()));
  cuda::Kernels kernels = ops;
  kernels.head_mlp = [](const HeadMlp& block) -> std::optional<HeadMlpOutput> {
    auto out = sound->head_mlp(block);
    out->h.view(-1)[3] += 1;
    return out;
  };
  EXPECT_EQ(settled(kernels, KernelChoice::kAuto, "fp16").kernels, "own except head_mlp");
  kernels = ops;
  kernels.head_blocks = [](const std::vector<HeadMlp>& blocks) -> std::optional<HeadBlocksOutput> {
    auto out = sound->head_blocks(blocks);
    out->hs.view(-1)[3] += 1;
    return out;
  };
  EXPECT_EQ(settled(kernels, KernelChoice::kAuto, "fp16").kernels, "own except head_blocks");
}

TEST_F(SelfCheck, AnEntryThatThrowsIsReplacedAndOneThatEndsTheProcessIsNot) {
  cuda::Kernels kernels = ops;
  kernels.take_rows = [](const at::Tensor&, const at::Tensor&) -> at::Tensor {
    throw std::runtime_error("CUDA: a kernel was not started: no kernel image\nand a trace");
  };
  const KernelReport report = settled(kernels);
  EXPECT_EQ(report.kernels, "own except take_rows");
  for (const KernelVerdict& verdict : report.checks) {
    EXPECT_EQ(verdict.trouble, verdict.entry == "take_rows"
                                   ? "CUDA: a kernel was not started: no kernel image"
                                   : "");
  }
  kernels.take_rows = [](const at::Tensor&, const at::Tensor&) -> at::Tensor {
    throw std::runtime_error("CUDA error: an illegal memory access was encountered");
  };
  try {
    settled(kernels);
    ADD_FAILURE() << "it goes on";
  } catch (const std::exception& error) {
    EXPECT_TRUE(is_device_fault(error));
  }
}

TEST_F(SelfCheck, WhatReplacesAllEntriesComputesTheSame) {
  const Placement placement{parse_precision("fp32"), {testing::kKernelDevice, 0}};
  const at::Tensor expected = testing::Network({parse_precision("fp32")}, true).sample(5);
  const KernelsInUse use(ops);
  const Mar mar = tiny_mar("fp32");
  EXPECT_EQ(settle_kernels(KernelChoice::kPlain, true, mar, nullptr, 2, placement.device).kernels,
            "plain");
  EXPECT_FALSE(draws_normals(testing::kKernelDevice));
  EXPECT_LT(testing::relative_error(testing::Network(placement, true).sample(5), expected), 2e-3);
}

TEST_F(SelfCheck, OldCardsTakeTheTwins) {
  cuda::Kernels kernels = ops;
  for (const auto& [capability, says] :
       {std::pair{+[](c10::DeviceIndex) { return int64_t{75}; }, "plain"},
        {+[](c10::DeviceIndex) { return int64_t{80}; }, "own"},
        {+[](c10::DeviceIndex) { return int64_t{120}; }, "own"}}) {
    kernels.capability = capability;
    EXPECT_EQ(settled(kernels).kernels, says);
  }
}

TEST_F(SelfCheck, ItIsAFractionOfABatchForTheLargestModel) {
  // MAR-H at batch 128: 64 steps of 40 blocks over 256 x 320 rows of 1280 values.
  Mar mar;
  mar.config = published_config(*find_preset("mar_huge"));
  mar.class_emb = at::zeros({1});
  KlDecoder vae;
  vae.config = kl16_config();
  for (const int64_t images : {2, 256}) {
    const KernelShapes s = shapes_of(mar, &vae, images);
    const int64_t transformer = s.images * s.rows * s.width;
    const int64_t head = s.head_rows * s.head_width;
    const int64_t pixels = s.img_size * s.img_size * s.vae_width;
    EXPECT_LE(transformer, int64_t{1} << 21) << images;
    EXPECT_LE(head, int64_t{1} << 21) << images;
    EXPECT_LE(pixels, int64_t{1} << 23) << images;
    // Some 40 passes over each, kernel and twin, 8 bytes a value: below 6 GB, which a card with
    // 300 GB/s moves in 20 ms. The rest are about 20 waits for the device.
    const int64_t values = 40 * (transformer + head) + 8 * pixels;
    EXPECT_LT(8 * values, int64_t{6} << 30) << images;
  }
  EXPECT_EQ(shapes_of(mar, &vae, 256).width, 1280);
  EXPECT_EQ(shapes_of(mar, &vae, 256).img_size, 256);
}

TEST_F(SelfCheck, TheVariableStandsInForAuto) {
  ::setenv(kKernelsVariable, "plain", 1);
  EXPECT_EQ(resolve_kernel_choice("auto"), KernelChoice::kPlain);
  EXPECT_EQ(resolve_kernel_choice("own"), KernelChoice::kOwn);
  EXPECT_FALSE(restarted_after_device_fault());
  ::setenv(kKernelsVariable, kPlainAfterFault, 1);
  EXPECT_EQ(resolve_kernel_choice("auto"), KernelChoice::kPlain);
  EXPECT_TRUE(restarted_after_device_fault());
  ::setenv(kKernelsVariable, "fast", 1);
  EXPECT_THROW(resolve_kernel_choice("auto"), Error);
  ::unsetenv(kKernelsVariable);
  EXPECT_EQ(resolve_kernel_choice("auto"), KernelChoice::kAuto);
}

}  // namespace
}  // namespace lazymar
