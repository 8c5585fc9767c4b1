// SPDX-License-Identifier: Apache-2.0
//
// The table is checked (tests/surface/README.md): against the headers, against what this module
// has, and against what its object files refer to.
#include "c_functions.hpp"

namespace martlet::python {
namespace {

/// A function of the C ABI, and the names in this module that call it.
struct Called {
  const char* function;
  const char* raw;
};

/// One that is not called: what keeps its promise, and by which functions. A call that waits must
/// end on Ctrl-C, so it starts something and polls; what is held is counted by Python.
struct Replaced {
  const char* function;
  const char* raw;
  const char* through;
};

constexpr Called called[] = {
    {"martlet_abi_version", "abi_version"},
    {"martlet_version_text", "version"},
    {"martlet_linked_versions", "linked_versions_json"},
    {"martlet_status_name", "Connection.connect_now Server.start_now"},
    {"martlet_error_status", "Connection.connect_now Server.start_now"},
    {"martlet_error_text", "Connection.connect_now Server.start_now"},
    {"martlet_error_free", "Connection.connect_now Server.start_now"},
    {"martlet_text_get", "Connection.new_inbox_now Server.url_now"},
    {"martlet_text_free", "Connection.new_inbox_now Server.url_now"},
    {"martlet_batch_info_get", "ReaderBase.fetch Connection.request_now"},
    {"martlet_batch_descriptors", "ReaderBase.fetch Connection.request_now"},
    {"martlet_batch_block", "Msg.data Msg.subject"},
    {"martlet_batch_release", "Msg AioMsg"},
    {"martlet_queue_new", "ReaderBase"},
    {"martlet_queue_poll", "ReaderBase.fetch ReaderBase.next_at_once ReaderBase.dispatch"},
    {"martlet_queue_poll_into", "ReaderBase.fetch ReaderBase.dispatch"},
    {"martlet_queue_set_wake", "ReaderBase"},
    {"martlet_queue_descriptor", "queue_descriptor"},
    {"martlet_queue_notify_ready", "queue_notify_ready"},
    {"martlet_queue_close", "ReaderBase.close_queue"},
    {"martlet_queue_free", "ReaderBase.let_go"},
    {"martlet_server_new", "Server"},
    {"martlet_server_set_log", "Server.set_log"},
    {"martlet_server_start", "Server.start_now"},
    {"martlet_server_stop", "Server.stop_now"},
    {"martlet_server_free", "Server"},
    {"martlet_server_client_port", "Server.client_port"},
    {"martlet_server_monitoring_port", "Server.monitoring_port_now"},
    {"martlet_server_url", "Server.url_now"},
    {"martlet_server_statistics", "Server.statistics_json"},
    {"martlet_connection_new", "Connection"},
    {"martlet_connection_new_in_process", "Connection"},
    {"martlet_connection_connect", "Connection.connect_now"},
    {"martlet_connection_start", "Connection.start"},
    {"martlet_connection_state", "Connection.state"},
    {"martlet_connection_publish", "Connection.publish Connection.publish_try Msg.respond"},
    {"martlet_connection_wait_capacity",
     "Connection.publish Connection.request_now Connection.wait_capacity_now"},
    {"martlet_connection_notify_capacity", "Connection.notify_capacity"},
    {"martlet_connection_flush_start", "Connection.flush_start Connection.flush_now"},
    {"martlet_connection_request_start", "Connection.request_start Connection.request_now"},
    {"martlet_connection_request_many_start", "Connection.request_many_start"},
    {"martlet_connection_new_inbox", "Connection.new_inbox_now"},
    {"martlet_connection_drain", "Connection.drain_now"},
    {"martlet_connection_drain_start", "Connection.drain_start"},
    {"martlet_connection_close", "Connection.close_now"},
    {"martlet_connection_free", "Connection.free_now"},
    {"martlet_connection_max_payload", "Connection.max_payload_now"},
    {"martlet_connection_statistics", "Connection.statistics_json"},
    {"martlet_connection_descriptor", "Connection.descriptor"},
    {"martlet_connection_process", "Connection.turn"},
    {"martlet_connection_next_timeout", "Connection.turn"},
    {"martlet_subscription_new", "ReaderBase.subscribe"},
    {"martlet_subscription_unsubscribe", "ReaderBase.unsubscribe_now"},
    {"martlet_subscription_auto_unsubscribe", "ReaderBase.auto_unsubscribe"},
    {"martlet_subscription_drain", "ReaderBase.drain_start"},
    {"martlet_subscription_pending", "ReaderBase.counts"},
    {"martlet_subscription_dropped", "ReaderBase.counts"},
    {"martlet_subscription_free", "ReaderBase.let_go"},
};

constexpr Replaced replaced[] = {
    {"martlet_batch_retain", "Msg AioMsg", "martlet_batch_release"},
    {"martlet_connection_flush", "Connection.flush_now",
     "martlet_connection_flush_start martlet_queue_poll"},
    {"martlet_connection_request", "Connection.request_now",
     "martlet_connection_request_start martlet_queue_poll"},
    {"martlet_connection_rtt", "Connection.rtt_now",
     "martlet_connection_flush_start martlet_queue_poll"},
};

py::object words_of(const char* text) { return py::str(text).attr("split")(); }

}  // namespace

void add_c_functions(py::module_& module) {
  module.def("c_functions", [] {
    py::dict functions;
    for (const Called& row : called) functions[row.function] = words_of(row.raw);
    return functions;
  });
  module.def("c_functions_replaced", [] {
    py::dict functions;
    for (const Replaced& row : replaced) {
      py::dict entry;
      entry["raw"] = words_of(row.raw);
      entry["through"] = words_of(row.through);
      functions[row.function] = entry;
    }
    return functions;
  });
}

}  // namespace martlet::python
