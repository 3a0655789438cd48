#include "bench/table_files.h"

#include <cstdio>
#include <utility>

#include "core/text.h"
#include "files/atomic_file.h"
#include "files/writable_check.h"

namespace lazymar {

void check_table_files(const BenchOptions& options) {
  for (const auto& [path, name] : {std::pair(options.markdown, "--markdown"),
                                   {options.json, "--json"},
                                   {options.csv, "--csv"}}) {
    if (path) {
      check_output_file(*path, name);
    }
  }
}

void publish(const BenchOptions& options, const std::string& table, const std::string& json) {
  std::fputs(visible(table, /*keep_lines=*/true).c_str(), stdout);
  if (options.markdown) {
    write_text_atomically(*options.markdown, table);
  }
  if (options.json) {
    write_text_atomically(*options.json, json + "\n");
  }
}

}  // namespace lazymar
