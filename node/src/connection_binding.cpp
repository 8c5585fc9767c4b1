// SPDX-License-Identifier: Apache-2.0
//
// Owns raw.Connection.
#include "connection_binding.hpp"

#include <vector>

#include "lead.hpp"
#include "outgoing_arguments.hpp"
#include "queue_binding.hpp"
#include "server_binding.hpp"

namespace martlet::node {
namespace {

/// What a request sends, read from (subject, data, headers).
struct RequestArguments {
  explicit RequestArguments(const Napi::CallbackInfo& info) {
    const char* const wrong = arguments.read(info.Env(), info[0], info[1], nullptr, info[2]);
    if (wrong != nullptr) throw cpp::Error(MARTLET_ERR_INVALID_ARGUMENT, wrong);
  }
  OutgoingArguments arguments;
};

Napi::Value to_array_buffer(Napi::Env env, const cpp::Batch& batch) {
  const std::string_view data = batch.data(batch.at(0));
  Napi::ArrayBuffer copy = Napi::ArrayBuffer::New(env, data.size());
  data.copy(static_cast<char*>(copy.Data()), data.size());
  return copy;
}

}  // namespace

void ConnectionBinding::bind(Napi::Env env, Napi::Object exports) {
  using Self = ConnectionBinding;
  const Napi::Function made =
      DefineClass(env, "Connection",
                  {
                      InstanceMethod("start", &Self::start),
                      InstanceMethod("lead", &Self::lead),
                      InstanceMethod("connect", &Self::connect),
                      InstanceMethod("state", &Self::state),
                      InstanceMethod("waitCapacity", &Self::wait_capacity),
                      InstanceMethod("notifyCapacity", &Self::notify_capacity),
                      InstanceMethod("flush", &Self::flush),
                      InstanceMethod("flushStart", &Self::flush_start),
                      InstanceMethod("request", &Self::request),
                      InstanceMethod("requestStart", &Self::request_start),
                      InstanceMethod("requestManyStart", &Self::request_many_start),
                      InstanceMethod("newInbox", &Self::new_inbox),
                      InstanceMethod("drain", &Self::drain),
                      InstanceMethod("drainStart", &Self::drain_start),
                      InstanceMethod("close", &Self::close),
                      InstanceMethod("maxPayload", &Self::max_payload),
                      InstanceMethod("rtt", &Self::rtt),
                      InstanceMethod("statistics", &Self::statistics),
                      InstanceMethod("descriptor", &Self::descriptor),
                      InstanceMethod("process", &Self::process),
                      InstanceMethod("nextTimeout", &Self::next_timeout),
                      InstanceMethod("ref", &Self::ref),
                      InstanceMethod("unref", &Self::unref),
                      InstanceMethod("publisher", &Self::publisher),
                      InstanceMethod("free", &Self::free),
                  });
  exports.Set("Connection", made);
}

// new Connection(options, server or null, events, cookie)
ConnectionBinding::ConnectionBinding(Info info)
    : Napi::ObjectWrap<ConnectionBinding>(info), env_(info.Env()) {
  guarded(info, [&]() -> Napi::Value {
    make(info);
    return info.Env().Undefined();
  });
}

void ConnectionBinding::make(Info info) {
  const std::string options = text_of(info[0], "options");
  martlet_queue* const events =
      info[2].IsNull() ? nullptr : bound_of<QueueBinding>(info[2], "events").get();
  const int64_t cookie = int64_of(info[3], "cookie");
  if (info[1].IsNull()) {
    connection_ = std::make_shared<cpp::Connection>(options, events, cookie);
  } else {
    martlet_server* const server = bound_of<ServerBinding>(info[1], "server").get();
    connection_ = std::make_shared<cpp::Connection>(server, options, events, cookie);
  }
  // Last what cannot fail: in an environment that ends anything of the engine's may, and who has
  // not been made must not be known.
  Value().TypeTag(&type_tag);
  Addon::of(env_).add(this, false);
}

// Collected: its thread is joined here, which is short.
ConnectionBinding::~ConnectionBinding() {
  outlet_->connection = nullptr;
  if (connection_ == nullptr || ended_) return;
  end_lead();
  set_referenced(false);
  Addon::of(env_).remove(this);
}

void ConnectionBinding::end() {
  ended_ = true;
  end_lead();
  // A call beside the event loop, which holds it too, waits no longer.
  if (connection_ != nullptr) martlet_connection_close(connection_->get(), nullptr);
  let_go();
}

void ConnectionBinding::set_referenced(bool referenced) {
  if (referenced == referenced_ || ended_) return;
  referenced_ = referenced;
  Addon& addon = Addon::of(env_);
  referenced ? addon.ref() : addon.unref();
}

// publisher(): a function (data, subject, reply, headers) that publishes. See publisher.hpp.
Napi::Value ConnectionBinding::publisher(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    outlet_->connection = &connection();
    return Napi::Value(info.Env(), make_publish(info.Env(), outlet_));
  });
}

