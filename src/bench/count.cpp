#include "bench/count.h"

#include <cstdio>
#include <string>

#include "bench/models.h"
#include "core/text.h"
#include "files/atomic_file.h"
#include "files/writable_check.h"
#include "flops/cost_table.h"
#include "pipeline/model_files.h"

namespace lazymar {
namespace {

std::string costs_of(const BenchOptions& options, const std::string& model) {
  ModelRequest request = options.model;
  request.model = model;
  const NetworkShape shape = open_listed([&] { return read_shape(request); });
  std::vector<CostRow> rows;
  for (const BenchArm& arm : options.arms) {
    rows.push_back(cost_row(shape.mar, shape.vae, resolve_method(arm.method, shape.recommended),
                            resolve_baseline(arm.method, shape.recommended), arm.method.precision));
    rows.back().name = arm.name;
  }
  return concat(model, " (", shape.source, ")\n\n", cost_table(rows));
}

}  // namespace

ExitCode count_flops(const BenchOptions& options) {
  if (options.markdown) {
    check_output_file(*options.markdown, "--markdown");
  }
  std::string text;
  for (const std::string& model : options.models) {
    text += concat(text.empty() ? "" : "\n", costs_of(options, model));
  }
  std::fputs(visible(text, /*keep_lines=*/true).c_str(), stdout);
  if (options.markdown) {
    write_text_atomically(*options.markdown, text);
  }
  return ExitCode::kDone;
}

}  // namespace lazymar
