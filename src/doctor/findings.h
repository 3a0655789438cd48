#pragma once
/// What lazymar doctor has found.

#include <string>
#include <utility>
#include <vector>

namespace lazymar {

struct Findings {
  std::vector<std::pair<std::string, std::string>> facts;  ///< name and value, in print order
  std::vector<std::string> problems;  ///< what would stop a run, and what to do

  void fact(std::string name, std::string value) {
    facts.emplace_back(std::move(name), std::move(value));
  }
  void problem(std::string text) { problems.push_back(std::move(text)); }
};

}  // namespace lazymar
