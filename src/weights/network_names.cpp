#include "weights/network_names.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "core/text.h"
#include "files/byte_reader.h"

namespace lazymar {
namespace {

constexpr std::string_view kWrappers[] = {"_orig_mod.", "_fsdp_wrapped_module.",
                                          "_checkpoint_wrapped_module."};
constexpr size_t kMostPrefixes = 16;

constexpr std::string_view kModule = "module.";  // DistributedDataParallel's and DataParallel's

/// The name without that part, which begins it or follows a dot.
std::string without_part(std::string name, std::string_view part) {
  for (size_t at = name.find(part); at != std::string::npos; at = name.find(part, at)) {
    if (at == 0 || name[at - 1] == '.') {
      name.erase(at, part.size());
    } else {
      ++at;
    }
  }
  return name;
}

std::string without_wrappers(std::string name) {
  for (const std::string_view wrapper : kWrappers) {
    name = without_part(std::move(name), wrapper);
  }
  return name;
}

/// Entries under their new names; an empty new name drops the entry.
template <typename Value, typename NewName>
void rename(std::map<std::string, Value>& entries, std::string_view file, const NewName& new_name) {
  std::map<std::string, Value> renamed;
  for (auto& [name, value] : entries) {
    const std::string next = new_name(name);
    if (!next.empty() && !renamed.emplace(next, std::move(value)).second) {
      throw usage_error(file, ": tensor ", in_quotes(name), " is there twice, as ", in_quotes(next),
                        "; save the state_dict of one module");
    }
  }
  entries = std::move(renamed);
}

std::vector<std::string> all_names(const WeightContent& content) {
  std::vector<std::string> names;
  for (const auto& [name, view] : content.tensors) {
    names.push_back(name);
  }
  for (const auto& [name, reason] : content.unreadable) {
    names.push_back(name);
  }
  return names;
}

/// What stands before the network's tensor, wherever it occurs.
std::vector<std::string> prefixes_of(const std::vector<std::string>& names,
                                     std::string_view network) {
  std::vector<std::string> prefixes;
  for (const std::string& name : names) {
    if (!name.ends_with(network)) {
      continue;
    }
    const std::string prefix = name.substr(0, name.size() - network.size());
    if (prefix.empty() || prefix.ends_with('.')) {
      prefixes.push_back(prefix);
    }
  }
  return prefixes;
}

/// The part of a prefix that says EMA; empty if none does.
std::string ema_part(const std::string& prefix) {
  for (const std::string& part : split(prefix, '.')) {
    if (says_ema(part)) {
      return part;
    }
  }
  return {};
}

std::string listed(const std::vector<std::string>& prefixes) {
  std::string text;
  for (size_t i = 0; i < std::min(prefixes.size(), kMostPrefixes); ++i) {
    text += (i > 0 ? ", " : "") + in_quotes(prefixes[i]);
  }
  return text + (prefixes.size() > kMostPrefixes ? ", ..." : "");
}

const std::string& choose(const std::vector<std::string>& prefixes, WeightSet wanted,
                          std::string_view file) {
  std::vector<std::string> left = prefixes;
  const auto keep = [&left](bool ema) {
    std::vector<std::string> kept;
    for (const std::string& prefix : left) {
      if (ema_part(prefix).empty() != ema) {
        kept.push_back(prefix);
      }
    }
    return kept;
  };
  const std::vector<std::string> averaged = keep(/*ema=*/true);
  if (wanted == WeightSet::kModel) {
    left = keep(/*ema=*/false);
  } else if (!averaged.empty() || wanted == WeightSet::kEma) {
    left = averaged;
  }
  if (left.empty()) {
    throw usage_error(file, ": no ", wanted == WeightSet::kEma ? "EMA" : "last",
                      " weights; its tensors begin with ", listed(prefixes));
  }
  if (left.size() > 1) {
    throw usage_error(file, ": holds ", left.size(), " networks, under ", listed(left),
                      "; keep only the one to use");
  }
  return *std::find(prefixes.begin(), prefixes.end(), left.front());
}

/// Whether a name belongs to the prefix and to no longer one.
bool belongs(const std::string& name, const std::string& prefix,
             const std::vector<std::string>& prefixes) {
  return name.starts_with(prefix) &&
         std::none_of(prefixes.begin(), prefixes.end(), [&](const std::string& other) {
           return other.size() > prefix.size() && name.starts_with(other);
         });
}

/// What is said of tensors outside of the prefix; empty if there are none. `wants_ema`: EMA weights
/// were preferred, and others were taken.
std::string unused_text(const std::vector<std::string>& others, bool wants_ema) {
  if (others.empty()) {
    return {};
  }
  const bool has_ema = std::any_of(others.begin(), others.end(),
                                   [](const std::string& name) { return !ema_part(name).empty(); });
  return concat(
      "; not used: ", others.size(), others.size() == 1 ? " other tensor (" : " others (",
      listed(others), ")",
      wants_ema && has_ema ? "; its EMA weights are incomplete, so these are the last ones" : "");
}

}  // namespace

std::string find_network(WeightContent& content, std::span<const std::string_view> networks,
                         WeightSet wanted, std::string_view file) {
  if (networks.empty()) {
    return {};
  }
  rename(content.tensors, file, without_wrappers);
  rename(content.unreadable, file, without_wrappers);
  const std::vector<std::string> names = all_names(content);
  std::vector<std::string> prefixes;
  for (const std::string_view network : networks) {
    prefixes = prefixes_of(names, network);
    if (!prefixes.empty()) {
      break;
    }
  }
  if (prefixes.empty() || (prefixes.size() == 1 && prefixes.front().empty())) {
    return {};
  }
  if (prefixes.size() > kMostPrefixes) {
    throw usage_error(file, ": holds ", prefixes.size(), " networks, under ", listed(prefixes));
  }
  const bool chosen = !content.section.empty();
  const std::string& prefix = choose(prefixes, chosen ? WeightSet::kBest : wanted, file);
  const auto new_name = [&](const std::string& name) {
    return belongs(name, prefix, prefixes) ? name.substr(prefix.size()) : std::string();
  };
  rename(content.tensors, file, new_name);
  rename(content.unreadable, file, new_name);
  if (const std::string ema = ema_part(prefix); !ema.empty()) {
    content.section = ema;
  } else if (!chosen && prefixes.size() > 1) {
    content.section = prefix.substr(0, prefix.size() - (prefix.empty() ? 0 : 1));
  }
  std::vector<std::string> others;
  std::copy_if(names.begin(), names.end(), std::back_inserter(others),
               [&](const std::string& name) { return new_name(name).empty(); });
  content.prefix = prefix;
  content.left_out = others;
  return concat("took ", in_quotes(prefix), " off the names of ", names.size() - others.size(),
                " tensors",
                unused_text(others, wanted != WeightSet::kModel && ema_part(prefix).empty()));
}

std::string mixed_names(const WeightContent& content, const std::string& name) {
  std::vector<std::string> names = content.left_out;
  for (const std::string& own : all_names(content)) {
    names.push_back(content.prefix + own);
  }
  const std::string outer = without_part(content.prefix, kModule) + name;
  const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& other) {
    const std::string bare = without_part(other, kModule);
    return bare == name || bare == outer;
  });
  if (found == names.end()) {
    return {};
  }
  const std::string part(content.prefix.empty() ? kModule : content.prefix);
  const auto with = std::count_if(names.begin(), names.end(), [&](const std::string& other) {
    return other.find(part) != std::string::npos;
  });
  return concat("the tensors' names are mixed: ", with, " contain ", in_quotes(part), ", ",
                names.size() - static_cast<size_t>(with), " do not (", in_quotes(name),
                " is there as ", in_quotes(*found),
                "); save the state_dict of the network without ",
                "its wrappers, or take them off every name: {k.replace('", part,
                "', ''): v for k, v in weights.items()}");
}

}  // namespace lazymar
