#pragma once
/// The message of a call that must be refused.

#include <gtest/gtest.h>

#include <string>

#include "core/error.h"

namespace lazymar::testing {

/// Runs `call`, which must throw Error of this kind; returns its message, which must be one line.
template <typename Call>
std::string refused(Call&& call, ErrorKind kind = ErrorKind::kInvalid) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(static_cast<int>(error.kind()), static_cast<int>(kind)) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "was not refused";
  return {};
}

/// EXPECT_PRED2's helper: `text` contains `part`.
inline ::testing::AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << "\"" << text << "\" does not contain \"" << part << "\"";
}

}  // namespace lazymar::testing
