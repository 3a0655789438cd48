#include "score/rule_passes.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "files/atomic_file.h"
#include "files/writable_check.h"
#include "rules/run_rules.h"

namespace lazymar {

ExitCode score_rules(const std::vector<std::filesystem::path>& runs,
                     const std::optional<std::filesystem::path>& json, int64_t threads) {
  const bool json_to_stdout = json && *json == "-";
  if (json && !json_to_stdout) {
    check_output_file(*json, "--json");
  }
  std::vector<RunRules> checked;
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const std::filesystem::path& folder : runs) {
    RunData run = read_run(folder);
    run.label = folder.string();
    checked.push_back(check_run(run, threads));
    all.push_back(rules_json(checked.back(), checked.size() > 1 ? &checked.front() : nullptr));
    leave_rules(folder, all.back());
  }
  std::fputs(visible(rules_text(checked), /*keep_lines=*/true).c_str(),
             json_to_stdout ? stderr : stdout);
  if (json) {
    const std::string text = nlohmann::ordered_json{{"runs", all}}.dump(2) + "\n";
    if (json_to_stdout) {
      std::fputs(text.c_str(), stdout);
    } else {
      write_text_atomically(*json, text);
    }
  }
  return ExitCode::kDone;
}

}  // namespace lazymar
