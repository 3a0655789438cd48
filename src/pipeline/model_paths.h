#pragma once
/// Where the checkpoints of a model are.

#include <filesystem>
#include <optional>
#include <string>

#include "pipeline/model_request.h"

namespace lazymar {

/// Whether a checkpoint was named with --resume, or is in the folder of the model's name.
bool has_weights(const ModelRequest& request);

/// The MAR's checkpoint: --resume, else in the folder of the model's name. Throws Error (usage)
/// that says what is expected where, and the models that are there if the name is not one.
std::filesystem::path find_weights(const ModelRequest& request);

/// The VAE's: --vae_path, else `own`, which the MAR's file names, beside that file or where the
/// model has it, else KL-16. Throws Error (usage).
std::filesystem::path find_vae(const ModelRequest& request, const std::filesystem::path& mar_file,
                               const std::optional<std::string>& own);

}  // namespace lazymar
