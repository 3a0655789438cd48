#pragma once
/// A network's tensors among a file's, whatever wrappers have put in front of their names.

#include <span>
#include <string>
#include <string_view>

#include "formats/torch/torch_checkpoint.h"
#include "formats/weight_content.h"

namespace lazymar {

/// Tensors by which networks are known.
inline constexpr std::string_view kMarTensor = "z_proj.weight";
inline constexpr std::string_view kVaeTensor = "post_quant_conv.weight";
inline constexpr std::string_view kInceptionTensor = "Conv2d_1a_3x3.conv.weight";
inline constexpr std::string_view kDemoClassifierTensor = "convolutions.0.weight";

/// Renames the tensors to what the network calls them, and drops those of other networks. First,
/// the parts "_orig_mod", "_fsdp_wrapped_module" and "_checkpoint_wrapped_module" leave every name
/// (torch.compile and FSDP put them anywhere). Then the first of `networks` that ends a name tells
/// the prefix: "module.", "model_ema.module.", "first_stage_model.". Of several prefixes, one that
/// says EMA is preferred, as `wanted` allows, unless the file's section was chosen already.
/// Returns what was done, in words; empty if nothing was. Throws Error (usage) if several prefixes
/// remain, none is as wanted, or two names become one.
std::string find_network(WeightContent& content, std::span<const std::string_view> networks,
                         WeightSet wanted, std::string_view file);

/// Why a network's tensor has another name, and what to do, if the file has it under a name with
/// "module." in it, or without the prefix of the others: DistributedDataParallel around a part of
/// the network, or two state_dicts in one. Empty if it has not.
std::string mixed_names(const WeightContent& content, const std::string& name);

}  // namespace lazymar
