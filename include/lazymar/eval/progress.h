#pragma once
/// How far a job is: one line that renews itself on a terminal, plain lines elsewhere.

#include <chrono>
#include <cstdint>
#include <string>

namespace lazymar {

class Progress {
 public:
  /// `total`: images of the job.
  explicit Progress(int64_t total);
  /// Ends the line, if one is open.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Shows the bar before the first image is done (on a terminal).
  void start();
  /// `done` images are finished and written.
  void update(int64_t done);

 private:
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_line_ = started_;
  int64_t total_;
  bool terminal_;
  bool open_ = false;
};

/// "12/64 images, 1.50 images/s, 0:35 left", with a bar of `width` places in front where it is
/// above 0. Without any image done there is no rate to tell.
std::string progress_text(int64_t done, int64_t total, double seconds, int width);

/// "1:02:03" or "2:03".
std::string duration_text(double seconds);

}  // namespace lazymar
