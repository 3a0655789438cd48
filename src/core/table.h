#pragma once
/// Things chosen by name: orders, solvers, cache policies. To add one, write its row.

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace lazymar {

/// Rows that each have a `name`. References to rows stay valid.
template <typename Row>
class Table {
 public:
  /// `what` a row is, for messages: "order".
  Table(std::string_view what, const std::vector<Row>& rows)
      : what_(what), rows_(rows.begin(), rows.end()) {}

  const std::deque<Row>& rows() const { return rows_; }

  /// The row of that name; if there is none, throws Error (usage) that suggests the nearest name
  /// and lists all.
  const Row& at(std::string_view name) const {
    if (const Row* row = find(name)) {
      return *row;
    }
    std::vector<std::string> names;
    for (const Row& row : rows_) {
      names.emplace_back(row.name);
    }
    throw usage_error("\"", name, "\" is no ", what_, "; ", did_you_mean(std::string(name), names),
                      "use one of: ", join(names, ", "));
  }

  /// For programs with rows of their own, before they make the first plan. Throws Error (usage) if
  /// the name is taken.
  void add(Row row) {
    if (find(row.name) != nullptr) {
      throw usage_error(what_, " \"", row.name, "\" exists already; use another name");
    }
    rows_.push_back(std::move(row));
  }

 private:
  const Row* find(std::string_view name) const {
    for (const Row& row : rows_) {
      if (row.name == name) {
        return &row;
      }
    }
    return nullptr;
  }

  std::string_view what_;
  std::deque<Row> rows_;
};

}  // namespace lazymar
