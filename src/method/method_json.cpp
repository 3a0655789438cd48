#include "method/method_json.h"

#include <functional>
#include <string>
#include <utility>

#include "core/error.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;

/// A member by its key.
template <typename Struct>
struct Key {
  const char* name;
  std::function<ordered_json(const Struct&)> write;
  std::function<void(const ordered_json&, Struct&)> read;
};

template <typename Struct, typename Member>
Key<Struct> plain(const char* name, Member Struct::*member) {
  return {name, [member](const Struct& from) { return ordered_json(from.*member); },
          [member](const ordered_json& json, Struct& to) { to.*member = json.get<Member>(); }};
}

template <typename Struct>
using Keys = std::vector<Key<Struct>>;

/// The members that differ from the default.
template <typename Struct>
ordered_json written(const Struct& value, const Keys<Struct>& keys) {
  ordered_json json = ordered_json::object();
  for (const Key<Struct>& key : keys) {
    if (ordered_json member = key.write(value); member != key.write(Struct{})) {
      json[key.name] = std::move(member);
    }
  }
  return json;
}

template <typename Struct>
Struct read(const ordered_json& json, const char* what, const Keys<Struct>& keys) {
  if (!json.is_object()) {
    throw usage_error(what, ": ", json.dump(), " is not an object; use {...}");
  }
  Struct value;
  for (const auto& [name, member] : json.items()) {
    const Key<Struct>* found = nullptr;
    std::string names;
    for (const Key<Struct>& key : keys) {
      found = name == key.name ? &key : found;
      names += concat(names.empty() ? "" : ", ", key.name);
    }
    if (found == nullptr) {
      throw usage_error(what, ": \"", name, "\" is unknown; use one of: ", names);
    }
    try {
      found->read(member, value);
    } catch (const ordered_json::exception& error) {
      throw usage_error(what, ": \"", name, "\": ", error.what());
    }
  }
  return value;
}

/// A list of structs; no member of the default's list is implied.
template <typename Struct>
Key<DecodingMethod> list(const char* name, std::vector<Struct> DecodingMethod::*member,
                         const Keys<Struct>& keys) {
  return {name,
          [=](const DecodingMethod& from) {
            ordered_json json = ordered_json::array();
            for (const Struct& value : from.*member) {
              json.push_back(written(value, keys));
            }
            return json;
          },
          [=](const ordered_json& json, DecodingMethod& to) {
            if (!json.is_array()) {
              throw usage_error("method: \"", name, "\" is not a list; use [...]");
            }
            (to.*member).clear();
            for (const ordered_json& value : json) {
              (to.*member).push_back(read(value, name, keys));
            }
          }};
}

const Keys<DecodingMethod>& method_keys() {
  static const Keys<Stage> stage{plain("tokens", &Stage::tokens), plain("steps", &Stage::steps)};
  static const Keys<HeadSegment> segment{plain("from_step", &HeadSegment::from_step),
                                         plain("from_stage", &HeadSegment::from_stage),
                                         plain("solver", &HeadSegment::solver),
                                         plain("steps", &HeadSegment::steps),
                                         plain("to_steps", &HeadSegment::to_steps),
                                         plain("curve", &HeadSegment::curve),
                                         plain("partial_steps", &HeadSegment::partial_steps),
                                         plain("last_timestep", &HeadSegment::last_timestep),
                                         plain("spacing", &HeadSegment::spacing),
                                         plain("detail_share", &HeadSegment::detail_share),
                                         plain("detail_steps", &HeadSegment::detail_steps)};
  static const Keys<CacheSpec> cache{plain("policy", &CacheSpec::policy),
                                     plain("options", &CacheSpec::options)};
  static const Keys<DecodingMethod> keys{
      plain("name", &DecodingMethod::name),
      plain("order", &DecodingMethod::order),
      plain("schedule", &DecodingMethod::schedule),
      plain("cosine_steps", &DecodingMethod::cosine_steps),
      list("stages", &DecodingMethod::stages, stage),
      list("head", &DecodingMethod::head, segment),
      plain("cfg", &DecodingMethod::cfg),
      {"cfg_schedule",
       [](const DecodingMethod& from) { return ordered_json(to_string(from.cfg_schedule)); },
       [](const ordered_json& json, DecodingMethod& to) {
         to.cfg_schedule = parse_cfg_schedule(json.get<std::string>());
       }},
      plain("temperature", &DecodingMethod::temperature),
      {"cache", [](const DecodingMethod& from) { return written(from.cache, cache); },
       [](const ordered_json& json, DecodingMethod& to) {
         to.cache = read(json, "cache", cache);
       }}};
  return keys;
}

}  // namespace

ordered_json method_json(const DecodingMethod& method) {
  return written(method, method_keys());
}

DecodingMethod method_from_json(const ordered_json& json) {
  return read(json, "method", method_keys());
}

}  // namespace lazymar
