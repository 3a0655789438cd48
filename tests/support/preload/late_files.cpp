// Preloaded into a program, this hides files below LATE_FOLDER for the first LATE_SECONDS of their
// lives, as the caches of a network file system may, unless this program made them. Calls that make
// files see them: those go to the server.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <mutex>
#include <set>
#include <string>

namespace {

std::mutex mutex;

std::set<std::string>& own_files() {
  static std::set<std::string> files;
  return files;
}

template <typename Function>
Function* real(const char* name, Function*) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool is_watched(const char* path) {
  const char* folder = std::getenv("LATE_FOLDER");
  return folder != nullptr && std::strncmp(path, folder, std::strlen(folder)) == 0;
}

void remember(const char* path) {
  if (is_watched(path)) {
    const std::lock_guard lock(mutex);
    own_files().insert(path);
  }
}

bool is_hidden(const char* path) {
  struct statx status {};
  if (!is_watched(path) || ::statx(AT_FDCWD, path, 0, STATX_BTIME, &status) != 0 ||
      !S_ISREG(status.stx_mode)) {
    return false;
  }
  const char* seconds = std::getenv("LATE_SECONDS");
  const std::lock_guard lock(mutex);
  return !own_files().contains(path) && std::time(nullptr) - status.stx_btime.tv_sec <
                                            std::atol(seconds != nullptr ? seconds : "0");
}

bool is_missing(const char* path) {
  if (is_hidden(path)) {
    errno = ENOENT;
    return true;
  }
  return false;
}

std::FILE* open_stream(const char* name, const char* path, const char* mode) {
  if (std::strchr(mode, 'r') == nullptr) {
    remember(path);
  } else if (is_missing(path)) {
    return nullptr;
  }
  return real(name, &std::fopen)(path, mode);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  if ((flags & O_CREAT) == 0 && is_missing(path)) {
    return -1;
  }
  const int result = real("open", &open)(path, flags, mode);
  if ((flags & O_CREAT) != 0 && result >= 0) {
    remember(path);
  }
  return result;
}

std::FILE* fopen(const char* path, const char* mode) {
  return open_stream("fopen", path, mode);
}

std::FILE* fopen64(const char* path, const char* mode) {
  return open_stream("fopen64", path, mode);
}

int access(const char* path, int mode) noexcept {
  return is_missing(path) ? -1 : real("access", &access)(path, mode);
}

int rename(const char* from, const char* to) noexcept {
  const int result = real("rename", &rename)(from, to);
  if (result == 0) {
    remember(to);
  }
  return result;
}

int link(const char* from, const char* to) noexcept {
  const int result = real("link", &link)(from, to);
  if (result == 0) {
    remember(to);
  }
  return result;
}

dirent* readdir(DIR* folder) {
  char link[64];
  char path[PATH_MAX + 256];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", ::dirfd(folder));
  const ssize_t length = ::readlink(link, path, PATH_MAX);
  dirent* entry = nullptr;
  while ((entry = real("readdir", &readdir)(folder)) != nullptr && length > 0) {
    std::snprintf(path + length, sizeof path - static_cast<size_t>(length), "/%s", entry->d_name);
    if (!is_hidden(path)) {
      return entry;
    }
  }
  return entry;
}

}  // extern "C"
