#include "pipeline/convert.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "core/exit_code.h"
#include "core/log.h"
#include "core/text.h"
#include "files/byte_reader.h"
#include "files/writable_check.h"
#include "formats/safetensors.h"
#include "pipeline/network_reader.h"
#include "weights/bad_values.h"
#include "weights/network_names.h"
#include "weights/weights.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

bool is_float(ElementType type) {
  return type == ElementType::kF16 || type == ElementType::kBF16 || type == ElementType::kF32 ||
         type == ElementType::kF64;
}

bool is_mar(const WeightFile& file) {
  return file.tensors().contains(std::string(kMarTensor));
}

bool is_vae(const WeightFile& file) {
  return file.tensors().contains(std::string(kVaeTensor));
}

bool unused_by_vae(const std::string& name) {
  return std::any_of(kUnusedVaeTensors.begin(), kUnusedVaeTensors.end(),
                     [&](const char* prefix) { return name.starts_with(prefix); });
}

/// "2 of 64 values are NaN or infinite"; empty if none is.
std::string bad_values_text(const TensorView& view) {
  const int64_t bad = count_bad_values(view);
  const int64_t count = byte_count(view.type, view.shape) / element_size(view.type);
  return bad == 0 ? "" : concat(bad, " of ", count, " values are NaN or infinite");
}

/// Hands out the tensors of a file in another type, one at a time.
class Converter {
 public:
  Converter(const WeightFile& file, std::optional<ElementType> dtype)
      : file_(file), dtype_(dtype) {}

  std::map<std::string, TensorSource> tensors() {
    const bool vae = is_vae(file_);
    std::map<std::string, TensorSource> sources;
    for (const auto& [name, view] : file_.tensors()) {
      if (!vae || !unused_by_vae(name)) {
        if (const std::string bad = bad_values_text(view); !bad.empty()) {
          throw usage_error(file_.path().string(), ": ", in_quotes(name), ": ", bad,
                            ", which no program takes; nothing was written (--list FILE marks all ",
                            "such tensors); take another checkpoint");
        }
        const ElementType type = dtype_ && is_float(view.type) ? *dtype_ : view.type;
        sources[name] = {type, view.shape, [this, name, type] { return bytes(name, type); }};
      }
    }
    for (const auto& [name, reason] : file_.unreadable()) {
      if (!vae || !unused_by_vae(name)) {
        log_warning(concat("left out: ", in_quotes(name), ": ", reason));
      }
    }
    return sources;
  }

 private:
  std::span<const std::byte> bytes(const std::string& name, ElementType type) {
    const TensorView& view = *file_.find(name);
    if (view.strides.empty() && view.type == type) {
      return view.bytes;
    }
    const auto source = tensor_from_view(view, file_, name);
    current_ = source.to(scalar_type(type)).contiguous();
    const TensorView converted = view_of_tensor(current_);
    const int64_t bad = count_bad_values(converted);
    if (bad > 0 && count_bad_values(view) == 0) {
      throw usage_error(file_.path().string(), ": ", bad, " values of ", in_quotes(name),
                        " are too large for ", to_string(type), "; use --dtype bf16 or fp32");
    }
    return converted.bytes;
  }

  const WeightFile& file_;
  std::optional<ElementType> dtype_;
  at::Tensor current_;  ///< the last one that was handed out
};

