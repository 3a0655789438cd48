// The Python module _lazymar: include/lazymar/lazymar.h with torch's tensors.
// python/lazymar/model.py is what users see.
#include <lazymar/lazymar.h>
#include <pybind11/functional.h>
#include <pybind11/stl.h>
#include <torch/csrc/utils/pybind.h>

#include <map>
#include <string>
#include <vector>

namespace py = pybind11;

namespace {

using lazymar::Model;
using lazymar::SampleOptions;

/// Python's callback, None or a function of the share that is done. Interrupts (Ctrl-C) end the
/// batch between two decoding steps.
std::function<bool(double)> progress_of(const py::object& callback) {
  return [callback](double done) {
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) {
      throw py::error_already_set();
    }
    if (callback.is_none()) {
      return true;
    }
    const py::object result = callback(done);
    return result.is_none() || result.cast<bool>();
  };
}

using Draw = at::Tensor (Model::*)(const std::vector<int64_t>&, const std::vector<int64_t>&,
                                   const SampleOptions&);

template <Draw draw>
at::Tensor drawn(Model& model, const std::vector<int64_t>& labels, const std::vector<int64_t>& ids,
                 const std::map<std::string, std::string>& options, uint64_t seed,
                 const py::object& progress) {
  SampleOptions chosen;
  chosen.options = options;
  chosen.seed = seed;
  chosen.progress = progress_of(progress);
  const py::gil_scoped_release no_gil;
  return (model.*draw)(labels, ids, chosen);
}

}  // namespace

PYBIND11_MODULE(_lazymar, module) {
  py::register_exception<lazymar::RefusedError>(module, "RefusedError", PyExc_ValueError);
  py::register_exception<lazymar::CancelledError>(module, "CancelledError", PyExc_RuntimeError);
  module.def("version", &lazymar::version);

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
      .def_static("open", &Model::open, py::call_guard<py::gil_scoped_release>())
      .def_static("from_tensors", &Model::from_tensors, py::call_guard<py::gil_scoped_release>())
      .def("sample", &drawn<&Model::sample>)
      .def("sample_float", &drawn<&Model::sample_float>)
      .def("sample_latents", &drawn<&Model::sample_latents>)
      .def("decode", &Model::decode, py::call_guard<py::gil_scoped_release>())
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
