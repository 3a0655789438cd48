#include "lazymar/report/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "lazymar/core/error.h"
#include "lazymar/core/revision.h"
#include "lazymar/report/charts.h"
#include "lazymar/report/html.h"
#include "lazymar/report/numbers.h"
#include "lazymar/run/timings.h"
#include "report/template.h"

namespace lazymar {
namespace {

using nlohmann::ordered_json;
constexpr double kTera = 1e-12;

std::string section(const char* id, const char* title, const std::string& body) {
  return concat("<section id=\"", id, "\"><h2>", title, "</h2>", body, "</section>\n");
}

std::string cells(const char* tag, const std::vector<std::string>& values) {
  std::string row = "<tr>";
  for (const std::string& value : values) {
    row += concat("<", tag, ">", value, "</", tag, ">");
  }
  return row + "</tr>";
}

std::string with_interval(const std::optional<double>& value,
                          const std::optional<Interval>& interval, int digits) {
  std::string text = number_text(value, digits);
  if (value && interval) {
    text += concat(" (", number_text(interval->first, digits), " to ",
                   number_text(interval->second, digits), ")");
  }
  return text;
}

std::string percent(const std::optional<double>& share) {
  return share ? number_text(100 * *share, 1) + " %" : "-";
}

PairStatistics likeness(const Comparison& comparison, size_t run) {
  return run == 0 ? PairStatistics() : statistics(comparison.paired[run - 1].pairs);
}

/// The columns of LazyMAR's README, and likeness.
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
                     "<p class=\"faint\">Latency: median over full blocks of seconds "
                     "an image, VAE included. PSNR and SSIM: medians over pairs with run 0.</p>");
}

