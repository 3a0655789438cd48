#include "weights/network_names.h"

#include <algorithm>
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

/// Names and prefixes without wrappers, and what the file has in their place.
using InFile = std::map<std::string, std::string>;

/// Takes the wrappers out of all names.
InFile take_wrappers_out(WeightContent& content, std::string_view file) {
  InFile names;
  for (const std::string& name : all_names(content)) {
    names.emplace(without_wrappers(name), name);
  }
  rename(content.tensors, file, without_wrappers);
  rename(content.unreadable, file, without_wrappers);
  return names;
}

/// What stands before the network's tensor, wherever it occurs.
InFile prefixes_of(const InFile& names, std::string_view network) {
  InFile prefixes;
  for (const auto& [name, in_file] : names) {
    if (!name.ends_with(network)) {
      continue;
    }
    const std::string prefix = name.substr(0, name.size() - network.size());
    if (prefix.empty() || prefix.ends_with('.')) {
      const bool inside = !in_file.ends_with(network);  // a wrapper within the tensor's own name
      prefixes.emplace(prefix,
                       inside ? prefix : in_file.substr(0, in_file.size() - network.size()));
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

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMostPrefixes); ++i) {
    text += (i > 0 ? ", " : "") + in_quotes(names[i]);
  }
  return text + (names.size() > kMostPrefixes ? ", ..." : "");
}

/// As the file has them.
std::string listed(const InFile& prefixes) {
  std::vector<std::string> shown;
  for (const auto& [prefix, in_file] : prefixes) {
    shown.push_back(in_file);
  }
  return listed(shown);
}

std::string choose(const InFile& prefixes, WeightSet wanted, std::string_view file) {
  InFile left = prefixes;
  const auto keep = [&left](bool ema) {
    InFile kept = left;
    std::erase_if(kept, [ema](const auto& entry) { return ema_part(entry.first).empty() == ema; });
    return kept;
  };
  const InFile averaged = keep(/*ema=*/true);
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
  return left.begin()->first;
}

/// Whether a name belongs to the prefix and to no longer one.
bool belongs(const std::string& name, const std::string& prefix, const InFile& prefixes) {
  return name.starts_with(prefix) &&
         std::none_of(prefixes.begin(), prefixes.end(), [&](const auto& other) {
           return other.first.size() > prefix.size() && name.starts_with(other.first);
         });
}

std::string names_of_tensors(size_t count) {
  return count == 1 ? "the name of 1 tensor" : concat("the names of ", count, " tensors");
}

/// What became of these names: they lost `prefix`, as the file has it, and wrappers behind it.
/// Empty if they are the file's.
std::string taken_text(const std::vector<std::string>& names, const InFile& in_file,
                       const std::string& prefix) {
  size_t wrapped = 0;
  std::vector<std::string> wrappers;
  for (const std::string& name : names) {
    const std::string& whole = in_file.at(name);
    const std::string rest = whole.substr(whole.starts_with(prefix) ? prefix.size() : 0);
    wrapped += without_wrappers(rest) != rest ? 1 : 0;
    for (const std::string_view wrapper : kWrappers) {
      if (without_part(rest, wrapper) != rest &&
          std::find(wrappers.begin(), wrappers.end(), wrapper) == wrappers.end()) {
        wrappers.emplace_back(wrapper);
      }
    }
  }
  std::string text;
  if (!prefix.empty()) {
    text = concat("took ", in_quotes(prefix), " off ", names_of_tensors(names.size()));
  }
  if (wrapped > 0) {
    text += concat(text.empty() ? "took " : ", and ", listed(wrappers), " out of ",
                   names_of_tensors(wrapped));
  }
  return text;
}

/// What is said of tensors outside of the prefix; empty if there are none. `wants_ema`: EMA weights
/// were preferred, and others were taken.
std::string unused_text(const std::vector<std::string>& others, const InFile& in_file,
                        bool wants_ema) {
  if (others.empty()) {
    return {};
  }
  InFile shown;
  bool has_ema = false;
  for (const std::string& name : others) {
    shown.emplace(name, in_file.at(name));
    has_ema = has_ema || !ema_part(name).empty();
  }
  return concat(
      "; not used: ", others.size(), others.size() == 1 ? " other tensor (" : " others (",
      listed(shown), ")",
      wants_ema && has_ema ? "; its EMA weights are incomplete, so these are the last ones" : "");
}

}  // namespace

std::string find_network(WeightContent& content, std::span<const std::string_view> networks,
                         WeightSet wanted, std::string_view file) {
  if (networks.empty()) {
    return {};
  }
  const InFile in_file = take_wrappers_out(content, file);
  const std::vector<std::string> names = all_names(content);
  InFile prefixes;
  for (const std::string_view network : networks) {
    prefixes = prefixes_of(in_file, network);
    if (!prefixes.empty()) {
      break;
    }
  }
  if (prefixes.empty() || (prefixes.size() == 1 && prefixes.begin()->first.empty())) {
    return taken_text(names, in_file, prefixes.empty() ? "" : prefixes.begin()->second);
  }
  if (prefixes.size() > kMostPrefixes) {
    throw usage_error(file, ": holds ", prefixes.size(), " networks, under ", listed(prefixes));
  }
  const bool chosen = !content.section.empty();
  const std::string prefix = choose(prefixes, chosen ? WeightSet::kBest : wanted, file);
  std::vector<std::string> own;
  std::vector<std::string> others;
  for (const std::string& name : names) {
    (belongs(name, prefix, prefixes) ? own : others).push_back(name);
  }
  const auto new_name = [&](const std::string& name) {
    return belongs(name, prefix, prefixes) ? name.substr(prefix.size()) : std::string();
  };
  rename(content.tensors, file, new_name);
  rename(content.unreadable, file, new_name);
  const std::string ema = ema_part(prefix);
  if (!ema.empty()) {
    content.section = ema;
  } else if (!chosen && prefixes.size() > 1) {
    content.section = prefix.substr(0, prefix.size() - (prefix.empty() ? 0 : 1));
  }
  content.prefix = prefix;
  content.left_out = others;
  const std::string taken = taken_text(own, in_file, prefixes.at(prefix));
  const std::string none = concat("took the ", own.size(), " tensors without a prefix");
  const bool last = wanted != WeightSet::kModel && ema.empty();
  return (taken.empty() ? none : taken) + unused_text(others, in_file, last);
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
