// SPDX-License-Identifier: Apache-2.0
//
// Owns the extension module martlet._raw: the C ABI in Python's terms, 1:1. What users see is
// written in Python above it.
#include "c_functions.hpp"
#include "connection_binding.hpp"
#include "martlet/cpp/version.hpp"
#include "martlet/martlet.h"
#include "reader.hpp"
#include "support.hpp"

namespace py = pybind11;

namespace martlet::python {
namespace {

void set_error_types(py::dict types) {
  Py_XDECREF(module_state().error_types);
  module_state().error_types = types.release().ptr();
}

void set_headers_factory(py::object factory) {
  Py_XDECREF(module_state().headers_factory);
  module_state().headers_factory = factory.release().ptr();
}

}  // namespace
}  // namespace martlet::python

PYBIND11_MODULE(_raw, module) {
  using namespace martlet::python;
  module.doc() = "The C ABI of Martlet in Python's terms. Use the package martlet.";
  py::register_local_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const martlet::cpp::Error& error) {
      raise_error(error);
    }
  });
  module.def("set_error_types", &set_error_types);
  module.def("set_headers_factory", &set_headers_factory);
  // A timeout in seconds as ms: -1 for None and what is as good as endless; raises for what is
  // none.
  module.def("timeout_ms", [](py::handle timeout) {
    const int64_t timeout_ms = timeout_ms_of(timeout.ptr());
    if (timeout_ms == -2) throw py::error_already_set();
    return timeout_ms;
  });
  module.def("set_main_thread", [](unsigned long ident) { module_state().main_thread = ident; });
  module.def("abi_version", &martlet_abi_version);
  module.def("version", [] {
    int64_t bytes = 0;
    const char* const text = martlet_version_text(&bytes);
    return std::string(text, static_cast<size_t>(bytes));
  });
  module.def("linked_versions_json", &martlet::cpp::linked_versions);
  module.def("raise_status", [](int32_t status, const std::string& text) {
    raise_status(status, text);
    throw py::error_already_set();
  });
  // For what is not asyncio: readable while the reader's queue is not empty.
  module.def("queue_descriptor",
             [](py::handle reader) { return queue_from(reader)->descriptor(); });
  // For one thread that waits for many readers: a READY descriptor in the target.
  module.def("queue_notify_ready", [](py::handle reader, py::handle target, int64_t cookie) {
    queue_from(reader)->notify_ready(*queue_from(target), cookie);
  });
  add_c_functions(module);
  if (!add_message_types(module.ptr())) throw py::error_already_set();
  bind_connection(module);
  bind_server(module);
  if (!add_reader_types(module.ptr())) throw py::error_already_set();
}
