#pragma once
/// The demo model with few steps, through the public header alone.

#include <gtest/gtest.h>
#include <lazymar/lazymar.h>

#include <string>

namespace library_test {

using lazymar::Model;
using lazymar::ModelOptions;
using lazymar::SampleOptions;

inline ModelOptions demo_options() {
  ModelOptions options;
  options.device = "cpu";
  options.precision = "fp32";
  options.threads = 1;
  options.checkpoint_dir = std::string(LAZYMAR_SOURCE_DIR) + "/pretrained_models";
  return options;
}

inline SampleOptions few_steps() {
  SampleOptions options;
  options.options = {{"num_iter", "4"}, {"num_sampling_steps", "10"}};
  return options;
}

template <typename Body>
std::string refused(const Body& body) {
  try {
    body();
  } catch (const lazymar::RefusedError& error) {
    return error.what();
  }
  ADD_FAILURE() << "was not refused";
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace library_test
