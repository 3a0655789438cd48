#pragma once
/// Scores a set of images: lazymar_score each of its sets, lazymar_eval its run.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "metrics/extractor.h"
#include "score/extraction.h"
#include "score/feature_file.h"
#include "score/image_source.h"
#include "score/scores.h"

namespace lazymar {

/// Where features are read and saved.
struct FeatureKeeping {
  bool reuse = true;  ///< saved features are used
  bool keep = false;  ///< new ones are saved
  /// Default: info/features/ of a run, else the folder that contains the set.
  std::optional<std::filesystem::path> folder;
};

/// Observers.
struct ScoringHooks {
  std::function<void()> between = [] {};        ///< between batches; may throw
  std::function<void(const std::string&)> say;  ///< receives messages for people
};

class Scoring {
 public:
  /// The extractor must outlive it. `threads` load images.
  Scoring(const FeatureExtractor& extractor, FeatureKeeping keeping, int64_t threads,
          ScoringHooks hooks);

  const ExtractorId& extractor() const { return extractor_id_; }

  /// Features of a set: saved ones, and computed ones for the rest, which are saved in parts
  /// meanwhile and in one file at the end. Reports problems with the images.
  FeatureTable features(const ImageSource& source) const;

  /// What to score against: statistics (.npz with mu and sigma; the images in it, arr_0, serve KID,
  /// precision and recall), a file of saved features, or images. `below`: see open_image_source().
  /// Throws Error (usage).
  Reference reference(const std::filesystem::path& path, const Metrics& metrics,
                      RunsBelow below = RunsBelow::kRefused) const;

 private:
  std::filesystem::path feature_file(const ImageSource& source, const std::string& part) const;
  void keep_whole(const ImageSource& source, const FeatureTable& table) const;

  const FeatureExtractor& extractor_;
  FeatureKeeping keeping_;
  int64_t threads_;
  ScoringHooks hooks_;
  ExtractorId extractor_id_;
};

/// Where a set's features are read and saved.
std::filesystem::path feature_folder(const FeatureKeeping& keeping, const ImageSource& source);

/// Checks that reference() can use the path with the extractor of that name, as far as possible
/// without its weights. Statistics and features of another extractor are refused, and the message
/// names it. Throws Error (usage). Quick.
void check_reference(const std::filesystem::path& path, const std::string& extractor,
                     RunsBelow below = RunsBelow::kRefused);

/// What check_reference() cannot check: that statistics have as many features as the extractor, and
/// that their sigma is a covariance.
/// Throws Error (usage). Quick.
void check_statistics(const std::filesystem::path& path, const FeatureExtractor& extractor);

/// Writes the scores to the run's info/scores.json. Throws Error (output).
void write_scores(const std::filesystem::path& run, const nlohmann::ordered_json& scores);
/// The same for a run that may be somebody else's: warns if that fails.
void leave_scores(const std::filesystem::path& run, const nlohmann::ordered_json& scores);

}  // namespace lazymar
