#include "core/option_row.h"

#include <algorithm>

#include "core/text.h"

namespace lazymar {
namespace {

struct Text {
  std::string operator()(std::monostate) const { return ""; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const std::vector<int64_t>& values) const {
    std::vector<std::string> texts(values.size());
    std::transform(values.begin(), values.end(), texts.begin(),
                   [](int64_t v) { return concat(v); });
    return join(texts, ",");
  }
  std::string operator()(const std::vector<std::string>& values) const { return join(values, ","); }
  std::string operator()(double value) const { return shortest_text(value); }
  template <typename T>
  std::string operator()(const T& value) const {
    return concat(value);
  }
};

}  // namespace

std::string to_text(const OptionValue& value) {
  return std::visit(Text(), value);
}

SettingKeys setting_keys(const std::vector<OptionInfo>& options) {
  SettingKeys keys;
  for (const OptionInfo& option : options) {
    if (!option.setting) {
      continue;
    }
    const Setting& setting = *option.setting;
    for (const auto& [wanted, list] : {std::pair{setting.png_text, &keys.png_text},
                                       {setting.noted, &keys.noted},
                                       {setting.identity, &keys.identity},
                                       {setting.drift, &keys.drift}}) {
      if (wanted) {
        list->push_back(setting.key);
      }
    }
  }
  keys.noted.emplace_back(kVersionSetting);
  return keys;
}

}  // namespace lazymar
