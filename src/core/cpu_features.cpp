#include "core/cpu_features.h"

#include <array>
#include <cstdlib>
#include <string_view>

#include "core/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lazymar {
namespace {

constexpr std::array<std::string_view, 4> kNames{"avx512", "avx512_vnni", "avx512_bf16", "amx"};

/// How many features LAZYMAR_CPU allows, in their order.
size_t allowed() {
  const char* const said = std::getenv("LAZYMAR_CPU");
  const std::string_view text = said != nullptr ? said : "";
  if (text.empty()) {
    return kNames.size();
  }
  if (text == "avx2") {
    return 0;
  }
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (text == kNames[i]) {
      return i + 1;
    }
  }
  throw usage_error("LAZYMAR_CPU=", text, ": use avx2, avx512, avx512_vnni, avx512_bf16 or amx");
}

#if defined(__x86_64__)
/// Linux gives the memory of tiles to processes that ask (Documentation/arch/x86/xstate.rst).
bool granted_tiles() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

bool processor_has_amx() {
  unsigned int eax = 0;
  unsigned int ebx = 0;
  unsigned int ecx = 0;
  unsigned int edx = 0;
  constexpr unsigned int kNeeded = 1U << 22 | 1U << 24 | 1U << 25;  // AMX-BF16, -TILE, -INT8
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & kNeeded) == kNeeded;
}

bool processor_has(CpuFeature feature) {
  switch (feature) {
    case CpuFeature::kAvx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case CpuFeature::kAvx512Vnni:
      return __builtin_cpu_supports("avx512vnni");
    case CpuFeature::kAvx512Bf16:
      return __builtin_cpu_supports("avx512bf16");
    case CpuFeature::kAmx:
      return processor_has_amx() && granted_tiles();
  }
  return false;
}
#else
bool processor_has(CpuFeature) {
  return false;
}
#endif

/// By feature, each with those before it: a processor with a gap is taken as one without the rest.
std::array<bool, kNames.size()> detect() {
  std::array<bool, kNames.size()> found{};
  const size_t most = allowed();
  for (size_t i = 0; i < most; ++i) {
    found[i] = (i == 0 || found[i - 1]) && processor_has(static_cast<CpuFeature>(i));
  }
  return found;
}

const std::array<bool, kNames.size()>& features() {
  static const std::array<bool, kNames.size()> found = detect();
  return found;
}

}  // namespace

bool has_cpu_feature(CpuFeature feature) {
  return features()[static_cast<size_t>(feature)];
}

std::string cpu_feature_names() {
  std::string names;
  for (size_t i = 0; i < kNames.size() && features()[i]; ++i) {
    names += concat(names.empty() ? "" : " ", kNames[i]);
  }
  return names.empty() ? "none of AVX-512" : names;
}

}  // namespace lazymar
