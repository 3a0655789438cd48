#include "generate/model_fit.h"

#include "cache/policies.h"

namespace lazymar {

EvalOptions fit_to_model(const EvalOptions& options, const NetworkShape& shape) {
  EvalOptions fitted = options;
  const int64_t count = shape.mar.class_count;
  if (has_names(options.class_list)) {
    try {
      fitted.classes = class_numbers(options.class_list, class_names(shape.class_names, count));
    } catch (const Error& error) {
      throw setting_error("classes", ": ", error.what());
    }
  }
  for (const int64_t label : fitted.classes) {
    if (label >= count) {
      throw setting_error("classes", " ", label, ": the model has classes 0 to ", count - 1);
    }
  }
  (void)make_plan(shape.mar, resolve_method(options, shape.recommended));
  return fitted;
}

}  // namespace lazymar
