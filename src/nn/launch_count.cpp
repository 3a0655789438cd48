#include "nn/launch_count.h"

namespace lazymar {

LaunchCount& launch_count() {
  thread_local LaunchCount count;
  return count;
}

}  // namespace lazymar
