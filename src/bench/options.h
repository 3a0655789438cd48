#pragma once
/// lazymar_bench's options.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/option_row.h"
#include "pipeline/method_request.h"
#include "pipeline/model_files.h"

namespace lazymar {

/// One of the compared settings.
struct BenchArm {
  std::string name;  ///< as given: "baseline", "lazy --lazy_refresh 5"
  MethodRequest method;
  std::optional<int64_t> batch;  ///< images computed at once, if the arm sets it
};

/// Every arm is run with every model and batch size; arms of one model and batch take turns.
struct BenchOptions {
  std::vector<std::string> models{"mar_huge"};
  std::vector<int64_t> batches{1};
  std::string arm_list = "baseline,lazy";  ///< as given
  std::vector<BenchArm> arms;              ///< parsed from it
  MethodRequest common;                    ///< for what an arm does not set
  int64_t repeats = 3;  ///< measured runs of each arm, after one that does not count
  /// Decoding steps of each kind to run; the others are extrapolated. Empty: run all.
  std::optional<int64_t> sample_steps;
  ModelRequest model;  ///< except the model's name
  std::string device = "auto";
  std::optional<int64_t> threads;
  bool count = false;                                        ///< FLOPs on paper, and nothing is run
  bool launches = false;                                     ///< likewise what a GPU would launch
  bool types = false;                                        ///< rates of products, and no model
  std::optional<std::filesystem::path> markdown, json, csv;  ///< files to write
};

OptionTable<BenchOptions> bench_rows();

}  // namespace lazymar
