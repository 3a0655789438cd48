#include <map>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "core/error.h"

namespace lazymar {
namespace {

const OptionSpec kConvertOptions[] = {
    {"", "input", "", "IN"},
    {"", "output", "", "OUT"},
    {"Conversion", "dtype", "keep, fp32, bf16 or fp16 (keep)", "TYPE"},
    {"Conversion", "weights", "of a training checkpoint: ema or model (ema where there are any)",
     "SET"},
    {"Conversion", "list", "print what FILE holds; nothing is written", "FILE"},
    {"Conversion", "no_crc", "do not compare the checksums in a .pth or .ckpt"},
};

template <typename T>
T choose(const std::string& flag, const std::string& text, const std::map<std::string, T>& values) {
  const auto found = values.find(text);
  if (found == values.end()) {
    std::string names;
    for (const auto& [name, value] : values) {
      names += (names.empty() ? "" : ", ") + name;
    }
    throw usage_error("--", flag, " ", text, ": use one of ", names);
  }
  return found->second;
}

}  // namespace

Parsed<ConvertOptions> parse_convert_options(int argc, const char* const* argv) {
  const Arguments arguments("lazymar_convert",
                            "Converts a checkpoint (.pth or .ckpt of torch.save, safetensors) to "
                            "safetensors, or lists one.",
                            kConvertOptions, argc, argv,
                            {"IN OUT.safetensors | --list FILE", {"input", "output"}});
  Parsed<ConvertOptions> parsed;
  parsed.text = arguments.information();
  ConvertOptions& options = parsed.options;
  arguments.read("input", options.input);
  arguments.read("output", options.output);
  arguments.read("list", options.list);
  if (arguments.given("dtype")) {
    using Type = std::optional<ElementType>;
    options.dtype = choose<Type>("dtype", arguments.text("dtype"),
                                 {{"keep", std::nullopt},
                                  {"fp32", ElementType::kF32},
                                  {"bf16", ElementType::kBF16},
                                  {"fp16", ElementType::kF16}});
  }
  if (arguments.given("weights")) {
    options.weights = choose<WeightSet>("weights", arguments.text("weights"),
                                        {{"ema", WeightSet::kEma}, {"model", WeightSet::kModel}});
  }
  options.check_crc = !arguments.given("no_crc");
  const bool two = !options.input.empty() && !options.output.empty();
  if (!parsed.text && (options.list ? !options.input.empty() : !two)) {
    throw usage_error("either IN and OUT.safetensors or --list FILE; --help lists the options");
  }
  if (two && options.output.extension() != ".safetensors") {
    throw usage_error(options.output.string(), ": does not end in .safetensors");
  }
  return parsed;
}

}  // namespace lazymar
