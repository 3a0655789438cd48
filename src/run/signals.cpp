#include "run/signals.h"

#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <csignal>
#include <ctime>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "core/exit_code.h"

namespace lazymar {
namespace {

// Written by signal handlers: lock-free, and the handlers touch nothing else.
std::atomic<int> requested{0};
std::atomic<int> interrupts{0};
std::atomic<double> requested_at{0.0};
double grace_seconds = 0.0;

static_assert(std::atomic<double>::is_always_lock_free);

double now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void end_after_grace(int) {
  ::_exit(static_cast<int>(ExitCode::kIncomplete));
}

void request_stop(int signal) {
  if (signal == SIGINT && interrupts.fetch_add(1) > 0) {
    ::_exit(static_cast<int>(ExitCode::kInterrupted));
  }
  int none = 0;
  if (requested.compare_exchange_strong(none, signal)) {
    requested_at.store(now());
    itimerval timer{};
    timer.it_value.tv_sec = static_cast<time_t>(grace_seconds);
    timer.it_value.tv_usec =
        static_cast<suseconds_t>(1e6 * (grace_seconds - std::floor(grace_seconds))) + 1;
    ::setitimer(ITIMER_REAL, &timer, nullptr);
  }
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

/// A thread that only handles these signals; threads started later do not receive them. With
/// handlers on computing threads, 11 of 70 stops under load died of heap corruption inside oneDNN's
/// generated code, which seems to use the stack below its pointer. With this thread, none did.
void take_signals_aside(const sigset_t& signals) {
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  static std::once_flag once;
  std::call_once(once, [&signals] {
    std::thread([signals] {
      ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
      while (true) {
        ::pause();
      }
    }).detach();
  });
}

}  // namespace

void watch_stop_signals(double grace) {
  grace_seconds = grace;
  handle(SIGALRM, &end_after_grace);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGALRM);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
    handle(signal, &request_stop);
    sigaddset(&signals, signal);
  }
  take_signals_aside(signals);
}

std::optional<StopRequest> stop_request() {
  const int signal = requested.load();
  if (signal == 0) {
    return std::nullopt;
  }
  return StopRequest{signal, requested_at.load() + grace_seconds - now()};
}

}  // namespace lazymar
