// Preloaded into a program, this makes its k-th writing call fail once. It counts write, pwrite,
// fsync, fdatasync, syncfs, rename, and close of files opened for writing, on paths below
// FAILING_FOLDER. FAILING_CALL: k from 1, 0 for none. FAILING_ERRNO: the error. FAILING_COUNT: a
// file for the number of calls, written at the program's end.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

std::atomic<long> calls{0};

bool is_watched(const char* path) {
  const char* folder = std::getenv("FAILING_FOLDER");
  return folder != nullptr && std::strncmp(path, folder, std::strlen(folder)) == 0;
}

bool is_watched(int descriptor) {
  char link[64];
  char path[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = ::readlink(link, path, sizeof path - 1);
  if (length < 0) {
    return false;
  }
  path[length] = '\0';
  return is_watched(path);
}

/// Counts one call; true, with errno set, if this call must fail.
bool fails() {
  const char* wanted = std::getenv("FAILING_CALL");
  const char* error = std::getenv("FAILING_ERRNO");
  if (++calls != (wanted != nullptr ? std::atol(wanted) : 0)) {
    return false;
  }
  errno = error != nullptr ? std::atoi(error) : EIO;
  return true;
}

template <typename Function>
Function* real(const char* name, Function*) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

struct Teller {
  ~Teller() {
    const char* path = std::getenv("FAILING_COUNT");
    std::FILE* file = path != nullptr ? std::fopen(path, "w") : nullptr;
    if (file != nullptr) {
      std::fprintf(file, "%ld\n", calls.load());
      std::fclose(file);
    }
  }
} teller;

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* bytes, size_t count) {
  return is_watched(descriptor) && fails() ? -1 : real("write", &write)(descriptor, bytes, count);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
  return is_watched(descriptor) && fails()
             ? -1
             : real("pwrite", &pwrite)(descriptor, bytes, count, offset);
}

int fsync(int descriptor) {
  return is_watched(descriptor) && fails() ? -1 : real("fsync", &fsync)(descriptor);
}

int fdatasync(int descriptor) {
  return is_watched(descriptor) && fails() ? -1 : real("fdatasync", &fdatasync)(descriptor);
}

int syncfs(int descriptor) noexcept {
  return is_watched(descriptor) && fails() ? -1 : real("syncfs", &syncfs)(descriptor);
}

int rename(const char* from, const char* to) noexcept {
  return is_watched(to) && fails() ? -1 : real("rename", &rename)(from, to);
}

int close(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  const bool written = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
  const bool failed = written && is_watched(descriptor) && fails();
  const int error = errno;
  const int result = real("close", &close)(descriptor);
  if (failed) {
    errno = error;
    return -1;
  }
  return result;
}

}  // extern "C"
