#include "pipeline/option_rows.h"

#include "cache/policies.h"
#include "core/shared_rows.h"
#include "diffusion/solvers.h"
#include "method/method_text.h"
#include "method/option_rows.h"
#include "method/presets.h"

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

/// `row` with its value in another member: what the user chose, or nothing.
template <typename T>
OptionRow<MethodRequest> chosen(const OptionRow<SamplingOptions>& row,
                                OptionField<MethodRequest> field, const T& otherwise) {
  OptionRow<MethodRequest> result(row.info, std::move(field));
  result.info.default_text = concat("the checkpoint's, or ", otherwise);
  return result;
}

/// A constant T overrides what a preset said, and is no setting where --head_steps holds.
OptionRow<MethodRequest> num_sampling_steps_row(OptionRow<MethodRequest> row) {
  row.present = [](const MethodRequest& request) { return request.plan.head_steps.empty(); };
  row.field.read = [read = row.field.read](MethodRequest& request, const std::string& text) {
    read(request, text);
    request.plan.head_steps.clear();
    request.num_sampling_steps_given = request.sampling.num_sampling_steps;
  };
  return row;
}

/// So does a cosine of N steps.
OptionRow<MethodRequest> num_iter_row(OptionRow<MethodRequest> row) {
  row.field.read = [read = row.field.read](MethodRequest& request, const std::string& text) {
    read(request, text);
    request.plan.tokens_per_step.clear();
    request.num_iter_given = request.sampling.num_iter;
  };
  return row;
}

/// Refuses a text that says another number than an option that was given besides.
void check_agreement(const std::string& text, int64_t said, const std::optional<int64_t>& given,
                     const char* option, const char* what) {
  if (given && *given != said) {
    throw usage_error(text, ": ", said, " ", what, ", but --", option, " says ", *given,
                      "; leave one of them out");
  }
}

/// "cosine:N" is --num_iter N; every other text sets num_iter to the steps it has.
OptionRow<MethodRequest> tokens_row(OptionRow<MethodRequest> row) {
  row.field.read = [read = row.field.read](MethodRequest& request, const std::string& text) {
    read(request, text);
    DecodingMethod method;
    read_tokens_per_step(text, method);
    check_agreement(text, method.steps(), request.num_iter_given, "num_iter", "decoding steps");
    request.sampling.num_iter = method.steps();
    if (method.stages.empty() && method.schedule == DecodingMethod().schedule) {
      request.plan.tokens_per_step.clear();
    }
  };
  return row;
}

/// What a row reads must be in a table that its room does not see.
OptionRow<MethodRequest> known_row(OptionRow<MethodRequest> row, void (*find)(const std::string&)) {
  row.field.read = [read = row.field.read, find](MethodRequest& request, const std::string& text) {
    find(text);
    read(request, text);
  };
  return row;
}

OptionRow<MethodRequest> head_steps_row(OptionRow<MethodRequest> row) {
  row.field.read = [read = row.field.read](MethodRequest& request, const std::string& text) {
    read(request, text);
    check_agreement(text, read_head_steps(text).front().steps, request.num_sampling_steps_given,
                    "num_sampling_steps", "diffusion steps at first");
  };
  return row;
}

/// Replaces a preset's cache. LazyMAR's own cache is --lazy_mar, however it is written.
OptionRow<MethodRequest> cache_row(OptionRow<MethodRequest> row) {
  row.field.read = [read = row.field.read](MethodRequest& request, const std::string& text) {
    const CacheSpec cache = read_cache(text);
    (void)cache_policies().at(cache.policy);
    if (!request.lazy_given) {
      request.lazy.reset();
    }
    read(request, text);
    if (cache == CacheSpec{"lazymar", {}}) {
      request.plan.cache.clear();
      request.lazy = request.lazy.value_or(LazyOptions());
    } else if (cache == CacheSpec() && !request.lazy) {
      request.plan.cache.clear();
    }
  };
  return row;
}

