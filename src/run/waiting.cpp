#include "run/waiting.h"

#include <thread>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "run/signals.h"

namespace lazymar {
namespace {

constexpr std::chrono::milliseconds kPause(200);
constexpr double kPatience = 3;  ///< seconds

}  // namespace

Waiting::Waiting(std::string what) : what_(std::move(what)) {}

void Waiting::pause() {
  if (stop_request()) {
    throw Error(ErrorKind::kIncomplete, "stopped before the first shard; run it again");
  }
  if (seconds() > kPatience && !what_.empty()) {
    log_info("waiting " + std::exchange(what_, ""));
  }
  std::this_thread::sleep_for(kPause);
}

double Waiting::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

}  // namespace lazymar
