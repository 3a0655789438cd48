#include "pipeline/option_rows.h"

#include <algorithm>

#include "bench/options.h"
#include "core/shared_rows.h"
#include "core/text.h"

namespace lazymar {
namespace {

constexpr const char* kComparison = "Comparison";
constexpr const char* kMeasurement = "Measurement";
constexpr const char* kOutput = "Output";
using B = BenchOptions;

OptionField<B> models_field() {
  OptionField<B> field;
  field.read = [](B& options, const std::string& text) {
    options.models = split(text, ',');
    if (std::count(options.models.begin(), options.models.end(), "") > 0) {
      throw usage_error(text, ": use names separated by commas");
    }
  };
  field.value = [](const B& options) { return OptionValue(options.models); };
  field.words = {"mar_base", "mar_large", "mar_huge", "demo"};
  return field;
}

OptionField<B> batches_field() {
  OptionField<B> field = member_field(&B::batches);
  field.read = [](B& options, const std::string& text) {
    constexpr int64_t kLargest = 1 << 16;
    options.batches.clear();
    for (const std::string& part : split(text, ',')) {
      options.batches.push_back(parse_index(part));
      if (options.batches.back() < 1 || options.batches.back() > kLargest) {
        throw usage_error(text, ": use numbers from 1 to ", kLargest, " separated by commas");
      }
    }
  };
  return field;
}

OptionTable<B> comparison_rows() {
  return {{{.name = "models",
            .value = "LIST",
            .group = kComparison,
            .help = "Time these models, named as for lazymar_eval --model.",
            .main = true},
           models_field()},
          {{.name = "batch",
            .value = "LIST",
            .group = kComparison,
            .help = "Compute so many images at once, such as 1,8,32.",
            .main = true},
           batches_field()},
          {{.name = "arms",
            .value = "ARMS",
            .group = kComparison,
            .help = "Compare these arms with the first: each is baseline, lazy or a --method, and "
                    "options of lazymar_eval. Arms with options are separated by semicolons.",
            .main = true},
           text(&B::arm_list)}};
}

/// lazymar_eval's options that are also accepted here, for arms that do not set them.
OptionTable<B> common_rows() {
  const OptionTable<MethodRequest> method = method_rows();
  OptionTable<B> rows =
      within<B>(OptionTable<MethodRequest>{row_named(method, "num_iter"),
                                           row_named(method, "num_sampling_steps"),
                                           precision_row(&MethodRequest::precision)},
                &B::common);
  for (OptionRow<B>& row : rows) {
    row.info.group = kComparison;
    row.info.main = true;
  }
  return rows;
}

OptionTable<B> measurement_rows() {
  return {{{.name = "repeats",
            .value = "N",
            .group = kMeasurement,
            .help = "Measure each arm N times, in turns, after one run that does not count.",
            .main = true},
           integer(&B::repeats, 1, 1000)},
          {{.name = "sample_steps",
            .value = "N",
            .group = kMeasurement,
            .help = "Run only N decoding steps of each kind, and extrapolate the others.",
            .default_text = "run all steps",
            .main = true},
           integer(&B::sample_steps, 1, 1000)},
          {{.name = "count",
            .group = kMeasurement,
            .help = "Print the FLOPs of every arm by component, and run nothing. Needs no weights.",
            .main = true},
           flag(&B::count)},
          {{.name = "launches",
            .group = kMeasurement,
            .help = "Print the kernels that a GPU would launch, by name, with bytes, FLOPs and the "
                    "least time on two cards, and run nothing. Needs no GPU and no weights."},
           flag(&B::launches)},
          {{.name = "types",
            .group = kMeasurement,
            .help = "Print the speed of the models' products in each number type, and run no "
                    "model. Needs no weights."},
           flag(&B::types)},
          device_row(&B::device),
          threads_row(&B::threads)};
}

OptionTable<B> output_rows() {
  return {{{.name = "markdown",
            .value = "FILE",
            .group = kOutput,
            .help = "Write the printed table to FILE.",
            .main = true},
           path(&B::markdown)},
          {{.name = "json",
            .value = "FILE",
            .group = kOutput,
            .help = "Write everything that was measured to FILE.",
            .main = true},
           path(&B::json)},
          {{.name = "csv",
            .value = "FILE",
            .group = kOutput,
            .help = "Write a line per model, batch and arm to FILE.",
            .main = true},
           path(&B::csv)}};
}

}  // namespace

OptionTable<BenchOptions> bench_rows() {
  const OptionTable<B> model = within<B>(model_rows(), &B::model);
  OptionTable<B> weights{row_named(model, "random_weights"), row_named(model, "vae_path"),
                         row_named(model, "no_crc"), row_named(model, "seed")};
  weights.front().info.main = true;
  weights.back().info.group = kModelGroup;
  return join<B>({comparison_rows(), common_rows(), measurement_rows(), weights, output_rows()});
}

}  // namespace lazymar
