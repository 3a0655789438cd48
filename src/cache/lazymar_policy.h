#pragma once
/// LazyMAR as a row of the table of cache policies.

#include "cache/policies.h"

namespace lazymar {

/// Its options are LazyOptions (method/lazy_options.h), its runners LazyMarRunner and
/// LazyMarHeadRunner.
CachePolicy lazymar_policy();

}  // namespace lazymar