std::string skipped_section(const Comparison& comparison) {
  std::string rows = cells("th", {"Run", "Full steps", "Lazy steps", "Transformer rows computed",
                                  "Head rows computed", "FLOPs an image", "of run 0"});
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

/// Lines of what keeps a comparison from being exact; no section where there is nothing to say.
std::string notes_section(const Comparison& comparison) {
  std::string items;
  const auto note = [&](const RunData& run, const std::string& text) {
    items += "<li>" + escape_html(run.label + ": " + text) + "</li>";
  };
  for (const RunData& run : comparison.runs) {
    if (!run.complete()) {
      note(run, concat(run.images.size(), " of ", run.plan.num_images(), " images are there"));
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
  return items.empty() ? "" : section("notes", "To be known", "<ul>" + items + "</ul>");
}

/// Places in a list sorted worst first: the worst half, then evenly through the rest to the best.
std::vector<size_t> shown_places(size_t count, size_t wanted) {
  std::vector<size_t> places;
  const size_t shown = std::min(count, wanted);
  const size_t worst = shown < count ? (shown + 1) / 2 : shown;
  for (size_t i = 0; i < worst; ++i) {
    places.push_back(i);
  }
  for (size_t i = 1; i <= shown - worst; ++i) {
    places.push_back(worst - 1 + i * (count - worst) / (shown - worst));
  }
  return places;
}

std::string image(const std::string& uri, const char* what) {
  return concat("<img alt=\"", what, "\" src=\"", uri, "\">");
}

std::string pair_tile(const RunData& baseline, const RunData& run, const Pair& pair, size_t place,
                      size_t count) {
  const std::vector<std::byte> left = baseline.png(pair.id);
  const std::string one = png_uri(left);
  const std::string other = png_uri(run.png(pair.id));
  std::string about = concat("image ", pair.id);
  for (const auto& [keyword, text] : read_png_text(left)) {
    about += keyword == "class" ? ", class " + text : "";
  }
  const double decibels = std::isfinite(pair.psnr) ? pair.psnr : 999;
  return concat("<figure data-psnr=\"", decibels, "\" data-ssim=\"", pair.ssim.value_or(0),
                "\" data-id=\"", pair.id, "\"><div class=\"triple\">", image(one, "baseline"),
                image(other, "cached"), "<div class=\"difference\">", image(one, "difference"),
                image(other, ""), "</div></div><figcaption>", escape_html(about), ": ",
                std::isfinite(pair.psnr) ? number_text(pair.psnr, 2) + " dB" : "equal", ", SSIM ",
                number_text(pair.ssim, 4), " (", place + 1, " of ", count,
                " from the worst)</figcaption>", "</figure>\n");
}

std::string pairs_section(const Comparison& comparison, int64_t shown) {
  std::string body =
      "<p class=\"faint\">Baseline, run, difference. Same label, same order of tokens; the worst "
      "pairs by PSNR first, then some spread over the rest up to the best.</p>"
      "<div class=\"controls\"><label>Difference <input type=\"range\" data-gain min=\"1\" "
      "max=\"16\" value=\"4\"> <output>4×</output></label><label>Order <select data-sort>"
      "<option value=\"psnr\">PSNR</option><option value=\"ssim\">SSIM</option>"
      "<option value=\"id\">number</option></select></label></div>";
  for (size_t i = 0; i < comparison.paired.size(); ++i) {
    const std::vector<Pair>& pairs = comparison.paired[i].pairs;
    const PairStatistics all = statistics(pairs);
    body += concat("<h3>", escape_html(comparison.runs[i + 1].label), "</h3><p class=\"faint\">",
                   all.count, " pairs, ", all.identical, " of them equal. PSNR: mean ",
                   number_text(all.psnr_mean, 2), ", median ", number_text(all.psnr_median, 2),
                   " dB. SSIM: mean ", number_text(all.ssim_mean, 4), ", median ",
                   number_text(all.ssim_median, 4), ".</p><div class=\"pairs\">");
    for (const size_t place : shown_places(pairs.size(), static_cast<size_t>(shown))) {
      body += pair_tile(comparison.runs.front(), comparison.runs[i + 1], pairs[place], place,
                        pairs.size());
    }
    body += "</div>";
  }
  return section("pairs", "Pairs of images", body);
}

std::string stages_section(const Comparison& comparison) {
  double most = 1e-12;
  for (const RunData& run : comparison.runs) {
    double sum = 0;
    for (const StageTime& stage : stage_times(run.blocks)) {
      sum += stage.seconds;
    }
    most = std::max(most, sum);
  }
  std::string key;
  std::string bars;
  for (const RunData& run : comparison.runs) {
    const auto stages = stage_times(run.blocks);
    double sum = 0;
    std::string parts;
    for (size_t i = 0; i < stages.size(); ++i) {
      sum += stages[i].seconds;
      parts += concat(
          "<i class=\"c", i, "\" style=\"width:", number_text(100 * stages[i].seconds / most, 2),
          "%\" title=\"", stages[i].name, " ", number_text(stages[i].seconds, 4), " s\"></i>");
    }
    std::string shares;
    for (const StageTime& stage : stages) {
      shares += concat(shares.empty() ? "" : ", ", stage.name, " ",
                       percent(sum > 0 ? std::optional(stage.seconds / sum) : std::nullopt));
    }
    bars += concat("<div><div>", escape_html(run.label), "</div><div class=\"bar\">", parts,
                   "</div><div class=\"faint\">", number_text(sum, 3), " s an image: ", shares,
                   "</div></div>");
  }
  const auto names = stage_times({});
  for (size_t i = 0; i < names.size(); ++i) {
    key += concat("<span class=\"key c", i, "\"></span>", names[i].name);
  }
  return section("stages", "Where the time goes",
                 "<p class=\"faint\">" + key + "</p><div class=\"bars\">" + bars + "</div>");
}

std::string latency_section(const Comparison& comparison) {
  std::vector<LatencyRow> rows;
  std::string table = cells("th", {"Run", "blocks", "least", "5 %", "median", "95 %", "most"});
  for (const RunData& run : comparison.runs) {
    rows.push_back({run.label, figures(run, run).latencies});
    const std::vector<double>& seconds = rows.back().seconds;
    std::vector<std::string> row{escape_html(run.label), std::to_string(seconds.size())};
    for (const double share : {0.0, 0.05, 0.5, 0.95, 1.0}) {
      row.push_back(number_text(quantile(seconds, share), 4));
    }
    table += cells("td", row);
  }
  return section("latency", "Latency, block by block",
                 latency_chart(rows) + "<div class=\"scroll\"><table>" + table + "</table></div>");
}

std::string steps_section(const Comparison& comparison) {
  const auto seconds_of = [](const RunData& run) {
    std::vector<double> milliseconds;
    for (const StepCost& cost : step_costs(run.blocks)) {
      milliseconds.push_back(cost.seconds * 1e3);
    }
    return milliseconds;
  };
  const auto flops_of = [](const RunData& run) {
    std::vector<double> gigas;
    for (const StepCost& cost : step_costs(run.blocks)) {
      gigas.push_back(static_cast<double>(cost.flops) * 1e-9);
    }
    return gigas;
  };
  std::string body =
      "<p class=\"faint\"><span class=\"key cf\"></span>full step<span class=\"key cl\"></span>"
      "lazy step<span class=\"key cb\"></span>run 0</p>";
  const RunData& baseline = comparison.runs.front();
  for (size_t i = 1; i < comparison.runs.size(); ++i) {
    const RunData& run = comparison.runs[i];
    body += "<h3>" + escape_html(run.label) + "</h3>";
    const std::vector<double> seconds = seconds_of(run);
    if (seconds.empty()) {
      body += "<p>This run was made before decoding steps were recorded.</p>";
      continue;
    }
    body += step_chart(seconds, run.step_kinds, seconds_of(baseline), "milliseconds an image");
    body += step_chart(flops_of(run), run.step_kinds, flops_of(baseline), "GFLOP an image");
  }
  return section("steps", "Cost of a decoding step", body);
}

/// By FID where every run has one, else by likeness to the baseline; no section for a single point.
std::string trade_section(const Comparison& comparison) {
  const bool scored = std::all_of(comparison.runs.begin(), comparison.runs.end(),
                                  [](const RunData& run) { return run.scores.fid.has_value(); });
  std::vector<TradePoint> points;
  for (size_t i = scored ? 0 : 1; i < comparison.runs.size(); ++i) {
    const RunData& run = comparison.runs[i];
    const std::optional<double> quality =
        scored ? run.scores.fid : likeness(comparison, i).ssim_median;
    if (quality) {
      points.push_back({run.label, seconds_per_image(run.blocks), *quality, static_cast<int>(i)});
    }
  }
  if (points.size() < 2) {
    return "";
  }
  std::string key;
  for (const TradePoint& point : points) {
    key += concat(key.empty() ? "" : ", ", point.number, ": ", point.label);
  }
  return section("tradeoff", "Speed against quality",
                 trade_chart(points, scored ? "FID (less is better)" : "median SSIM", !scored) +
                     "<p class=\"faint\">The line joins runs that no other one beats in both. " +
                     escape_html(key) + "</p>");
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
  std::string sections = summary_section(comparison) + notes_section(comparison);
  if (pairs > 0) {
    sections += pairs_section(comparison, pairs);
  }
  sections += stages_section(comparison) + latency_section(comparison) + steps_section(comparison) +
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
