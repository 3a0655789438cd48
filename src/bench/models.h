#pragma once
/// The models of --models.

#include <string_view>

#include "core/error.h"

namespace lazymar {

/// What `open` returns for one of them: its error about --model is one about --models.
template <typename Open>
auto open_listed(const Open& open) {
  constexpr std::string_view kSetting = "model";
  try {
    return open();
  } catch (const Error& error) {
    if (error.setting() != kSetting) {
      throw;
    }
    throw setting_error("models", std::string_view(error.what()).substr(kSetting.size()));
  }
}

}  // namespace lazymar
