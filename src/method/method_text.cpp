#include "method/method_text.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "method/head_schedule.h"
#include "method/token_schedules.h"

namespace lazymar {
namespace {

constexpr int64_t kMostSteps = (int64_t{1} << 16) - 1;

/// The part behind the first `separator`, taken off; nothing if there is none.
std::string take_behind(std::string& text, char separator) {
  const size_t at = text.find(separator);
  if (at == std::string::npos) {
    return "";
  }
  std::string behind = text.substr(at + 1);
  text.resize(at);
  return behind;
}

std::vector<Stage> read_stages(const std::string& text, const std::string& list) {
  std::vector<Stage> stages;
  for (std::string part : split(list, ',')) {
    const bool with_tokens = part.find('/') != std::string::npos;
    const std::string behind = take_behind(part, '/');
    const int64_t first = parse_index(part);
    const int64_t second = with_tokens ? parse_index(behind) : 1;
    const int64_t steps = with_tokens ? second : first;
    if (first < 1 || second < 1 || steps > kMostSteps) {
      throw usage_error(text,
                        ": use stages:STEPS,... such as stages:24,6,2, or stages:TOKENS/STEPS",
                        ",... with numbers from 1");
    }
    stages.push_back({with_tokens ? first : 0, steps});
  }
  return stages;
}

std::vector<Stage> read_list(const std::string& text, const std::string& list) {
  std::vector<Stage> stages;
  for (const std::string& part : split(list, ',')) {
    const int64_t tokens = parse_index(part);
    if (tokens < 1) {
      throw usage_error(text, ": use list:TOKENS,... with numbers from 1");
    }
    stages.push_back({tokens, 1});
  }
  return stages;
}

bool is_list(const std::vector<Stage>& stages) {
  return std::all_of(stages.begin(), stages.end(),
                     [](const Stage& stage) { return stage.tokens > 0 && stage.steps == 1; });
}

int64_t diffusion_steps(const std::string& text, const std::string& number) {
  const int64_t steps = parse_index(number);
  if (steps < 1 || steps > kTrainingSteps) {
    throw usage_error(text, ": \"", number, "\" must be a number of diffusion steps from 1 to ",
                      kTrainingSteps);
  }
  return steps;
}

/// "stage2" or "5" into the segment's start.
void read_start(const std::string& text, const std::string& start, HeadSegment& segment) {
  constexpr const char* kStage = "stage";
  const bool stage = start.starts_with(kStage);
  const int64_t number = parse_index(stage ? start.substr(std::string(kStage).size()) : start);
  if (number < (stage ? 1 : 0)) {
    throw usage_error(text, ": \"", start, "\" is no start; use @STEP from 0, or @stageK from 1");
  }
  (stage ? segment.from_stage : segment.from_step) = number;
}

HeadSegment read_segment(const std::string& text, std::string part) {
  HeadSegment segment;
  if (const std::string start = take_behind(part, '@'); !start.empty()) {
    read_start(text, start, segment);
  }
  if (std::string last = take_behind(part, ':'); !last.empty()) {
    if (std::string curve = take_behind(last, ':'); !curve.empty()) {
      segment.curve = head_curves().at(curve).name;
    }
    segment.to_steps = diffusion_steps(text, last);
  }
  if (const std::string partial = take_behind(part, '/'); !partial.empty()) {
    segment.partial_steps = diffusion_steps(text, partial);
  }
  segment.steps = diffusion_steps(text, part);
  return segment;
}

std::string segment_text(const HeadSegment& segment) {
  std::string text = std::to_string(segment.steps);
  if (segment.partial_steps > 0) {
    text += concat("/", segment.partial_steps);
  }
  if (segment.to_steps > 0) {
    text += concat(":", segment.to_steps);
    text += segment.curve == HeadSegment().curve ? "" : ":" + segment.curve;
  }
  if (segment.from_stage > 0) {
    text += concat("@stage", segment.from_stage);
  } else if (segment.from_step > 0) {
    text += concat("@", segment.from_step);
  }
  return text;
}

}  // namespace

void read_tokens_per_step(const std::string& text, DecodingMethod& method) {
  std::string kind = text;
  const std::string argument = take_behind(kind, ':');
  method.stages.clear();
  if (kind == "stages") {
    method.stages = read_stages(text, argument);
  } else if (kind == "list") {
    method.stages = read_list(text, argument);
  } else {
    const auto& rows = token_schedules().rows();
    const bool known = std::any_of(rows.begin(), rows.end(),
                                   [&](const TokenSchedule& row) { return row.name == kind; });
    const int64_t steps = parse_index(argument);
    if (!known || steps < 1 || steps > kMostSteps) {
      throw usage_error(text,
                        ": use cosine:N, arccos:N, stages:STEPS,..., stages:TOKENS/STEPS,... ",
                        "or list:TOKENS,...");
    }
    method.schedule = kind;
    method.cosine_steps = steps;
  }
}

std::string tokens_per_step_text(const DecodingMethod& method) {
  if (method.stages.empty()) {
    return concat(method.schedule, ":", method.cosine_steps);
  }
  const bool list = is_list(method.stages);
  std::string text;
  for (const Stage& stage : method.stages) {
    text += text.empty() ? list ? "list:" : "stages:" : ",";
    text += list                ? std::to_string(stage.tokens)
            : stage.tokens == 0 ? std::to_string(stage.steps)
                                : concat(stage.tokens, "/", stage.steps);
  }
  return text;
}

std::vector<HeadSegment> read_head_steps(const std::string& text) {
  std::vector<HeadSegment> head;
  for (const std::string& part : split(text, ',')) {
    head.push_back(read_segment(text, part));
  }
  return head;
}

std::string head_steps_text(const std::vector<HeadSegment>& head) {
  std::string text;
  for (const HeadSegment& segment : head) {
    text += (text.empty() ? "" : ",") + segment_text(segment);
  }
  return text;
}

void read_detail(const std::string& text, HeadSegment& segment) {
  if (text.empty() || text == "none") {
    return;
  }
  std::string share = text;
  const std::string steps = take_behind(share, ':');
  const char* end = share.data() + share.size();
  const auto [next, status] = std::from_chars(share.data(), end, segment.detail_share);
  if (status != std::errc() || next != end || steps.empty() ||
      !(segment.detail_share >= 0 && segment.detail_share <= 1)) {
    throw usage_error(text, ": use none, or SHARE:STEPS with a share from 0 to 1, such as 0.1:50");
  }
  segment.detail_steps = diffusion_steps(text, steps);
}

CacheSpec read_cache(const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  CacheSpec cache{parts.front(), {}};
  for (size_t i = 1; i < parts.size(); ++i) {
    std::string name = parts[i];
    std::string value = take_behind(name, '=');
    if (name.empty() || value.empty()) {
      throw usage_error(text, ": \"", parts[i], "\": use POLICY:NAME=VALUE");
    }
    cache.options.insert_or_assign(std::move(name), std::move(value));
  }
  return cache;
}

std::string cache_text(const CacheSpec& cache) {
  std::string text = cache.policy;
  for (const auto& [name, value] : cache.options) {
    text += concat(":", name, "=", value);
  }
  return text;
}

}  // namespace lazymar
