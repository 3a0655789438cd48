#include "pipeline/option_rows.h"

#include "core/shared_rows.h"

namespace lazymar {
namespace {

constexpr int64_t kMost = int64_t{1} << 31;
constexpr int64_t kMostCalibration = 10000;  ///< images

OptionTable<ArchitectureFlags> architecture_rows() {
  using A = ArchitectureFlags;
  const auto row = [](const char* name, const char* what, std::optional<int64_t> A::*member) {
    return OptionRow<A>(
        {.name = name,
         .value = "N",
         .group = "Architecture",
         .help = concat("Expect N ", what, " in the checkpoint. Random weights take it from here."),
         .default_text = "the checkpoint's"},
        integer(member, 1, kMost));
  };
  return {row("img_size", "pixels per side", &A::img_size),
          row("vae_stride", "pixels per latent and side", &A::vae_stride),
          row("vae_embed_dim", "latent channels", &A::vae_embed_dim),
          row("patch_size", "latents per token and side", &A::patch_size),
          row("class_num", "classes", &A::class_num),
          row("buffer_size", "buffer rows", &A::buffer_size),
          row("diffloss_d", "blocks in the diffusion head", &A::diffloss_d),
          row("diffloss_w", "channels in the diffusion head", &A::diffloss_w)};
}

OptionField<ModelRequest> model_field() {
  OptionField<ModelRequest> field =
      text(&ModelRequest::model, {"mar_base", "mar_large", "mar_huge", "demo"});
  field.read = [read = field.read](ModelRequest& request, const std::string& name) {
    read(request, name);
    request.model_given = true;
  };
  return field;
}

}  // namespace

OptionTable<ModelRequest> model_rows() {
  using M = ModelRequest;
  OptionTable<ModelRequest> own{
      {{.name = "model",
        .value = "NAME",
        .group = "Images",
        .help = "Use mar_base, mar_large, mar_huge, demo, or a folder of pretrained_models/mar.",
        .main = true,
        .setting = Setting{.key = "model",
                           .always = true,
                           .png_text = true,
                           .noted = true,
                           .identity = true,
                           .drift = true}},
       model_field()},
      {{.name = "seed",
        .value = "N",
        .group = "Images",
        .help = "Draw from seed N. Image i depends on the seed and i alone.",
        .main = true,
        .setting = Setting{.key = "seed", .always = true, .noted = true, .identity = true},
        .folder = FolderPart{.label = "seed", .place = 9}},
       integer(&M::seed, 0, INT64_MAX)},
      {{.name = "resume",
        .value = "PATH",
        .group = kModelGroup,
        .help = "Load the MAR from this checkpoint, or from this folder.",
        .default_text = "pretrained_models/mar/NAME",
        .folder = FolderPart{.label = "resume-", .place = 15}},
       path(&M::resume)},
      {{.name = "vae_path",
        .value = "FILE",
        .group = kModelGroup,
        .help = "Load the VAE from FILE.",
        .default_text = "the model's own, or pretrained_models/vae/kl16",
        .folder = FolderPart{.label = "vae-", .place = 16}},
       path(&M::vae_path)},
      checkpoint_dir_row(&M::checkpoint_dir, kModelGroup),
      {{.name = "random_weights",
        .group = kModelGroup,
        .help = "Draw the weights from the seed, to measure speed without a checkpoint.",
        .folder = FolderPart{.label = "random", .place = 14}},
       flag(&M::random_weights)},
      no_crc_row(&M::check_crc, kModelGroup)};
  return join<ModelRequest>({own, within<ModelRequest>(architecture_rows(), &M::architecture)});
}

OptionTable<ConvertOptions> convert_rows() {
  using C = ConvertOptions;
  constexpr const char* kGroup = "Conversion";
  return {
      {{.name = "input", .value = "IN", .hidden = true}, path(&C::input)},
      {{.name = "output", .value = "OUT", .hidden = true}, path(&C::output)},
      {{.name = "list",
        .value = "FILE",
        .group = kGroup,
        .help = "Print what FILE holds, and write nothing.",
        .main = true},
       path(&C::list)},
      {{.name = "dtype",
        .value = "TYPE",
        .group = kGroup,
        .help = "Write floating-point tensors as fp32, bf16 or fp16, or keep their types.",
        .main = true},
       choice(&C::dtype, {{"keep", std::nullopt},
                          {"fp32", ElementType::kF32},
                          {"bf16", ElementType::kBF16},
                          {"fp16", ElementType::kF16}})},
      {{.name = "weights",
        .value = "SET",
        .group = kGroup,
        .help = "Take the ema or the model weights of a training checkpoint.",
        .default_text = "ema if there are any",
        .main = true},
       choice(&C::weights, {{"ema", WeightSet::kEma}, {"model", WeightSet::kModel}})},
      {{.name = "int8",
        .group = kGroup,
        .help = "Write qkv, proj, fc1 and fc2 of a MAR's blocks in 8 bits, with factors by output.",
        .main = true},
       flag(&C::int8)},
      {{.name = "calibrate",
        .value = "N",
        .group = kGroup,
        .help = "With --int8: smooth the channels of activations, as N images that are drawn now "
                "show them.",
        .default_text = "not smoothed",
        .main = true},
       integer(&C::calibrate, 1, kMostCalibration)},
      no_crc_row(&C::check_crc, kGroup),
  };
}

}  // namespace lazymar
