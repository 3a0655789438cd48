#pragma once
/// What a program asks of the library, checked as the command line checks it.

#include <lazymar/lazymar.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/precision.h"
#include "pipeline/method_request.h"
#include "pipeline/model_request.h"

namespace lazymar {

/// ModelOptions, read.
struct ModelSettings {
  std::string device;
  Precision precision;
  std::optional<int64_t> threads;
  ModelRequest request;
};

/// Throws Error (usage) with the flag's name.
ModelSettings read_model_options(const std::string& name, const ModelOptions& options);

/// The options by name, with the method as one of them.
std::map<std::string, std::string> texts_of(const SampleOptions& options);

/// Throws Error (usage) for unknown names, a switch with a text, and values out of range.
MethodRequest read_sample_options(const std::map<std::string, std::string>& texts);

/// `ids`, or 0, 1, 2, ... if there are none. Throws Error (usage) if they are not as many as the
/// labels, there is no label, or an id is out of range.
std::vector<int64_t> ids_or_numbers(const std::vector<int64_t>& ids, size_t labels);

}  // namespace lazymar
