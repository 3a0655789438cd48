#pragma once
/// Rules of the pictures of the checkpoint "rules" (demo_training/rules.py), checked from pixels.
///
/// Each class has a rule: left and right mirror each other, three discs are equal, and so on. A
/// checker finds the picture of two colours that keeps the rule and is nearest to the image. Then
/// it counts the tokens, squares of 4 x 4 pixels, whose mean colour differs from that picture's. An
/// image passes if none does.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace lazymar {

inline constexpr int64_t kRuleSide = 64;  ///< height and width of an image, pixels
inline constexpr int64_t kRuleTokens = 256;

/// Pixels by which outlines may be displaced.
inline constexpr int64_t kRuleShift = 1;

inline constexpr std::array<std::string_view, 10> kRuleClasses = {
    "mirror", "stripes", "checker",  "three",   "line",
    "rings",  "twins",   "gradient", "balance", "frame"};

/// Largest gap of a token (see rule_gaps()) that counts as none, in levels. Gradients are allowed
/// more, because the VAE bends them.
float rule_tolerance(int64_t label);

struct RuleCheck {
  int64_t broken = 0;  ///< tokens that differ from the nearest picture that keeps the rule
  double score = 0;    ///< share of the other tokens, 0 to 1
  bool pass = false;   ///< no token differs
};

/// For every token, row by row: how far its mean colour is from that of the nearest picture that
/// keeps the rule of class `label`, in levels of the channel that differs most. `rgb`: RGB8
/// [64, 64, 3]; `label`: an index of kRuleClasses. Throws Error (usage) if either is not.
std::array<float, kRuleTokens> rule_gaps(int64_t label, std::span<const uint8_t> rgb);

/// Checks an image, RGB8 [64, 64, 3], against the rule of class `label`, an index of kRuleClasses.
/// Throws Error if the size or the label is wrong.
RuleCheck check_rule(int64_t label, std::span<const uint8_t> rgb);

}  // namespace lazymar
