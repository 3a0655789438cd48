// Replaces libcuda.so.1 and libnvidia-ml.so.1 of a machine with three GPUs; NVML knows two of them.
// CUDA counts those in CUDA_VISIBLE_DEVICES, a list of numbers; NVML counts in another order. The
// second GPU reports neither power nor temperature.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

namespace {

// What the two libraries return (CUresult, nvmlReturn_t).
constexpr int kSuccess = 0;
constexpr int kNotInitialized = 1;
constexpr int kInvalid = 2;
constexpr int kNotSupported = 3;
constexpr int kNotFound = 6;
constexpr int kInvalidDevice = 101;

struct Gpu {
  const char* pci_bus_id;
  unsigned sm_clock, memory_clock, milliwatts, celsius;  // the last two: 0 if not reported
};
Gpu gpus[] = {{"0000:9D:00.0", 1980, 2619, 412'345, 61},
              {"0000:1B:00.0", 345, 810, 0, 0},
              {"0000:C4:00.0", 1, 1, 1, 1}};
constexpr int kGpuCount = 3;
constexpr int kKnownToNvml = 2;

bool cuda_is_initialized = false;
int nvml_sessions = 0;

std::vector<int> visible() {
  const char* list = std::getenv("CUDA_VISIBLE_DEVICES");
  std::vector<int> found;
  std::istringstream in(list == nullptr ? "0,1,2" : list);
  for (std::string index; std::getline(in, index, ',');) {
    found.push_back(std::atoi(index.c_str()));
  }
  return found;
}

int tell(unsigned figure, unsigned* value) {
  if (nvml_sessions == 0) {
    return kNotInitialized;
  }
  if (figure == 0) {
    return kNotSupported;
  }
  *value = figure;
  return kSuccess;
}

}  // namespace

extern "C" {

int cuInit(unsigned) {
  cuda_is_initialized = true;
  return kSuccess;
}

int cuDeviceGet(int* device, int ordinal) {
  const std::vector<int> seen = visible();
  if (!cuda_is_initialized || ordinal < 0 || ordinal >= static_cast<int>(seen.size())) {
    return kInvalidDevice;
  }
  *device = seen[static_cast<size_t>(ordinal)];
  return kSuccess;
}

int cuDeviceGetPCIBusId(char* id, int length, int device) {
  if (device < 0 || device >= kGpuCount) {
    return kInvalidDevice;
  }
  std::snprintf(id, static_cast<size_t>(length), "%s", gpus[device].pci_bus_id);
  return kSuccess;
}

int nvmlInit_v2() {
  ++nvml_sessions;
  return kSuccess;
}

int nvmlShutdown() {
  --nvml_sessions;
  return kSuccess;
}

int nvmlDeviceGetHandleByPciBusId_v2(const char* id, Gpu** device) {
  if (nvml_sessions == 0) {
    return kNotInitialized;
  }
  for (int i = kKnownToNvml - 1; i >= 0; --i) {
    if (std::strcmp(gpus[i].pci_bus_id, id) == 0) {
      *device = &gpus[i];
      return kSuccess;
    }
  }
  return kNotFound;
}

int nvmlDeviceGetClockInfo(Gpu* gpu, int clock, unsigned* megahertz) {
  constexpr int kSm = 1;
  constexpr int kMemory = 2;
  return clock == kSm       ? tell(gpu->sm_clock, megahertz)
         : clock == kMemory ? tell(gpu->memory_clock, megahertz)
                            : kInvalid;
}

int nvmlDeviceGetPowerUsage(Gpu* gpu, unsigned* milliwatts) {
  return tell(gpu->milliwatts, milliwatts);
}

int nvmlDeviceGetTemperature(Gpu* gpu, int sensor, unsigned* celsius) {
  return sensor == 0 ? tell(gpu->celsius, celsius) : kInvalid;
}

/// For the test: the number of open sessions.
int fake_nvml_sessions() {
  return nvml_sessions;
}
}
