#include "pipeline/convert.h"

#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "core/exit_code.h"
#include "core/log.h"
#include "core/text.h"
#include "files/byte_reader.h"
#include "files/writable_check.h"
#include "pipeline/converted_tensors.h"
#include "pipeline/network_reader.h"
#include "weights/network_names.h"

namespace lazymar {
namespace {

namespace fs = std::filesystem;

bool is_mar(const WeightFile& file) {
  return file.tensors().contains(std::string(kMarTensor));
}

bool is_vae(const WeightFile& file) {
  return file.tensors().contains(std::string(kVaeTensor));
}

void print_mar(const WeightFile& file) {
  const CheckpointReader reader(file);
  const Preset* preset = preset_of_width(reader.size("z_proj.weight", 2, 0));
  const bool known = tells_heads(file, preset);
  const MarConfig config = read_mar_config(file, preset, 1);
  const auto heads = [known](int64_t count) {
    return known ? concat(count, " heads") : std::string("heads unknown");
  };
  std::printf(
      "MAR%s%s: encoder %ld x %ld wide, %s; decoder %ld x %ld wide, %s; "
      "%ld tokens of %ld channels, %ld buffer rows, %ld classes; "
      "diffusion MLP %ld x %ld wide\n",
      preset != nullptr ? ", heads as in " : "",
      preset != nullptr ? std::string(preset->name).c_str() : "", config.encoder_depth,
      config.encoder_dim, heads(config.encoder_heads).c_str(), config.decoder_depth,
      config.decoder_dim, heads(config.decoder_heads).c_str(), config.sequence_length,
      config.token_channels, config.buffer_size, config.class_count, config.head_depth,
      config.head_width);
}

/// Prints it, and returns why the file's network cannot be used; empty if nothing is known. That a
/// file does not tell the number of heads is no fault of it: the line says so.
std::string print_config(const WeightFile& file) {
  try {
    if (is_mar(file)) {
      print_mar(file);
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
  std::printf("%s: %s\n", visible(file.path().string()).c_str(),
              visible(file.description()).c_str());
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

TensorConversion conversion_of(const ConvertOptions& options, const WeightFile& file) {
  TensorConversion conversion{options.dtype, options.int8, {}};
  if (options.calibrate) {
    if (!is_mar(file)) {
      throw usage_error(options.input.string(), ": --calibrate: no MAR");
    }
    conversion.smoothing = Smoothing::calibrated(file, *options.calibrate);
  }
  return conversion;
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
  ConvertedTensors converted(file, conversion_of(options, file));
  const auto tensors = converted.tensors();
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
  if (options.int8) {
    metadata["int8"] = options.calibrate ? concat("smoothed with ", *options.calibrate, " images")
                                         : "not smoothed";
  }
  if (options.output.has_parent_path()) {
    create_folder(options.output.parent_path());
  }
  write_safetensors(options.output, tensors, metadata);
  std::printf("%s: %zu tensors of %s (%s), %.1f MB\n", visible(options.output.string()).c_str(),
              tensors.size(), visible(options.input.string()).c_str(),
              visible(file.description()).c_str(),
              static_cast<double>(fs::file_size(options.output)) / 1e6);
  return ExitCode::kDone;
}

}  // namespace lazymar
