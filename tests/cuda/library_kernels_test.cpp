// Operations left to LibTorch on a GPU: the kernels that it chooses. Only on a GPU.
#include <ATen/SDPBackend.h>

#include "nn/ops.h"
#include "support/kernel_device.h"

namespace lazymar {
namespace {

class LibraryKernels : public testing::KernelTest {};

TEST_F(LibraryKernels, AttentionIsTheFlashKernel) {
  for (const c10::ScalarType type : {c10::kBFloat16, c10::kHalf, c10::kFloat}) {
    for (const int64_t head_width : {64, 80}) {
      constexpr int64_t kHeads = 16;
      const int64_t width = kHeads * head_width;
      const at::TensorOptions options = at::TensorOptions().device(c10::kCUDA).dtype(type);
      const at::Tensor q = at::randn({4, 77, width}, options);
      // Keys and values are halves of one tensor, of which only the first rows are used.
      const at::Tensor kv = at::randn({4, 400, 2 * width}, options).narrow(1, 0, 320);
      const auto by_head = [&](const at::Tensor& rows) {
        return rows.unflatten(2, {kHeads, -1}).transpose(1, 2);
      };
      const int64_t chosen = at::_fused_sdp_choice(by_head(q), by_head(kv.narrow(2, 0, width)),
                                                   by_head(kv.narrow(2, width, width)));
      // The control: there is none for fp32.
      EXPECT_EQ(chosen == static_cast<int64_t>(at::SDPBackend::flash_attention),
                type != c10::kFloat)
          << type << ", heads of " << head_width << ": " << chosen;
      const at::Tensor expected =
          attention(q.cpu().to(c10::kDouble), kv.cpu().to(c10::kDouble), kHeads);
      const at::Tensor computed = attention(q, kv, kHeads).cpu().to(c10::kDouble);
      EXPECT_LT((computed - expected).abs().max().item<double>(),
                type == c10::kFloat ? 1e-5 : 2e-2);
    }
  }
}

}  // namespace
}  // namespace lazymar
