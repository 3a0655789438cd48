#include "report/report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/revision.h"
#include "report/html.h"
#include "report/numbers.h"
#include "report/sections.h"
#include "report/template.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;
constexpr double kTera = 1e-12;

std::string with_interval(const std::optional<double>& value,
                          const std::optional<Interval>& interval, int digits) {
  std::string text = number_text(value, digits);
  if (value && interval) {
    text += concat(" (", number_text(interval->first, digits), " to ",
                   number_text(interval->second, digits), ")");
  }
  return text;
}

/// The columns of LazyMAR's README, and PSNR and SSIM.
std::string summary_section(const Comparison& comparison) {
  std::string rows = cells("th", {"Model", "Latency (GPU)", "Latency (CPU)", "FLOPs", "Speedup",
                                  "FID ↓", "IS ↑", "PSNR", "SSIM"});
  for (size_t i = 0; i < comparison.runs.size(); ++i) {
    const RunData& run = comparison.runs[i];
    const RunFigures of = figures(run, comparison.runs.front());
    const PairStatistics alike = likeness(comparison, i);
    const std::string latency =
        number_text(of.seconds_per_image, 3) + " s" + (of.warm_up ? " (with warm-up)" : "");
    rows +=
        cells("td", {escape_html(concat(i, ". ", run.label)), run.on_gpu ? latency : "-",
                     run.on_gpu ? "-" : latency,
                     number_text(static_cast<double>(of.flops) * kTera, 3) + " T",
                     of.speedup ? number_text(of.speedup, 2) + "×" : "-",
                     with_interval(run.scores.fid, run.scores.fid_interval, 2),
                     with_interval(run.scores.inception_score, run.scores.inception_interval, 1),
                     number_text(alike.psnr_median, 2), number_text(alike.ssim_median, 4)});
  }
  std::string said;
  for (const RunData& run : comparison.runs) {
    if (run.scores.against(comparison.runs.front().scores)) {
      for (const std::string& sentence : run.scores.sentences) {
        said += "<p>" + escape_html(concat(run.label, ": ", sentence)) + "</p>";
      }
    }
  }
  return section("summary", "Summary",
                 "<div class=\"scroll\"><table>" + rows + "</table></div>" + said +
                     "<p class=\"faint\">Latency: median seconds per image over full "
                     "shards, VAE included. PSNR and SSIM: medians over pairs with run 0.</p>");
}

std::string skipped_section(const Comparison& comparison) {
  std::string rows = cells("th", {"Run", "Full steps", "Lazy steps", "Transformer rows computed",
                                  "Head rows computed", "FLOPs per image", "of run 0"});
  const RunData& baseline = comparison.runs.front();
  const auto whole = static_cast<double>(figures(baseline, baseline).flops);
  for (const RunData& run : comparison.runs) {
    const RunFigures of = figures(run, baseline);
    const bool known = !run.step_kinds.empty();
    const auto flops = static_cast<double>(of.flops);
    rows += cells("td", {escape_html(run.label), known ? std::to_string(of.full_steps) : "-",
                         known ? std::to_string(of.lazy_steps) : "-", percent(of.transformer_rows),
                         percent(of.head_rows), number_text(flops * kTera, 3) + " T",
                         percent(whole > 0 ? std::optional(flops / whole) : std::nullopt)});
  }
  return section("skipped", "What was skipped",
                 "<div class=\"scroll\"><table>" + rows + "</table></div>");
}

/// Notes on what makes a comparison inexact; empty if there are none.
std::string notes_section(const Comparison& comparison) {
  std::string items;
  const auto note = [&](const RunData& run, const std::string& text) {
    items += "<li>" + escape_html(run.label + ": " + text) + "</li>";
  };
  for (const RunData& run : comparison.runs) {
    if (!run.complete()) {
      note(run, concat(run.images.size(), " of ", run.plan.num_images(), " images exist"));
    }
  }
  for (size_t i = 0; i < comparison.paired.size(); ++i) {
    const PairedRun& paired = comparison.paired[i];
    for (const std::string& difference : paired.differences) {
      note(comparison.runs[i + 1], difference);
    }
    if (!paired.left_out.empty()) {
      note(comparison.runs[i + 1],
           concat(paired.left_out.size(), " pairs are left out: ", paired.left_out.front()));
    }
  }
  if (comparison.redundancy) {
    for (const std::string& difference : recorded_differences(
             comparison.runs.front(), comparison.redundancy->header.settings, comparison.keys)) {
      note(comparison.runs.front(), "features: " + difference);
    }
  }
  return items.empty() ? "" : section("notes", "Notes", "<ul>" + items + "</ul>");
}

std::string settings_section(const Comparison& comparison) {
  std::string body;
  for (const RunData& run : comparison.runs) {
    ordered_json shown = run.settings;
    shown["weights_sha256"] = run.weights;
    body += concat("<details><summary>", escape_html(run.label), "</summary><pre>");
    for (const auto& [key, value] : shown.items()) {
      body += escape_html(key + ": " + value.dump()) + "\n";
    }
    body += "</pre></details>";
  }
  return section("settings", "Settings", body);
}

std::string cards(const Comparison& comparison) {
  const RunFigures of = figures(comparison.runs[1], comparison.runs.front());
  const RunFigures base = figures(comparison.runs.front(), comparison.runs.front());
  const PairStatistics alike = likeness(comparison, 1);
  const auto card = [](const std::string& figure, const char* about) {
    return concat("<div><b>", figure, "</b><span class=\"faint\">", about, "</span></div>");
  };
  const auto saved =
      base.flops > 0
          ? std::optional(1 - static_cast<double>(of.flops) / static_cast<double>(base.flops))
          : std::nullopt;
  return "<div class=\"cards\">" +
         card(of.speedup ? number_text(of.speedup, 2) + "×" : "-", "as fast as the baseline") +
         card(percent(saved), "fewer FLOPs") +
         card(alike.psnr_median ? number_text(alike.psnr_median, 1) + " dB" : "-", "median PSNR") +
         card(number_text(alike.ssim_median, 3), "median SSIM") + "</div>";
}

}  // namespace

std::string report_html(const Comparison& comparison, int64_t pairs) {
  const RunData& baseline = comparison.runs.front();
  const std::string model = baseline.settings.value("model", ordered_json("?")).dump();
  std::string sections =
      summary_section(comparison) + notes_section(comparison) + rules_section(comparison);
  if (pairs > 0) {
    sections += pairs_section(comparison, pairs);
  }
  sections += stages_section(comparison) + latency_section(comparison) + steps_section(comparison) +
              redundancy_section(comparison) + replay_section(comparison) +
              skipped_section(comparison) + trade_section(comparison) +
              settings_section(comparison);
  const std::string device = baseline.settings.value("device", ordered_json("?")).dump();
  return fill_template(
      kReportTemplate,
      {{"title", "What the cache does: " + escape_html(model.substr(1, model.size() - 2))},
       {"subtitle", escape_html(concat(baseline.label, " against ", comparison.runs[1].label,
                                       comparison.runs.size() > 2 ? " and others" : "", "; ",
                                       baseline.images.size(), " images; ",
                                       device.substr(1, device.size() - 2)))},
       {"cards", cards(comparison)},
       {"sections", sections},
       {"version", escape_html(version_string())}});
}

}  // namespace lazymar
