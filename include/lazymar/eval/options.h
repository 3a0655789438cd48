#pragma once
/// Command lines of the tools. Every option's default stands in its struct, nowhere else.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lazymar/core/config.h"
#include "lazymar/eval/model_files.h"
#include "lazymar/eval/score.h"
#include "lazymar/io/weight_file.h"
#include "lazymar/report/compare.h"
#include "lazymar/run/image_files.h"

namespace lazymar {

/// lazymar_eval's settings as given; what was not given is filled in by resolve_sampling().
struct EvalOptions {
  ModelRequest model;
  SamplingOptions sampling;
  std::optional<double> cfg;                ///< overrides the checkpoint's recommendation
  std::optional<CfgSchedule> cfg_schedule;  ///< likewise
  std::optional<LazyOptions> lazy;          ///< set by --lazy_mar
  int64_t num_images = 50000;
  std::optional<int64_t> eval_bsz;  ///< default 128 on CUDA, 8 on CPUs
  bool auto_batch = false;          ///< --eval_bsz auto: as many as fit
  std::vector<int64_t> classes;     ///< empty: all
  std::string device = "auto";
  Precision precision = Precision::kAuto;
  bool cuda_graphs = true;  ///< off: every kernel is launched by itself
  std::optional<int64_t> threads;
  std::filesystem::path output_dir = "output";
  bool overwrite = false;
  std::optional<std::pair<int64_t, int64_t>> grid;  ///< rows, columns of the contact sheet
  bool preview = false;                             ///< the sheet grows with the run
  // Processes.
  std::optional<int64_t> gpus;     ///< how many GPUs, a process each; default: all visible ones
  bool all_gpus = false;           ///< "--gpus all" was said: no CUDA device is an error then
  std::optional<int64_t> workers;  ///< on CPUs; default 1
  int64_t max_restarts = 3;        ///< of each worker
  double grace = 25;               ///< seconds from a stop signal to the end
  double stall = 300;              ///< seconds without a sign of life after which a process is gone
  bool halve_on_oom = true;        ///< else running out of memory ends the run
  // Files.
  Durability durability = Durability::kBlock;
  bool few_files = false;    ///< one tar per block instead of a file per image
  bool verify_deep = false;  ///< the last check decodes every image and compares its hash
  bool metadata = true;      ///< PNGs say what made them
  int64_t png_threads = 2;   ///< that encode images while the next block is computed
  std::optional<std::filesystem::path> record_features;  ///< a file per image goes there
  std::optional<std::filesystem::path> score;  ///< reference: take features, score at the end
  ExtractorRequest extractor;
  std::vector<std::string> ignored;  ///< flags of eval.py and main_mar.py without a meaning here
};

/// lazymar_verify's settings.
struct VerifyOptions {
  std::filesystem::path trace;
  std::optional<std::filesystem::path> weights, vae, dump;
  std::optional<double> tolerance;  ///< of the NMSE; default 1e-12 in fp64, 1e-7 in fp32
  Precision precision = Precision::kFp64;
  std::string device = "auto";
  bool cuda_graphs = true;
  std::optional<int64_t> threads;
};

/// lazymar_convert's settings: input and output, or list.
struct ConvertOptions {
  std::filesystem::path input, output;
  std::optional<std::filesystem::path> list;
  std::optional<ElementType> dtype;  ///< of floating-point tensors; default: as they are
  WeightSet weights = WeightSet::kBest;
  bool check_crc = true;
};

/// Either the options, or text to print before a successful exit (--help, --version).
template <typename Options>
struct Parsed {
  Options options;
  std::optional<std::string> text;
};

/// Throws Error (usage) for an unknown flag or a value out of range.
Parsed<EvalOptions> parse_eval_options(int argc, const char* const* argv);
Parsed<VerifyOptions> parse_verify_options(int argc, const char* const* argv);
Parsed<ConvertOptions> parse_convert_options(int argc, const char* const* argv);
Parsed<CompareOptions> parse_compare_options(int argc, const char* const* argv);
Parsed<ScoreOptions> parse_score_options(int argc, const char* const* argv);

/// Command line over the checkpoint's recommendation over the defaults.
SamplingOptions resolve_sampling(const EvalOptions& options,
                                 const RecommendedSampling& recommended);

}  // namespace lazymar
