#include "generate/memory_warning.h"

#include "core/error.h"
#include "core/text.h"
#include "formats/weight_content.h"

namespace lazymar {
namespace {

/// Of one number: block layers are most of a model's weights.
int64_t weight_size(Precision precision) {
  const std::string_view format = precision->formats.of(LayerRole::kMlpIn);
  return format == "fp64" ? 8 : format == "fp32" ? 4 : format == "int8" ? 1 : 2;
}

int64_t numbers(const std::shared_ptr<const WeightFile>& file) {
  int64_t count = 0;
  if (file) {
    for (const auto& [name, view] : file->tensors()) {
      count += byte_count(view.type, view.shape) / element_size(view.type);
    }
  }
  return count;
}

}  // namespace

int64_t weight_bytes(const OpenModel& files, Precision precision) {
  return numbers(files.mar) * weight_size(precision);
}

std::string memory_warning(int64_t weights, const std::optional<MemoryRoom>& room,
                           int64_t processes) {
  if (!room || weights + kProgramBytes <= room->bytes / processes) {
    return {};
  }
  const bool many = processes > 1;
  return concat("memory: the weights take about ", gib_text(static_cast<double>(weights)),
                " and the program ", gib_text(static_cast<double>(kProgramBytes)),
                many ? concat(" in each of ", processes, " processes") : "", ", but only ",
                gib_text(static_cast<double>(room->bytes)), " are available (limit: ", room->limit,
                "); the system may kill the run: raise the limit, or use ",
                many ? "fewer processes or " : "", "a --precision of fewer bits");
}

}  // namespace lazymar
