#pragma once
/// What instructions this processor has that products are written for.

#include <string>

namespace lazymar {

enum class CpuFeature {
  kAvx512,      ///< F, BW, DQ, VL
  kAvx512Vnni,  ///< dot products of 8-bit numbers
  kAvx512Bf16,  ///< dot products of bf16 numbers
  kAmx,         ///< tiles for bf16 and 8-bit numbers; the system must grant them to the process
};

/// Whether the processor has it and LAZYMAR_CPU does not rule it out. LAZYMAR_CPU is the most that
/// is used: "avx2", "avx512", "avx512_vnni", "avx512_bf16" or "amx", each with those before it. It
/// is read once. Throws Error (usage) if it is another word.
bool has_cpu_feature(CpuFeature feature);

/// Those there are, as LAZYMAR_CPU names them: "avx512 avx512_vnni"; "none of AVX-512" if none.
std::string cpu_feature_names();

}  // namespace lazymar
