#pragma once
/// Rows that several programs share.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/option_field.h"
#include "core/precision.h"

namespace lazymar {

inline constexpr const char* kDeviceGroup = "Device";

/// Where a program computes. The settings of a run contain the device's model: see settings_json().
template <typename S>
OptionRow<S> device_row(std::string S::*member) {
  return {{.name = "device",
           .value = "NAME",
           .group = kDeviceGroup,
           .help = "Compute on cpu, cuda, cuda:N, or auto: a GPU if any.",
           .main = true,
           .setting = Setting{.key = "device", .always = true, .noted = true}},
          text(member, {"auto", "cpu", "cuda"})};
}

template <typename S>
OptionRow<S> precision_row(Precision S::*member) {
  OptionField<S> field;
  field.read = [member](S& options, const std::string& text) {
    options.*member = parse_precision(text);
  };
  field.value = [member](const S& options) {
    return OptionValue(std::string(to_string(options.*member)));
  };
  field.words = precision_names();
  return {{.name = "precision",
           .value = "TYPE",
           .group = kDeviceGroup,
           .help = concat("Compute in ", alternatives(field.words),
                          ". auto is the faster of bf16 and fp32."),
           .main = true,
           .arm = true,
           .setting = Setting{.key = "precision", .always = true, .png_text = true, .noted = true},
           .folder = FolderPart{.label = "", .place = 11}},
          field};
}

template <typename S>
OptionRow<S> cuda_graphs_row(bool S::*member) {
  return {{.name = "cuda_graphs",
           .value = "on|off",
           .group = kDeviceGroup,
           .help = "Replay decoding steps and the diffusion loop as CUDA graphs.",
           .arm = true,
           .setting = Setting{.key = "graphs", .noted = true}},
          choice(member, {{"on", true}, {"off", false}})};
}

template <typename S>
OptionRow<S> head_blocks_row(bool S::*member) {
  return {{.name = "head_blocks",
           .value = "on|off",
           .group = kDeviceGroup,
           .help = "Launch the blocks of the diffusion head together where a GPU can, for up to 16 "
                   "rows.",
           .arm = true},
          choice(member, {{"on", true}, {"off", false}})};
}

/// Which code computes on a GPU. The settings of a run say what was used: see settle_kernels().
template <typename S>
OptionRow<S> kernels_row(std::string S::*member) {
  OptionField<S> field = choice(member, {{"auto", "auto"}, {"own", "own"}, {"plain", "plain"}});
  // A run's settings say what computed, which may be no choice: "own except norm".
  field.value = member_field(member).value;
  return {
      {.name = "kernels",
       .value = "WHICH",
       .group = kDeviceGroup,
       .help = "Compute on a GPU by LazyMAR's own kernels, by plain LibTorch, or auto: by those "
               "that pass --device_check. LAZYMAR_KERNELS says the same.",
       .setting = Setting{.key = "kernels", .noted = true}},
      field};
}

template <typename S>
OptionRow<S> device_check_row(bool S::*member) {
  return {{.name = "device_check",
           .value = "on|off",
           .group = kDeviceGroup,
           .help = "Compare a GPU's kernels and graphs with plain LibTorch before they are used."},
          choice(member, {{"on", true}, {"off", false}})};
}

template <typename S>
OptionRow<S> threads_row(std::optional<int64_t> S::*member) {
  constexpr int64_t kMostThreads = 1 << 12;
  return {{.name = "threads",
           .value = "N",
           .group = kDeviceGroup,
           .help = "Use N CPU threads in each process.",
           .default_text = "its share of the cores",
           .main = true},
          integer(member, 1, kMostThreads)};
}

template <typename S>
OptionRow<S> checkpoint_dir_row(std::optional<std::filesystem::path> S::*member,
                                const char* group) {
  return {{.name = "checkpoint_dir",
           .value = "DIR",
           .group = group,
           .help = "Look for weights in DIR first. It is laid out like pretrained_models.",
           .default_text = "LAZYMAR_HOME, the working directory, then what is installed"},
          path(member)};
}

template <typename S>
OptionRow<S> no_crc_row(bool S::*member, const char* group) {
  return {{.name = "no_crc", .group = group, .help = "Skip the checksums in a .pth or .ckpt file."},
          flag(member, false)};
}

}  // namespace lazymar
