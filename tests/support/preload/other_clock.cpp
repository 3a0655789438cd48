// Preloaded into a program, this gives it the clock of another host, and coarse times of files.
// CLOCK_SHIFT: seconds that its clock is ahead of this machine's; may be negative. FILE_TIME_UNIT:
// times of files, as fstat() shows them, are multiples of so many seconds.
#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <cstdlib>
#include <ctime>

namespace {

long number(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atol(text) : otherwise;
}

template <typename Function>
Function* real(const char* name, Function*) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

void make_coarse(timespec& time) {
  const long unit = number("FILE_TIME_UNIT", 0);
  if (unit > 0) {
    time.tv_sec -= time.tv_sec % unit;
    time.tv_nsec = 0;
  }
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int result = real("clock_gettime", &clock_gettime)(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    time->tv_sec += number("CLOCK_SHIFT", 0);
  }
  return result;
}

int gettimeofday(timeval* time, void* zone) noexcept {
  const int result = real("gettimeofday", &gettimeofday)(time, zone);
  if (result == 0) {
    time->tv_sec += number("CLOCK_SHIFT", 0);
  }
  return result;
}

time_t time(time_t* result) noexcept {
  const time_t now = real("time", &time)(nullptr) + number("CLOCK_SHIFT", 0);
  if (result != nullptr) {
    *result = now;
  }
  return now;
}

int fstat(int descriptor, struct stat* status) noexcept {
  const int result = real("fstat", &fstat)(descriptor, status);
  if (result == 0) {
    make_coarse(status->st_mtim);
    make_coarse(status->st_ctim);
  }
  return result;
}

}  // extern "C"
