#pragma once
/// lazymar_eval's options. Every default is defined in its struct and nowhere else.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/option_row.h"
#include "generate/class_list.h"
#include "pipeline/method_request.h"
#include "pipeline/model_files.h"
#include "run/image_files.h"
#include "score/extractor_choice.h"

namespace lazymar {

/// lazymar_eval's settings as given; resolve_sampling() fills in the rest.
struct EvalOptions : MethodRequest {
  ModelRequest model;
  int64_t num_images = 50000;
  static constexpr int64_t kCudaBatch = 128, kCpuBatch = 8;
  std::optional<int64_t> eval_bsz;  ///< default: one of these
  bool auto_batch = false;          ///< --eval_bsz auto: the largest that fits
  std::vector<int64_t> classes;     ///< empty: all
  ClassList class_list;             ///< as given; names among it need a model: fit_to_model()
  std::string device = "auto";
  std::string kernels = "auto";
  bool device_check = true;
  std::optional<int64_t> threads;
  std::filesystem::path output_dir = "output";
  bool overwrite = false;
  std::optional<std::pair<int64_t, int64_t>> grid;  ///< rows, columns of the contact sheet
  bool preview = false;                             ///< the sheet grows with the run
  // Processes.
  std::optional<int64_t> gpus;  ///< number of GPUs, one process each; default: all visible
  bool all_gpus = false;        ///< "--gpus all" was given: without a CUDA device it is an error
  static constexpr int64_t kWorkers = 1;
  std::optional<int64_t> workers;  ///< on CPUs; default kWorkers
  int64_t max_restarts = 3;        ///< of each worker
  bool join = false;               ///< become one more worker of the run at work in the folder
  double grace = 25;               ///< seconds from a stop signal to the end
  double stall = 300;              ///< seconds without a heartbeat until a process counts as dead
  bool halve_on_oom = true;        ///< else the run ends when memory runs out
  // Files.
  Durability durability = Durability::kShard;
  bool few_files = false;    ///< one tar per shard instead of a file per image
  bool verify_deep = false;  ///< the final check decodes every image and compares its hash
  bool metadata = true;      ///< PNGs contain their settings
  int64_t png_threads = 2;   ///< threads that encode images while the next shard is computed
  std::optional<std::filesystem::path> record_drift;  ///< folder for one file per image
  std::optional<int64_t> record_head;  ///< tokens of each image whose features of the head go there
  std::optional<std::filesystem::path> score;  ///< reference: compute features, score at the end
  ExtractorRequest extractor;
  bool explain = false;              ///< print the method, and draw nothing
  std::vector<std::string> ignored;  ///< flags of eval.py and main_mar.py that have no effect here
};

/// The table behind lazymar_eval's command line and the settings of its runs.
const OptionTable<EvalOptions>& eval_rows();

}  // namespace lazymar