/// LazyMAR's options, which remember that one of them was written.
OptionTable<MethodRequest> lazy_rows_of_request() {
  OptionTable<MethodRequest> rows = within(lazy_rows(), &MethodRequest::lazy, "--lazy_mar");
  for (OptionRow<MethodRequest>& row : rows) {
    row.field.read = [read = row.field.read](MethodRequest& request, const std::string& text) {
      read(request, text);
      request.lazy_given = true;
    };
  }
  return rows;
}

OptionTable<MethodRequest> plan_rows_of_request() {
  OptionTable<MethodRequest> rows = within<MethodRequest>(plan_rows(), &MethodRequest::plan);
  for (OptionRow<MethodRequest>& row : rows) {
    if (row.info.name == "tokens_per_step") {
      row = tokens_row(row);
    } else if (row.info.name == "head_steps") {
      row = head_steps_row(row);
    } else if (row.info.name == "solver") {
      row = known_row(row, [](const std::string& name) { (void)solvers().at(name); });
    } else if (row.info.name == "cache") {
      row = cache_row(row);
    }
  }
  return rows;
}

/// Stands before the rows that it sets, so that what is given besides overrides it.
OptionRow<MethodRequest> method_row(const OptionTable<MethodRequest>& rows) {
  OptionField<MethodRequest> field;
  for (const MethodPreset& preset : presets().rows()) {
    field.words.emplace_back(preset.name);
  }
  field.read = [rows](MethodRequest& request, const std::string& name) {
    for (const PresetOption& option : presets().at(name).options) {
      row_named(rows, option.option).field.read(request, std::string(option.value));
    }
    request.method = name;
    // What the preset says is there to be overridden.
    request.num_iter_given.reset();
    request.num_sampling_steps_given.reset();
    request.lazy_given = false;
  };
  field.value = [](const MethodRequest& request) {
    return request.method.empty() ? OptionValue() : OptionValue(request.method);
  };
  return {{.name = "method",
           .value = "NAME",
           .group = "Sampling",
           .help = "Draw by this method, such as gtr-32 or disa.",
           .main = true,
           .arm = true,
           .setting = Setting{.key = "method", .png_text = true, .noted = true, .drift = true}},
          field};
}

OptionRow<MethodRequest> lazy_mar_row() {
  OptionField<MethodRequest> field;
  field.read = [](MethodRequest& request, const std::string&) {
    request.plan.cache.clear();  // a preset's: --cache is read after this
    request.lazy.emplace();
    request.lazy_given = true;
  };
  // Null without the caches; otherwise the caches' rows fill it in.
  field.value = [](const MethodRequest&) { return OptionValue(); };
  field.folder_text = [](const MethodRequest& request) {
    return !request.method.empty() ? request.method : request.lazy ? "lazy" : "baseline";
  };
  return {{.name = "lazy_mar",
           .group = "LazyMAR",
           .help = "Reuse what earlier steps computed: LazyMAR's three caches.",
           .main = true,
           .setting = Setting{.key = "lazy_mar", .always = true, .png_text = true},
           .folder = FolderPart{.label = "", .place = 2, .always = true}},
          field};
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

OptionTable<MethodRequest> method_rows() {
  using M = MethodRequest;
  const OptionTable<SamplingOptions> sampling = sampling_rows();
  const auto plain = within<MethodRequest>(sampling, &M::sampling);
  const SamplingOptions defaults;
  OptionTable<MethodRequest> own{
      num_iter_row(row_named(plain, "num_iter")),
      num_sampling_steps_row(row_named(plain, "num_sampling_steps")),
      chosen(row_named(sampling, "cfg"), number(&M::cfg, 0, 1000), defaults.cfg),
      chosen(row_named(sampling, "cfg_schedule"),
             choice(&M::cfg_schedule,
                    {{"linear", CfgSchedule::kLinear}, {"constant", CfgSchedule::kConstant}}),
             to_string(defaults.cfg_schedule)),
      row_named(plain, "temperature"),
      lazy_mar_row()};
  const OptionTable<MethodRequest> rows =
      join<MethodRequest>({own, lazy_rows_of_request(), plan_rows_of_request()});
  return join<MethodRequest>({{method_row(rows)}, rows});
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
