#pragma once
/// Reader of what torch.save writes: the zip format (since PyTorch 1.6) and the stream format
/// before it. Nothing in a checkpoint is executed, and every byte is untrusted.

#include <cstddef>
#include <span>
#include <string_view>

#include "formats/weight_content.h"

namespace lazymar {

/// Which weights of a training checkpoint: averaged ("model_ema", "ema" and their like) or last
/// ("model", "state_dict", ...).
enum class WeightSet {
  kBest,  ///< the EMA weights if there are any, else the last ones, else those at the top
  kEma,
  kModel
};

/// Whether these bytes begin like a checkpoint of either format.
bool looks_like_torch(std::span<const std::byte> file);

/// The tensors of one state dict; the views point into `bytes`, and nothing else of the checkpoint
/// is read. `check_crc`: checks the CRC of what is read here; the user of a tensor checks that of
/// its record. Throws Error (usage) with file, byte position and reason for a file that is damaged,
/// a TorchScript archive, or without such weights. An entry of the state dict that is not a usable
/// tensor goes to `unreadable`; it matters only to a caller that asks for it.
WeightContent parse_torch_checkpoint(std::span<const std::byte> bytes, std::string_view file,
                                     WeightSet wanted = WeightSet::kBest, bool check_crc = true);

}  // namespace lazymar
