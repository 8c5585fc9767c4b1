// SPDX-License-Identifier: Apache-2.0
//
// Owns martlet._raw.Server: a broker in this process, 1:1 with the C ABI.
#include "bound.hpp"
#include "connection_binding.hpp"
#include "martlet/cpp/server.hpp"
#include "reader.hpp"

namespace martlet::python {

void bind_server(py::module_& module) {
  using Raw = Bound<cpp::Server>;
  py::class_<cpp::Server>(module, "Server")
      .def(py::init(
               [](const std::string& options) { return std::make_unique<cpp::Server>(options); }),
           py::arg("options"))
      .def("set_log",
           [](Raw server, py::handle reader, int32_t level_max) {
             server->set_log(queue_from(reader)->get(), 0, level_max);
           })
      .def("start_now",
           [](Raw server) {
             const WithoutGil without;
             server->start();
           })
      .def("stop_now",
           [](Raw server) {
             const WithoutGil without;
             server->stop();
           })
      .def("client_port", [](Raw server) { return server->client_port(); })
      .def("monitoring_port_now", [](Raw server) { return server->monitoring_port(); })
      .def("url_now", [](Raw server) { return server->url(); })
      .def("statistics_json", [](Raw server) {
        const WithoutGil without;
        return server->statistics();
      });
}

}  // namespace martlet::python
