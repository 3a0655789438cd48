#pragma once
/// Tables of files that must be refused, each with the reason.

#include <gtest/gtest.h>

#include <ostream>
#include <span>
#include <string>

#include "support/errors.h"

namespace lazymar::testing {

struct BadFile {
  const char* name;
  std::string file;
  const char* reason;
};

inline void PrintTo(const BadFile& bad, std::ostream* out) {
  *out << bad.name;
}

inline std::string bad_file_name(const ::testing::TestParamInfo<BadFile>& info) {
  return info.param.name;
}

/// The message must be "file: byte N: ... reason ...".
template <typename Parse>
void expect_refused(const BadFile& bad, Parse&& parse) {
  const std::string message = refused([&] { parse(bad.file); });
  EXPECT_TRUE(contains(message, bad.reason));
  const std::string start = "file: byte ";
  const size_t digits = message.find_first_not_of("0123456789", start.size());
  EXPECT_TRUE(message.starts_with(start) && digits > start.size() &&
              message.substr(digits, 2) == ": ")
      << message;
}

inline std::span<const std::byte> as_file(const std::string& bytes) {
  return std::as_bytes(std::span(bytes.data(), bytes.size()));
}

}  // namespace lazymar::testing
