#include "core/revision.h"

#include "lazymar_revision.h"

namespace lazymar {

std::string version_string() {
  return LAZYMAR_VERSION " (" LAZYMAR_REVISION ")";
}

std::string revision() {
  return LAZYMAR_REVISION;
}

}  // namespace lazymar
