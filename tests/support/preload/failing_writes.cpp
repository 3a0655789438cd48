// Preloaded into a program, this makes calls on paths below FAILING_FOLDER fail.
// FAILING_KINDS: which calls count, by name, separated by commas. Default: write, pwrite, fsync,
// fdatasync, syncfs, rename, and close of files opened for writing. More: create (open for
// writing), read (open for reading), link, mkdir, unlink, utime. FAILING_PATH: only paths that
// contain this text; for rename and link, the new name. FAILING_CALL: the call that fails, from 1;
// 0 for none. FAILING_ALWAYS: all later ones fail, too; FAILING_EVERY: only each n-th of them.
// FAILING_ERRNO: the error. FAILING_COUNT: a file for the number of calls, written at the program's
// end.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

std::atomic<long> calls{0};

long number(const char* name, long otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atol(text) : otherwise;
}

bool counts(const char* kind) {
  const char* kinds = std::getenv("FAILING_KINDS");
  const std::string all =
      kinds != nullptr ? kinds : "write,pwrite,fsync,fdatasync,syncfs,rename,close";
  return ("," + all + ",").find("," + std::string(kind) + ",") != std::string::npos;
}

bool is_watched(const char* path) {
  const char* folder = std::getenv("FAILING_FOLDER");
  const char* part = std::getenv("FAILING_PATH");
  return folder != nullptr && std::strncmp(path, folder, std::strlen(folder)) == 0 &&
         (part == nullptr || std::strstr(path, part) != nullptr);
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
  const long wanted = number("FAILING_CALL", 0);
  const long call = ++calls;
  const bool late = wanted > 0 && call > wanted && std::getenv("FAILING_ALWAYS") != nullptr;
  if (call != wanted && !(late && (call - wanted) % number("FAILING_EVERY", 1) == 0)) {
    return false;
  }
  errno = static_cast<int>(number("FAILING_ERRNO", EIO));
  return true;
}

template <typename Where>
bool fails(const char* kind, Where where) {
  return counts(kind) && is_watched(where) && fails();
}

template <typename Function>
Function* real(const char* name, Function*) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

const char* kind_of_open(int flags) {
  return (flags & O_ACCMODE) == O_RDONLY ? "read" : "create";
}

std::FILE* open_stream(const char* name, const char* path, const char* mode) {
  const char* kind = std::strchr(mode, 'r') != nullptr ? "read" : "create";
  return fails(kind, path) ? nullptr : real(name, &std::fopen)(path, mode);
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
  return fails("write", descriptor) ? -1 : real("write", &write)(descriptor, bytes, count);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
  return fails("pwrite", descriptor) ? -1
                                     : real("pwrite", &pwrite)(descriptor, bytes, count, offset);
}

int fsync(int descriptor) {
  return fails("fsync", descriptor) ? -1 : real("fsync", &fsync)(descriptor);
}

int fdatasync(int descriptor) {
  return fails("fdatasync", descriptor) ? -1 : real("fdatasync", &fdatasync)(descriptor);
}

int syncfs(int descriptor) noexcept {
  return fails("syncfs", descriptor) ? -1 : real("syncfs", &syncfs)(descriptor);
}

int rename(const char* from, const char* to) noexcept {
  return fails("rename", to) ? -1 : real("rename", &rename)(from, to);
}

int link(const char* from, const char* to) noexcept {
  return fails("link", to) ? -1 : real("link", &link)(from, to);
}

int unlink(const char* path) noexcept {
  return fails("unlink", path) ? -1 : real("unlink", &unlink)(path);
}

int mkdir(const char* path, mode_t mode) noexcept {
  return fails("mkdir", path) ? -1 : real("mkdir", &mkdir)(path, mode);
}

int futimens(int descriptor, const timespec times[2]) noexcept {
  return fails("utime", descriptor) ? -1 : real("futimens", &futimens)(descriptor, times);
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return fails(kind_of_open(flags), path) ? -1 : real("open", &open)(path, flags, mode);
}

std::FILE* fopen(const char* path, const char* mode) {
  return open_stream("fopen", path, mode);
}

std::FILE* fopen64(const char* path, const char* mode) {
  return open_stream("fopen64", path, mode);
}

int close(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  const bool written = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
  const bool failed = written && fails("close", descriptor);
  const int error = errno;
  const int result = real("close", &close)(descriptor);
  if (failed) {
    errno = error;
    return -1;
  }
  return result;
}

}  // extern "C"
