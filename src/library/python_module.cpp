// The Python module _lazymar: include/lazymar/lazymar.h with torch's tensors.
// python/lazymar/model.py is what users see.
#include <lazymar/lazymar.h>
#include <pybind11/functional.h>
#include <pybind11/stl.h>
#include <torch/csrc/utils/pybind.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace py = pybind11;

namespace {

using lazymar::Model;
using lazymar::SampleOptions;

/// Raises what a signal's handler raises: KeyboardInterrupt after Ctrl-C. Only the main thread runs
/// handlers.
void check_signals() {
  const py::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) {
    throw py::error_already_set();
  }
}

/// Python's callback, None or a function of the share that is done. Interrupts (Ctrl-C) end the
/// batch between two decoding steps. The library copies functions while it has no GIL, so that the
/// copies share one reference to the Python object.
std::function<bool(double)> progress_of(py::object callback) {
  const std::shared_ptr<py::object> shared(new py::object(std::move(callback)),
                                           [](py::object* object) {
                                             const py::gil_scoped_acquire gil;
                                             delete object;
                                           });
  return [shared](double done) {
    check_signals();
    const py::gil_scoped_acquire gil;
    if (shared->is_none()) {
      return true;
    }
    const py::object result = (*shared)(done);
    const int go_on = result.is_none() ? 1 : PyObject_IsTrue(result.ptr());
    if (go_on < 0) {
      throw py::error_already_set();
    }
    return go_on != 0;
  };
}

using Draw = at::Tensor (Model::*)(const std::vector<int64_t>&, const std::vector<int64_t>&,
                                   const SampleOptions&);

template <Draw draw>
at::Tensor drawn(Model& model, const std::vector<int64_t>& labels, const std::vector<int64_t>& ids,
                 const std::map<std::string, std::string>& options, uint64_t seed,
                 py::object progress) {
  SampleOptions chosen;
  chosen.options = options;
  chosen.seed = seed;
  chosen.progress = progress_of(std::move(progress));
  chosen.poll = check_signals;
  const py::gil_scoped_release no_gil;
  return (model.*draw)(labels, ids, chosen);
}

at::Tensor decoded(Model& model, const at::Tensor& latents) {
  const py::gil_scoped_release no_gil;
  return model.decode(latents, check_signals);
}

Model opened(const std::string& name, lazymar::ModelOptions options) {
  options.poll = check_signals;
  const py::gil_scoped_release no_gil;
  return Model::open(name, options);
}

Model of_tensors(const std::map<std::string, at::Tensor>& tensors, const std::string& name,
                 lazymar::ModelOptions options) {
  options.poll = check_signals;
  const py::gil_scoped_release no_gil;
  return Model::from_tensors(tensors, name, options);
}

}  // namespace

PYBIND11_MODULE(_lazymar, module) {
  py::register_exception<lazymar::RefusedError>(module, "RefusedError", PyExc_ValueError);
  py::register_exception<lazymar::CancelledError>(module, "CancelledError", PyExc_RuntimeError);
  module.def("version", &lazymar::version);
  module.def("sampling_options", &lazymar::sampling_options);
  module.def("set_log_level", &lazymar::set_log_level);

  py::class_<lazymar::ModelOptions>(module, "ModelOptions")
      .def(py::init<>())
      .def_readwrite("device", &lazymar::ModelOptions::device)
      .def_readwrite("precision", &lazymar::ModelOptions::precision)
      .def_readwrite("resume", &lazymar::ModelOptions::resume)
      .def_readwrite("vae_path", &lazymar::ModelOptions::vae_path)
      .def_readwrite("checkpoint_dir", &lazymar::ModelOptions::checkpoint_dir)
      .def_readwrite("random_weights", &lazymar::ModelOptions::random_weights)
      .def_readwrite("threads", &lazymar::ModelOptions::threads);

  py::class_<Model>(module, "Model")
      .def_static("open", &opened)
      .def_static("from_tensors", &of_tensors)
      .def("sample", &drawn<&Model::sample>)
      .def("sample_float", &drawn<&Model::sample_float>)
      .def("sample_latents", &drawn<&Model::sample_latents>)
      .def("decode", &decoded)
      .def("info", [](const Model& model) {
        const lazymar::ModelInfo info = model.info();
        py::dict result;
        result["weights"] = info.weights;
        result["vae"] = info.vae;
        result["device"] = info.device;
        result["precision"] = info.precision;
        result["class_count"] = info.class_count;
        result["image_size"] = info.image_size;
        result["latent_channels"] = info.latent_channels;
        result["latent_size"] = info.latent_size;
        return result;
      });
}
