#include "pipeline/option_rows.h"

#include <algorithm>

#include "core/shared_rows.h"
#include "core/text.h"
#include "generate/ignored_rows.h"
#include "generate/options.h"
#include "score/command.h"

namespace lazymar {
namespace {

constexpr const char* kImages = "Images";
constexpr const char* kOutput = "Output";
constexpr const char* kProcesses = "Processes";
constexpr int64_t kMost = int64_t{1} << 31;
using E = EvalOptions;

OptionField<E> classes_field() {
  OptionField<E> field = member_field(&E::classes);
  field.read = [](E& options, const std::string& text) {
    try {
      options.class_list = parse_class_list(text);
      options.classes = has_names(options.class_list) ? std::vector<int64_t>()
                                                      : class_numbers(options.class_list, {});
    } catch (const Error& error) {
      throw usage_error(text, ": ", error.what());
    }
  };
  field.folder_text = [](const E& options) { return class_list_name(options.classes); };
  return field;
}

/// A number, or a keyword that sets `chosen` instead.
OptionField<E> number_or(const char* word, bool E::*chosen, std::optional<int64_t> E::*member,
                         int64_t most) {
  OptionField<E> field = integer(member, 1, most);
  field.words = {word};
  field.read = [=, number = field.read](E& options, const std::string& text) {
    options.*chosen = text == word;
    (options.*member).reset();
    if (text != word) {
      number(options, text);
    }
  };
  return field;
}

/// The run folder's name contains "auto", because the number is known only once the folder is open.
OptionField<E> batch_field() {
  OptionField<E> field = number_or("auto", &E::auto_batch, &E::eval_bsz, 1 << 16);
  field.folder_text = [](const E& options) {
    return options.auto_batch ? "auto" : to_text(to_value(options.eval_bsz));
  };
  return field;
}

OptionField<E> grid_field() {
  OptionField<E> field;
  field.read = [](E& options, const std::string& text) {
    constexpr int64_t kMostTiles = 64;
    const std::vector<std::string> parts = split(text, 'x');
    const int64_t rows = parse_index(parts.front());
    const int64_t columns = parse_index(parts.back());
    if (parts.size() != 2 || std::min(rows, columns) < 1 || std::max(rows, columns) > kMostTiles) {
      throw usage_error(text, ": use ROWSxCOLUMNS, at most ", kMostTiles, " each");
    }
    options.grid = {rows, columns};
  };
  field.value = [](const E& options) {
    return options.grid ? OptionValue(concat(options.grid->first, "x", options.grid->second))
                        : OptionValue();
  };
  return field;
}

OptionField<E> durability_field() {
  OptionField<E> field;
  field.read = [](E& options, const std::string& text) {
    options.durability = parse_durability(text);
  };
  field.value = [](const E& options) { return OptionValue(to_string(options.durability)); };
  field.words = {"none", "shard", "file"};
  return field;
}

OptionTable<E> image_rows() {
  return {
      {{.name = "num_images",
        .value = "N",
        .group = kImages,
        .help = "Generate N images.",
        .main = true,
        .setting = Setting{.key = "num_images", .always = true, .noted = true, .identity = true},
        .folder = FolderPart{.label = "n", .place = 7}},
       integer(&E::num_images, 1, kMost)},
      {{.name = "classes",
        .value = "LIST",
        .group = kImages,
        .help = "Draw only these classes, such as 0-9,otter or @FILE.",
        .default_text = "all",
        .main = true,
        .setting = Setting{.key = "classes", .always = true, .noted = true, .identity = true},
        .folder = FolderPart{.label = "classes", .place = 8}},
       classes_field()},
      {{.name = "eval_bsz",
        .value = "N",
        .group = kImages,
        .help = "Compute N images at once, or auto: as many as fit.",
        .default_text = concat(E::kCudaBatch, " on a GPU, ", E::kCpuBatch, " on a CPU"),
        .main = true,
        .arm = true,
        .setting = Setting{.key = "eval_bsz", .always = true, .noted = true},
        .folder = FolderPart{.label = "bsz", .place = 10}},
       batch_field()},
  };
}

OptionTable<E> explain_rows() {
  return {{{.name = "explain",
            .group = "Sampling",
            .help = "Print the method's options with their sources, its steps and its FLOPs, and "
                    "draw nothing."},
           flag(&E::explain)}};
}

OptionTable<E> output_rows() {
  return {
      {{.name = "output_dir",
        .value = "DIR",
        .group = kOutput,
        .help = "Write the run folder to DIR/<model>/<settings>.",
        .main = true},
       path(&E::output_dir)},
      {{.name = "overwrite",
        .group = kOutput,
        .help = "Start over, instead of resuming an earlier run.",
        .main = true},
       flag(&E::overwrite)},
      {{.name = "grid",
        .value = "RxC",
        .group = kOutput,
        .help = "Write a contact sheet, info/grid.png, such as 4x10.",
        .main = true},
       grid_field()},
      {{.name = "preview",
        .group = kOutput,
        .help = "Refresh the contact sheet (8x8, or --grid) while the run goes on."},
       flag(&E::preview)},
  };
}

OptionTable<E> file_rows() {
  return {
      {{.name = "few_files",
        .group = kOutput,
        .help = "Write one tar per shard instead of one PNG per image.",
        .setting = Setting{.key = "few_files", .always = true},
        .folder = FolderPart{.label = "tar", .place = 12}},
       flag(&E::few_files)},
      {{.name = "no_metadata",
        .group = kOutput,
        .help = "Write PNGs without the text that says what made them.",
        .setting = Setting{.key = "metadata", .always = true},
        .folder = FolderPart{.label = "plain", .place = 13}},
       flag(&E::metadata, false)},
      {{.name = "durability",
        .value = "WHAT",
        .group = kOutput,
        .help = "Sync files to disk never (none), after each shard, or one by one (file)."},
       durability_field()},
      {{.name = "verify",
        .value = "WHAT",
        .group = kOutput,
        .help = "Check the finished files: quick, or deep with hashes and decoding."},
       choice(&E::verify_deep, {{"quick", false}, {"deep", true}})},
      {{.name = "png_threads",
        .value = "N",
        .group = kOutput,
        .help = "Encode PNGs on N threads while the next images are computed."},
       integer(&E::png_threads, 1, 256)},
      {{.name = "record_drift",
        .value = "DIR",
        .group = kOutput,
        .help = "Record how transformer rows change between decoding steps, for lazymar_compare. "
                "Works for plain MAR and a few images.",
        .aliases = {"record_features"}},
       path(&E::record_drift)},
      {{.name = "record_head",
        .value = "N",
        .group = kOutput,
        .help = "Record also what the diffusion head computes for N tokens of each image, for "
                "lazymar_compare --replay.",
        .default_text = "none"},
       integer(&E::record_head, 1, 1 << 16),
       {{[](const E& options) { return options.record_drift.has_value(); }, "--record_drift"}}},
  };
}

OptionTable<E> process_rows() {
  constexpr double kDay = 86400;
  return {
      {{.name = "gpus",
        .value = "N",
        .group = kProcesses,
        .help = "Work on N GPUs, one process each, or on all.",
        .default_text = "all",
        .main = true},
       number_or("all", &E::all_gpus, &E::gpus, 1024)},
      {{.name = "workers",
        .value = "N",
        .group = kProcesses,
        .help = "Run N processes on the CPU.",
        .default_text = to_text(E::kWorkers)},
       integer(&E::workers, 1, 1024)},
      {{.name = "join",
        .group = kProcesses,
        .help = "Become one more worker of the run that is at work in the folder."},
       flag(&E::join)},
      {{.name = "max_restarts",
        .value = "N",
        .group = kProcesses,
        .help = "Restart a process that dies up to N times."},
       integer(&E::max_restarts, 0, kMost)},
      {{.name = "grace",
        .value = "S",
        .group = kProcesses,
        .help = "Stop within S seconds of SIGTERM, SIGINT or SIGUSR1."},
       number(&E::grace, 0.1, kDay)},
      {{.name = "stall",
        .value = "S",
        .group = kProcesses,
        .help = "Treat a process as dead after S seconds without a heartbeat."},
       number(&E::stall, 0.1, kDay)},
      {{.name = "oom",
        .value = "WHAT",
        .group = kProcesses,
        .help = "If memory runs out, halve the batch, or fail."},
       choice(&E::halve_on_oom, {{"halve", true}, {"fail", false}})},
  };
}

OptionTable<E> score_while_generating_rows() {
  OptionTable<E> rows{{{.name = "score",
                        .value = "REF",
                        .group = "Scores",
                        .help = "Score the run against REF, or by rules.",
                        .main = true},
                       path(&E::score)}};
  for (OptionRow<E>& row : within<E>(extractor_rows("Scores"), &E::extractor)) {
    row.needs.push_back({[](const E& options) { return options.score.has_value(); }, "--score"});
    rows.push_back(row);
  }
  return rows;
}

OptionTable<E> make_rows() {
  const OptionTable<E> model = within<E>(model_rows(), &E::model);
  OptionTable<E> files;
  for (const OptionRow<E>& row : model) {
    if (row.info.name != "model" && row.info.name != "seed") {
      files.push_back(row);
    }
  }
  OptionTable<E> arithmetic;
  for (const OptionRow<MethodRequest>& row :
       {precision_row(&MethodRequest::precision), cuda_graphs_row(&MethodRequest::cuda_graphs),
        head_blocks_row(&MethodRequest::head_blocks)}) {
    arithmetic.push_back(inherited<E>(OptionTable<MethodRequest>{row}).front());
  }
  return join<E>({{row_named(model, "model")},
                  image_rows(),
                  {row_named(model, "seed")},
                  inherited<E>(method_rows()),
                  explain_rows(),
                  output_rows(),
                  file_rows(),
                  {device_row(&E::device)},
                  arithmetic,
                  {kernels_row(&E::kernels), device_check_row(&E::device_check)},
                  {threads_row(&E::threads)},
                  process_rows(),
                  score_while_generating_rows(),
                  files,
                  ignored_rows()});
}

}  // namespace

const OptionTable<EvalOptions>& eval_rows() {
  static const OptionTable<EvalOptions> rows = make_rows();
  return rows;
}

}  // namespace lazymar
