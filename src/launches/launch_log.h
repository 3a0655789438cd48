#pragma once
/// What a device would be asked to do: kernels by name, with the bytes and FLOPs they move.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lazymar {

/// A GPU by its data sheet.
struct Card {
  std::string_view name;
  double bytes_per_second;
  double flops_per_second;  ///< dense, bf16 and fp16, on tensor cores
};

/// H100 SXM and H200 SXM. Source: NVIDIA's data sheets; the rates there are with sparsity, which
/// doubles them.
inline constexpr Card kCards[] = {{"H100", 3.35e12, 989e12}, {"H200", 4.8e12, 989e12}};
inline constexpr size_t kCardCount = std::size(kCards);

/// Kernels of one name.
struct KernelWork {
  int64_t launches = 0;
  int64_t bytes = 0;  ///< of the tensors that are read and written
  int64_t flops = 0;  ///< of products, 2 per multiply-add
  /// By card: the sum over kernels of the longer of their bytes' and their FLOPs' time.
  double limit_seconds[kCardCount] = {};

  KernelWork& operator+=(const KernelWork& other);
};

/// `launches` kernels that move so much together.
KernelWork kernel_work(int64_t launches, int64_t bytes, int64_t flops);

/// Work in the order of its stages.
struct LaunchLog {
  std::map<std::string, KernelWork> by_name;
  int64_t graph_nodes = 0;     ///< launches that were replayed as nodes of a graph
  int64_t graph_launches = 0;  ///< graphs that were replayed

  void add(const std::string& name, const KernelWork& work) { by_name[name] += work; }
  LaunchLog& operator+=(const LaunchLog& other);
  KernelWork total() const;
  /// What the host starts: graphs, and kernels outside of them.
  int64_t host_launches() const;
};

/// Where kernels are noted now, on this thread; nullptr: nowhere.
LaunchLog*& current_log();

/// Notes in `log` while this object exists.
class NoteIn {
 public:
  explicit NoteIn(LaunchLog* log);
  ~NoteIn();
  NoteIn(const NoteIn&) = delete;
  NoteIn& operator=(const NoteIn&) = delete;

 private:
  LaunchLog* before_;
};

}  // namespace lazymar
