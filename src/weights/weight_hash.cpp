#include "weights/weight_hash.h"

#include <sched.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/error.h"
#include "files/read_ahead.h"

namespace lazymar {
namespace {

constexpr int64_t kStepBytes = int64_t{1} << 20;

int64_t element_count(const TensorView& view) {
  return byte_count(view.type, view.shape) / element_size(view.type);
}

/// Elements `first` on of a tensor with strides, in row-major order.
std::vector<std::byte> gather(const TensorView& view, int64_t first, int64_t count) {
  const int64_t size = element_size(view.type);
  std::vector<std::byte> elements(static_cast<size_t>(count * size));
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = first + i;
    int64_t place = 0;
    for (size_t d = view.shape.size(); d-- > 0;) {
      place += rest % view.shape[d] * view.strides[d];
      rest /= view.shape[d];
    }
    std::copy_n(view.bytes.begin() + place * size, size, elements.begin() + i * size);
  }
  return elements;
}

}  // namespace

WeightHasher::WeightHasher(WeightsInUse weights)
    : weights_(std::move(weights)), tensor_(weights_.tensors.begin()) {}

void WeightHasher::update(const void* data, size_t size) {
  hash_.update({static_cast<const std::byte*>(data), size});
}

void WeightHasher::update_number(uint64_t number) {
  update(&number, sizeof number);
}

void WeightHasher::update_elements(const TensorView& view, int64_t first, int64_t count) {
  const int64_t size = element_size(view.type);
  if (view.strides.empty()) {
    const auto bytes =
        view.bytes.subspan(static_cast<size_t>(first * size), static_cast<size_t>(count * size));
    read_ahead(bytes);
    update(bytes.data(), bytes.size());
  } else {
    update(gather(view, first, count).data(), static_cast<size_t>(count * size));
  }
}

bool WeightHasher::step() {
  if (tensor_ == weights_.tensors.end()) {
    return false;
  }
  const auto& [name, view] = *tensor_;
  if (element_ == 0) {
    update_number(name.size());
    update(name.data(), name.size());
    update(to_string(view.type).data(), to_string(view.type).size());
    update_number(view.shape.size());
    for (const int64_t size : view.shape) {
      update_number(static_cast<uint64_t>(size));
    }
  }
  const int64_t elements = element_count(view);
  const int64_t count = std::min(elements - element_, kStepBytes / element_size(view.type));
  update_elements(view, element_, count);
  element_ += count;
  if (element_ == elements) {
    ++tensor_;
    element_ = 0;
  }
  return true;
}

std::string WeightHasher::digest() {
  return hash_.digest();
}

WeightHash::WeightHash(WeightsInUse weights)
    : hasher_(std::make_unique<WeightHasher>(std::move(weights))),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

WeightHash::WeightHash(std::string statement) : text_(std::move(statement)), ready_(true) {}

WeightHash::~WeightHash() = default;

void WeightHash::work(const std::stop_token& stop) {
  // The run has priority. If this fails, hashing is only slower.
  const sched_param no_priority{};
  sched_setscheduler(0, SCHED_IDLE, &no_priority);
  try {
    while (!stop.stop_requested()) {
      if (!hasher_->step()) {
        text_ = hasher_->digest();
        ready_ = true;
        return;
      }
    }
  } catch (...) {
    failure_ = std::current_exception();
  }
}

const std::string& WeightHash::get() {
  // The caller waits for this, so it finishes the work itself at its own priority.
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  if (failure_) {
    std::rethrow_exception(failure_);
  }
  if (!ready_) {
    while (hasher_->step()) {
    }
    text_ = hasher_->digest();
    ready_ = true;
  }
  return text_;
}

}  // namespace lazymar
