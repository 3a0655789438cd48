#pragma once
/// A weight file of any format: safetensors, or torch.save's zip or stream format.

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "files/mapped_file.h"
#include "formats/torch/torch_checkpoint.h"
#include "formats/weight_content.h"

namespace lazymar {

/// How a file is read; a safetensors file has one set of weights and no checksums.
struct WeightFileOptions {
  WeightSet weights = WeightSet::kBest;
  bool check_crc = true;
  /// Tensors by which networks are known. Names that lead up to the first one found are taken as
  /// the network has them: see weights/network_names.h. Empty: names stay as they are.
  std::vector<std::string_view> networks = {};
};

/// A memory-mapped file and its content; views stay valid while owner() does. Only requested data
/// is read. Not thread-safe.
class WeightFile {
 public:
  /// The first bytes determine the format. Logs in one line what was taken off the names. Throws
  /// Error (usage), see the parsers and find_network().
  explicit WeightFile(const std::filesystem::path& path, const WeightFileOptions& options = {});

  /// Weights that are in memory. `name` stands for the path in messages; `owner` keeps the bytes of
  /// `content` alive. Throws Error (usage), see find_network().
  WeightFile(const std::string& name, WeightContent content, std::shared_ptr<const void> owner,
             const WeightFileOptions& options = {});

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, TensorView>& tensors() const { return content_.tensors; }
  const std::map<std::string, std::string>& metadata() const { return content_.metadata; }
  /// Names without a usable tensor, and why.
  const std::map<std::string, std::string>& unreadable() const { return content_.unreadable; }
  /// Keeps the bytes alive for tensors that point into them.
  const std::shared_ptr<const void>& owner() const { return owner_; }
  /// Of a file; none if the weights are in memory.
  std::span<const std::byte> bytes() const { return bytes_; }
  /// The checkpoint's key of the tensors ("model_ema"); empty if there is none.
  const std::string& section() const { return content_.section; }
  /// The format, for people: "torch.save's zip format, EMA weights".
  std::string description() const;

  /// The tensor of that name; its checksum is checked at the first use. nullptr if there is none.
  /// Throws Error (usage) if it is damaged or unreadable, or there under a name of another kind
  /// than the others', see mixed_names().
  const TensorView* find(const std::string& name) const;

 private:
  void name_tensors(const WeightFileOptions& options);

  std::filesystem::path path_;
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
  WeightContent content_;
  std::string format_;
  mutable std::vector<bool> checked_;  ///< by record
};

}  // namespace lazymar
