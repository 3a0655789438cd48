#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "report/html.h"
#include "report/numbers.h"
#include "report/sections.h"

namespace lazymar {
namespace {

/// Indices into a list sorted worst first: the worst half, then evenly spaced ones to the best.
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

/// ", keeps its rule there, breaks it here"; nothing for pictures without rules.
std::string rule_text(const Comparison& comparison, size_t run, int64_t id) {
  if (comparison.rules.empty()) {
    return "";
  }
  const auto verb = [&](size_t which) {
    const ImageRule* image = comparison.rules[which].find(id);
    return image != nullptr && image->check.pass ? "keeps" : "breaks";
  };
  return concat(", ", verb(0), " its rule in the baseline, ", verb(run), " it here");
}

std::string pair_tile(const Comparison& comparison, size_t which, const Pair& pair, size_t place,
                      size_t count) {
  const RunData& baseline = comparison.runs.front();
  const RunData& run = comparison.runs[which];
  const std::vector<std::byte> left = baseline.png(pair.id);
  const std::string one = png_uri(left);
  const std::string other = png_uri(run.png(pair.id));
  std::string about = concat("image ", pair.id);
  for (const auto& [keyword, text] : read_png_text(left)) {
    about += keyword == "class" ? ", class " + text : "";
  }
  about += rule_text(comparison, which, pair.id);
  const double decibels = std::isfinite(pair.psnr) ? pair.psnr : 999;
  return concat("<figure data-psnr=\"", decibels, "\" data-ssim=\"", pair.ssim.value_or(0),
                "\" data-id=\"", pair.id, "\"><div class=\"triple\">", image(one, "baseline"),
                image(other, "cached"), "<div class=\"difference\">", image(one, "difference"),
                image(other, ""), "</div></div><figcaption>", escape_html(about), ": ",
                std::isfinite(pair.psnr) ? number_text(pair.psnr, 2) + " dB" : "equal", ", SSIM ",
                number_text(pair.ssim, 4), " (", place + 1, " of ", count,
                " from the worst)</figcaption>", "</figure>\n");
}

}  // namespace

std::string pairs_section(const Comparison& comparison, int64_t shown) {
  std::string body =
      concat("<p class=\"faint\">Baseline, run, difference. Same label, same order of tokens; ",
             comparison.rules.empty()
                 ? "the worst pairs by PSNR first, "
                 : "first pairs in which the run alone breaks the rule, then the others by PSNR, ",
             "then some spread over the rest up to the best.</p>"
             "<div class=\"controls\"><label>Difference <input type=\"range\" data-gain min=\"1\" "
             "max=\"16\" value=\"4\"> <output>4×</output></label><label>Order <select data-sort>"
             "<option value=\"psnr\">PSNR</option><option value=\"ssim\">SSIM</option>"
             "<option value=\"id\">number</option></select></label></div>");
  for (size_t i = 0; i < comparison.paired.size(); ++i) {
    const std::vector<Pair>& pairs = comparison.paired[i].pairs;
    const PairStatistics all = statistics(pairs);
    body += concat("<h3>", escape_html(comparison.runs[i + 1].label), "</h3><p class=\"faint\">",
                   all.count, " pairs, ", all.identical, " of them equal. PSNR: mean ",
                   number_text(all.psnr_mean, 2), ", median ", number_text(all.psnr_median, 2),
                   " dB. SSIM: mean ", number_text(all.ssim_mean, 4), ", median ",
                   number_text(all.ssim_median, 4), ".</p><div class=\"pairs\">");
    for (const size_t place : shown_places(pairs.size(), static_cast<size_t>(shown))) {
      body += pair_tile(comparison, i + 1, pairs[place], place, pairs.size());
    }
    body += "</div>";
  }
  return section("pairs", "Pairs of images", body);
}

}  // namespace lazymar
