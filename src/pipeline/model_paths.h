#pragma once
/// Where the checkpoints of a model are.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/model_request.h"

namespace lazymar {

/// Whether a checkpoint was named with --resume, or is in the folder of the model's name.
bool has_weights(const ModelRequest& request);

/// Models that --model can name: folders of pretrained_models/mar with a checkpoint, sorted.
std::vector<std::string> models_here(const std::optional<std::filesystem::path>& checkpoint_dir);

/// The MAR's checkpoint: --resume, else in the folder of the model's name. Throws Error (usage)
/// that says what is expected where, and the models that are there if the name is not one.
std::filesystem::path find_weights(const ModelRequest& request);

/// The VAE's: --vae_path, else `own`, which the MAR's file names, beside that file or where the
/// model has it, else KL-16. Throws Error (usage).
std::filesystem::path find_vae(const ModelRequest& request, const std::filesystem::path& mar_file,
                               const std::optional<std::string>& own);

}  // namespace lazymar
