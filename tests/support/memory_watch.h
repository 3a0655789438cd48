#pragma once
/// Which external memory a piece of work uses. A capture replays with the same addresses, so they
/// must be equal every time.

#include <ATen/record_function.h>

#include <cstdint>
#include <memory>
#include <set>
#include <vector>

namespace lazymar::testing {

/// While it exists, notes the addresses of all tensors that ATen's operations on this thread take
/// but did not create. note() does so for tensors that ATen does not see.
class MemoryWatch {
 public:
  MemoryWatch() {
    current_ = this;
    handle_ = at::addThreadLocalCallback(
        at::RecordFunctionCallback(
            [](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
              auto given = std::make_unique<Given>();
              for (const c10::IValue& input : function.inputs()) {
                for_each(input, [&](const at::Tensor& t) {
                  if (current_->depth_ == 0) {  // operations within one take its results
                    note(t);
                  }
                  given->addresses.insert(address(t));
                });
              }
              ++current_->depth_;
              return given;
            },
            [](const at::RecordFunction& function, at::ObserverContext* context) {
              --current_->depth_;
              // An operation has created what is not one of its inputs.
              const auto& given = static_cast<Given*>(context)->addresses;
              for (const c10::IValue& output : function.outputs()) {
                for_each(output, [&](const at::Tensor& t) {
                  if (!given.contains(address(t))) {
                    current_->inside_.insert(address(t));
                  }
                });
              }
            })
            .needsInputs(true)
            .needsOutputs(true));
  }
  ~MemoryWatch() {
    at::removeCallback(handle_);
    current_ = nullptr;
  }
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;

  static void note(const at::Tensor& t) {
    if (current_ != nullptr && t.defined() && !current_->inside_.contains(address(t))) {
      current_->outside_.push_back(address(t));
    }
  }

  /// In the order of the operations, once per use.
  const std::vector<const void*>& addresses() const { return outside_; }

 private:
  /// An operation's inputs.
  struct Given final : at::ObserverContext {
    std::set<const void*> addresses;
  };

  template <typename Note>
  static void for_each(const c10::IValue& value, Note note) {
    // Numbers that C++ wraps in tensors are part of the work.
    if (value.isTensor() && value.toTensor().defined()) {
      if (value.toTensor().unsafeGetTensorImpl()->is_wrapped_number()) {
        return;
      }
      note(value.toTensor());
    } else if (value.isTensorList()) {
      for (const at::Tensor& t : value.toTensorVector()) {
        note(t);
      }
    }
  }
  /// oneDNN's packed weights hide their memory: the tensor itself stands for it.
  static const void* address(const at::Tensor& t) {
    return t.has_storage() ? t.storage().data() : t.unsafeGetTensorImpl();
  }

  inline static thread_local MemoryWatch* current_ = nullptr;
  at::CallbackHandle handle_ = 0;
  int64_t depth_ = 0;
  std::vector<const void*> outside_;
  std::set<const void*> inside_;
};

}  // namespace lazymar::testing