void ConnectionBinding::let_go() {
  outlet_->connection = nullptr;
  connection_.reset();
}

void ConnectionBinding::end_lead() {
  outlet_->lead = nullptr;
  if (led_ != 0) Addon::of(env_).lead->remove(std::exchange(led_, 0));
}

Napi::Value ConnectionBinding::beside(Info info, std::function<int64_t(cpp::Connection&)> call) {
  connection();
  const std::shared_ptr<int64_t> answer = std::make_shared<int64_t>(0);
  const auto work = [held = connection_, call = std::move(call), answer] { *answer = call(*held); };
  return run_beside(info.Env(), work, [answer](Napi::Env env) -> Napi::Value {
    return Napi::Number::New(env, static_cast<double>(*answer));
  });
}

Napi::Value ConnectionBinding::start(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    connection().start();
    return info.Env().Undefined();
  });
}

// lead(): the event loop, and a thread beside it, read the socket from now on. Of a connection that
// was started with "run": "lent", where canLead() has said yes.
Napi::Value ConnectionBinding::lead(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    Lead& lead = alive(Addon::of(env_).lead.get(), "the lead");
    if (led_ == 0) led_ = lead.add(connection());
    outlet_->lead = &lead;
    outlet_->led = led_;
    return info.Env().Undefined();
  });
}

// connect(timeoutMs): a promise.
Napi::Value ConnectionBinding::connect(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    const int32_t timeout_ms = int32_of(info[0], "timeoutMs");
    return beside(info, [timeout_ms](cpp::Connection& connection) -> int64_t {
      connection.connect(timeout_ms);
      return MARTLET_OK;
    });
  });
}

Napi::Value ConnectionBinding::state(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    return Napi::Number::New(info.Env(), connection_ ? connection_->state() : MARTLET_STATE_CLOSED);
  });
}

// waitCapacity(messageBytes, timeoutMs): a promise of OK or AGAIN.
Napi::Value ConnectionBinding::wait_capacity(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    const int64_t bytes = int64_of(info[0], "messageBytes");
    const int32_t timeout_ms = int32_of(info[1], "timeoutMs");
    return beside(info, [bytes, timeout_ms](cpp::Connection& connection) -> int64_t {
      return connection.wait_capacity(bytes, timeout_ms);
    });
  });
}

Napi::Value ConnectionBinding::notify_capacity(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    connection().notify_capacity(int64_of(info[0], "messageBytes"),
                                 bound_of<QueueBinding>(info[1], "queue").get(),
                                 int64_of(info[2], "cookie"));
    return info.Env().Undefined();
  });
}

// flush(timeoutMs): a promise.
Napi::Value ConnectionBinding::flush(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    const int32_t timeout_ms = int32_of(info[0], "timeoutMs");
    return beside(info, [timeout_ms](cpp::Connection& connection) -> int64_t {
      connection.flush(timeout_ms);
      return MARTLET_OK;
    });
  });
}

Napi::Value ConnectionBinding::flush_start(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    connection().flush_start(int32_of(info[0], "timeoutMs"),
                             bound_of<QueueBinding>(info[1], "queue").get(),
                             int64_of(info[2], "cookie"));
    return info.Env().Undefined();
  });
}

