#include "bench/gpu_reader.h"

#include <dlfcn.h>

#include <array>
#include <stdexcept>

#include "core/error.h"

namespace lazymar {
namespace {

// Functions of the driver, as declared in cuda.h of CUDA 13.0 and nvml.h of NVML 13, with their
// enums and CUdevice as int. All return 0 for success.
struct nvmlDevice_st;
using CuInit = int(unsigned flags);
using CuDeviceGet = int(int* device, int ordinal);
using CuDeviceGetPciBusId = int(char* id, int length, int device);
using NvmlBeginOrEnd = int();
using NvmlGetHandle = int(const char* pci_bus_id, nvmlDevice_st** device);
using NvmlGet = int(nvmlDevice_st* device, unsigned* value);
using NvmlGetOfKind = int(nvmlDevice_st* device, int kind, unsigned* value);
constexpr int kSmClock = 1;        // NVML_CLOCK_SM
constexpr int kMemoryClock = 2;    // NVML_CLOCK_MEM
constexpr int kGpuSensor = 0;      // NVML_TEMPERATURE_GPU
constexpr int kPciBusIdSize = 32;  // NVML_DEVICE_PCI_BUS_ID_BUFFER_SIZE; CUDA's ids have 12 letters

/// A shared library, loaded while this object exists.
class SharedLibrary {
 public:
  explicit SharedLibrary(const std::string& name)
      : handle_(::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) {
      throw std::runtime_error(::dlerror());
    }
  }
  ~SharedLibrary() { ::dlclose(handle_); }
  SharedLibrary(const SharedLibrary&) = delete;
  SharedLibrary& operator=(const SharedLibrary&) = delete;

  /// False if there is no such function or it fails.
  template <typename Function, typename... Arguments>
  bool call(const char* name, Arguments... arguments) const {
    auto* const function = reinterpret_cast<Function*>(::dlsym(handle_, name));
    return function != nullptr && function(arguments...) == 0;
  }

  /// Throws if there is no such function or it fails.
  template <typename Function, typename... Arguments>
  void require(const char* name, Arguments... arguments) const {
    if (!call<Function>(name, arguments...)) {
      throw std::runtime_error(concat(name, " is missing or failed"));
    }
  }

 private:
  void* handle_;
};

/// "0000:4B:00.0"
std::string pci_bus_id(int64_t cuda_index, const std::string& library) {
  const SharedLibrary cuda(library);
  int device = 0;
  std::array<char, kPciBusIdSize> id{};
  cuda.require<CuInit>("cuInit", 0U);
  cuda.require<CuDeviceGet>("cuDeviceGet", &device, static_cast<int>(cuda_index));
  cuda.require<CuDeviceGetPciBusId>("cuDeviceGetPCIBusId", id.data(), kPciBusIdSize, device);
  return id.data();
}

}  // namespace

/// An NVML session and one of its GPUs.
class GpuReader::Nvml {
 public:
  Nvml(const std::string& library, const std::string& pci_bus_id) : library_(library) {
    library_.require<NvmlBeginOrEnd>("nvmlInit_v2");
    if (!library_.call<NvmlGetHandle>("nvmlDeviceGetHandleByPciBusId_v2", pci_bus_id.c_str(),
                                      &device_)) {
      end();
      throw std::runtime_error(concat("NVML finds no GPU ", pci_bus_id));
    }
  }
  ~Nvml() { end(); }
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  /// A function's result for the GPU; some functions also take a kind.
  template <typename Function, typename... Kind>
  std::optional<double> figure(const char* function, Kind... kind) const {
    unsigned value = 0;
    return library_.call<Function>(function, device_, kind..., &value)
               ? std::optional<double>(value)
               : std::nullopt;
  }

 private:
  void end() const { library_.call<NvmlBeginOrEnd>("nvmlShutdown"); }

  SharedLibrary library_;
  nvmlDevice_st* device_ = nullptr;
};

GpuReader::GpuReader(int64_t cuda_index, const std::string& cuda, const std::string& nvml) {
  try {
    nvml_ = std::make_unique<const Nvml>(nvml, pci_bus_id(cuda_index, cuda));
  } catch (const std::runtime_error& error) {
    problem_ = error.what();
  }
}

GpuReader::~GpuReader() = default;

GpuState GpuReader::read() const {
  constexpr double kMilliwatts = 1e-3;
  GpuState state;
  if (nvml_ == nullptr) {
    return state;
  }
  state.sm_clock = nvml_->figure<NvmlGetOfKind>("nvmlDeviceGetClockInfo", kSmClock);
  state.memory_clock = nvml_->figure<NvmlGetOfKind>("nvmlDeviceGetClockInfo", kMemoryClock);
  state.power = nvml_->figure<NvmlGet>("nvmlDeviceGetPowerUsage");
  if (state.power) {
    *state.power *= kMilliwatts;
  }
  state.temperature = nvml_->figure<NvmlGetOfKind>("nvmlDeviceGetTemperature", kGpuSensor);
  return state;
}

}  // namespace lazymar