/// Prints it, and returns why the file's network cannot be used; empty if nothing is known.
std::string print_config(const WeightFile& file) {
  try {
    if (is_mar(file)) {
      const CheckpointReader reader(file);
      const Preset* preset = preset_of_width(reader.size("z_proj.weight", 2, 0));
      const MarConfig config = read_mar_config(file, preset);
      std::printf(
          "MAR%s%s: encoder %ld x %ld wide, %ld heads; decoder %ld x %ld wide, %ld heads; "
          "%ld tokens of %ld channels, %ld buffer rows, %ld classes; "
          "diffusion MLP %ld x %ld wide\n",
          preset != nullptr ? ", heads as in " : "",
          preset != nullptr ? std::string(preset->name).c_str() : "", config.encoder_depth,
          config.encoder_dim, config.encoder_heads, config.decoder_depth, config.decoder_dim,
          config.decoder_heads, config.sequence_length, config.token_channels, config.buffer_size,
          config.class_count, config.head_depth, config.head_width);
    } else if (is_vae(file)) {
      const VaeConfig config = read_vae_config(file);
      std::printf("KL-VAE: %ld latent channels, %ld pixels per latent\n", config.embed_dim,
                  config.stride());
    }
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// Why a tensor of the file cannot be used: its checksum or its values; empty if it can.
std::string problem_of(const WeightFile& file, const std::string& name) {
  try {
    return bad_values_text(*file.find(name));
  } catch (const Error& error) {
    return error.what();
  }
}

/// `refusal`: why no program takes the file; empty if none is known yet.
ExitCode list(const WeightFile& file, std::string refusal) {
  constexpr size_t kLongest = 1000;
  std::printf("%s: %s\n", visible(file.path().string()).c_str(), file.description().c_str());
  for (const auto& [key, value] : file.metadata()) {
    std::printf("metadata %s: %s\n", in_quotes(key).c_str(), one_line(value, kLongest).c_str());
  }
  int64_t total = 0;
  size_t unusable = file.unreadable().size();
  for (const auto& [name, view] : file.tensors()) {
    const int64_t bytes = byte_count(view.type, view.shape);
    const std::string problem = problem_of(file, name);
    std::printf("%-60s %-5s %-20s %12ld bytes%s\n", one_line(name, kLongest).c_str(),
                std::string(to_string(view.type)).c_str(), shape_string(view.shape).c_str(), bytes,
                problem.empty() ? "" : concat("  UNUSABLE: ", visible(problem)).c_str());
    total += bytes;
    unusable += problem.empty() ? 0 : 1;
  }
  for (const auto& [name, reason] : file.unreadable()) {
    std::printf("%-60s UNUSABLE: %s\n", one_line(name, kLongest).c_str(), visible(reason).c_str());
  }
  std::printf("%zu tensors, %ld bytes\n", file.tensors().size(), total);
  if (const std::string wrong = print_config(file); refusal.empty()) {
    refusal = wrong;
  }
  const std::string name = file.path().string();
  if (file.tensors().empty() && file.unreadable().empty()) {
    refusal = concat(name, ": holds no tensors; is this the right file?");
  } else if (unusable > 0) {
    refusal = concat(name, ": ", unusable,
                     " tensors cannot be used; they are marked UNUSABLE in the list");
  }
  if (!refusal.empty()) {
    throw Error(ErrorKind::kFailed, refusal);
  }
  return ExitCode::kDone;
}

/// Lists the file with its network's own names; as it is if it holds several networks.
ExitCode list_file(const fs::path& path, WeightFileOptions how) {
  std::optional<WeightFile> file;
  std::string refusal;
  try {
    file.emplace(path, how);
  } catch (const Error& error) {
    refusal = error.what();
    how.networks.clear();
    file.emplace(path, how);  // throws what is wrong with the file itself
  }
  return list(*file, refusal);
}

void create_folder(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) {
    throw output_error(folder.string(), ": cannot create: ", failed.message());
  }
}

}  // namespace

ExitCode convert(const ConvertOptions& options) {
  const WeightFileOptions how{options.weights,
                              options.check_crc,
                              {kMarTensor, kVaeTensor, kInceptionTensor, kDemoClassifierTensor}};
  if (options.list) {
    return list_file(*options.list, how);
  }
  if (fs::exists(options.output)) {
    check_output_file(options.output, "OUT");
  } else {
    check_output_folder(options.output.parent_path(), "OUT");
  }
  const WeightFile file(options.input, how);
  Converter converter(file, options.dtype);
  const auto tensors = converter.tensors();
  if (tensors.empty()) {
    throw usage_error(options.input.string(), ": contains no tensors");
  }
  if (is_mar(file) && options.weights == WeightSet::kBest) {
    if (const std::string warning = missing_ema(file); !warning.empty()) {
      log_warning(warning);
    }
  }
  auto metadata = file.metadata();
  metadata["format"] = "pt";
  if (!file.section().empty()) {
    metadata["weights"] = file.section();
  }
  if (options.output.has_parent_path()) {
    create_folder(options.output.parent_path());
  }
  write_safetensors(options.output, tensors, metadata);
  std::printf("%s: %zu tensors of %s (%s), %.1f MB\n", visible(options.output.string()).c_str(),
              tensors.size(), visible(options.input.string()).c_str(), file.description().c_str(),
              static_cast<double>(fs::file_size(options.output)) / 1e6);
  return ExitCode::kDone;
}

}  // namespace lazymar