// request(subject, data, headers, timeoutMs): a promise of the answer's payload as an ArrayBuffer.
Napi::Value ConnectionBinding::request(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    connection();
    const RequestArguments read(info);
    const cpp::Outgoing& out = read.arguments.out;
    const int32_t timeout_ms = int32_of(info[3], "timeoutMs");
    const auto batch = std::make_shared<cpp::Batch>();
    const auto work = [held = connection_, batch, timeout_ms, subject = std::string(out.subject),
                       headers = std::string(out.headers), data = std::string(out.data)] {
      *batch = held->request({subject, {}, headers, data}, timeout_ms);
    };
    return run_beside(info.Env(), work,
                      [batch](Napi::Env env) { return to_array_buffer(env, *batch); });
  });
}

// requestStart(subject, data, headers, timeoutMs, queue, cookie): OK or AGAIN.
Napi::Value ConnectionBinding::request_start(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    const RequestArguments read(info);
    const martlet_status status = connection().request_start(
        read.arguments.out, int32_of(info[3], "timeoutMs"),
        bound_of<QueueBinding>(info[4], "queue").get(), int64_of(info[5], "cookie"));
    return Napi::Number::New(info.Env(), status);
  });
}

// requestManyStart(subject, data, headers, repliesMax, timeoutMs, queue, cookie): OK or AGAIN.
Napi::Value ConnectionBinding::request_many_start(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    const RequestArguments read(info);
    const martlet_status status = connection().request_many_start(
        read.arguments.out, int64_of(info[3], "repliesMax"), int32_of(info[4], "timeoutMs"),
        bound_of<QueueBinding>(info[5], "queue").get(), int64_of(info[6], "cookie"));
    return Napi::Number::New(info.Env(), status);
  });
}

Napi::Value ConnectionBinding::new_inbox(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    return Napi::String::New(info.Env(), connection().new_inbox());
  });
}

// drain(timeoutMs): a promise.
Napi::Value ConnectionBinding::drain(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    const int32_t timeout_ms = int32_of(info[0], "timeoutMs");
    return beside(info, [timeout_ms](cpp::Connection& connection) -> int64_t {
      connection.drain(timeout_ms);
      return MARTLET_OK;
    });
  });
}

Napi::Value ConnectionBinding::drain_start(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    connection().drain_start(int32_of(info[0], "timeoutMs"));
    if (led_ != 0) Addon::of(env_).lead->note_turned(led_);
    return info.Env().Undefined();
  });
}

Napi::Value ConnectionBinding::close(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    if (led_ != 0) Addon::of(env_).lead->write(led_);
    if (connection_ != nullptr) connection_->close();
    return info.Env().Undefined();
  });
}

Napi::Value ConnectionBinding::max_payload(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    return Napi::Number::New(info.Env(), static_cast<double>(connection().max_payload()));
  });
}

// rtt(timeoutMs): a promise of nanoseconds.
Napi::Value ConnectionBinding::rtt(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    const int32_t timeout_ms = int32_of(info[0], "timeoutMs");
    return beside(info, [timeout_ms](cpp::Connection& connection) -> int64_t {
      return connection.rtt_ns(timeout_ms);
    });
  });
}

Napi::Value ConnectionBinding::statistics(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    return Napi::String::New(info.Env(), connection().statistics());
  });
}

Napi::Value ConnectionBinding::descriptor(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    return Napi::Number::New(info.Env(), connection().descriptor());
  });
}

// process(): OK or DONE.
Napi::Value ConnectionBinding::process(Info info) {
  return guarded(
      info, [&]() -> Napi::Value { return Napi::Number::New(info.Env(), connection().process()); });
}

Napi::Value ConnectionBinding::next_timeout(Info info) {
  return guarded(info, [&]() -> Napi::Value {
    return Napi::Number::New(info.Env(), connection().next_timeout_ms());
  });
}

// ref(): the process stays alive for it.
Napi::Value ConnectionBinding::ref(Info info) {
  set_referenced(true);
  return info.Env().Undefined();
}

Napi::Value ConnectionBinding::unref(Info info) {
  set_referenced(false);
  return info.Env().Undefined();
}

// free(): what runs beside the event loop still holds it until it is done.
Napi::Value ConnectionBinding::free(Info info) {
  end_lead();
  set_referenced(false);
  Addon::of(env_).remove(this);
  let_go();
  return info.Env().Undefined();
}

}  // namespace martlet::node
