// SPDX-License-Identifier: Apache-2.0
//
// The table is checked (tests/surface/README.md): against the headers, against what this module
// has, and against what its object files refer to.
#include "c_functions.hpp"

#include <sstream>
#include <string>

namespace martlet::node {
namespace {

/// A function of the C ABI, and the names in this module that call it.
struct Called {
  const char* function;
  const char* raw;
};

/// One that is not called: what keeps its promise, and by which functions.
struct Replaced {
  const char* function;
  const char* raw;
  const char* through;
};

constexpr Called called[] = {
    {"martlet_abi_version", "abiVersion"},
    {"martlet_version_text", "versionText"},
    {"martlet_linked_versions", "linkedVersions"},
    {"martlet_status_name", "statusName"},
    {"martlet_error_status", "Connection.start"},
    {"martlet_error_text", "Connection.start Server.start"},
    {"martlet_error_free", "Connection.start Server.start"},
    {"martlet_text_get", "Connection.newInbox Server.url"},
    {"martlet_text_free", "Connection.newInbox Server.url"},
    {"martlet_batch_info_get", "Queue.poll"},
    {"martlet_batch_descriptors", "Connection.request"},
    {"martlet_batch_block", "Queue.poll"},
    {"martlet_batch_release", "Queue.poll"},
    {"martlet_queue_new", "Queue"},
    {"martlet_queue_poll", "Queue.poll"},
    {"martlet_queue_poll_into", "Queue.pollInto"},
    {"martlet_queue_set_wake", "Queue.setWake"},
    {"martlet_queue_descriptor", "Queue.descriptor"},
    {"martlet_queue_notify_ready", "Queue.notifyReady"},
    {"martlet_queue_close", "Queue.close"},
    {"martlet_queue_free", "Queue.free"},
    {"martlet_server_new", "Server"},
    {"martlet_server_set_log", "Server.setLog"},
    {"martlet_server_start", "Server.start"},
    {"martlet_server_stop", "Server.stop"},
    {"martlet_server_free", "Server.free"},
    {"martlet_server_client_port", "Server.clientPort"},
    {"martlet_server_monitoring_port", "Server.monitoringPort"},
    {"martlet_server_url", "Server.url"},
    {"martlet_server_statistics", "Server.statistics"},
    {"martlet_connection_new", "Connection"},
    {"martlet_connection_new_in_process", "Connection"},
    {"martlet_connection_connect", "Connection.connect"},
    {"martlet_connection_start", "Connection.start"},
    {"martlet_connection_state", "Connection.state"},
    {"martlet_connection_publish", "Connection.publisher"},
    {"martlet_connection_wait_capacity", "Connection.waitCapacity"},
    {"martlet_connection_notify_capacity", "Connection.notifyCapacity"},
    {"martlet_connection_flush", "Connection.flush"},
    {"martlet_connection_flush_start", "Connection.flushStart"},
    {"martlet_connection_request", "Connection.request"},
    {"martlet_connection_request_start", "Connection.requestStart"},
    {"martlet_connection_request_many_start", "Connection.requestManyStart"},
    {"martlet_connection_new_inbox", "Connection.newInbox"},
    {"martlet_connection_drain", "Connection.drain"},
    {"martlet_connection_drain_start", "Connection.drainStart"},
    {"martlet_connection_close", "Connection.close"},
    {"martlet_connection_free", "Connection.free"},
    {"martlet_connection_max_payload", "Connection.maxPayload"},
    {"martlet_connection_rtt", "Connection.rtt"},
    {"martlet_connection_statistics", "Connection.statistics"},
    {"martlet_connection_descriptor", "Connection.descriptor"},
    {"martlet_connection_process", "Connection.process"},
    {"martlet_connection_next_timeout", "Connection.nextTimeout"},
    {"martlet_subscription_new", "Subscription"},
    {"martlet_subscription_unsubscribe", "Subscription.unsubscribe"},
    {"martlet_subscription_auto_unsubscribe", "Subscription.autoUnsubscribe"},
    {"martlet_subscription_drain", "Subscription.drain"},
    {"martlet_subscription_pending", "Subscription.pending"},
    {"martlet_subscription_dropped", "Subscription.dropped"},
    {"martlet_subscription_free", "Subscription.free"},
};

// A block that JavaScript holds is held once, by its ArrayBuffer, which counts for itself.
constexpr Replaced replaced[] = {
    {"martlet_batch_retain", "Queue.poll", "martlet_batch_release"},
};

Napi::Array words_of(Napi::Env env, const char* words) {
  const Napi::Array out = Napi::Array::New(env);
  std::istringstream stream(words);
  std::string word;
  for (uint32_t i = 0; stream >> word; ++i) out.Set(i, Napi::String::New(env, word));
  return out;
}

Napi::Value c_functions(const Napi::CallbackInfo& info) {
  Napi::Object out = Napi::Object::New(info.Env());
  for (const Called& each : called) out.Set(each.function, words_of(info.Env(), each.raw));
  return out;
}

Napi::Value c_functions_replaced(const Napi::CallbackInfo& info) {
  Napi::Object out = Napi::Object::New(info.Env());
  for (const Replaced& each : replaced) {
    Napi::Object one = Napi::Object::New(info.Env());
    one.Set("raw", words_of(info.Env(), each.raw));
    one.Set("through", words_of(info.Env(), each.through));
    out.Set(each.function, one);
  }
  return out;
}

}  // namespace

void bind_c_functions(Napi::Env env, Napi::Object exports) {
  exports.Set("cFunctions", Napi::Function::New(env, c_functions));
  exports.Set("cFunctionsReplaced", Napi::Function::New(env, c_functions_replaced));
}

}  // namespace martlet::node
