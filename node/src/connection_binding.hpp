// SPDX-License-Identifier: Apache-2.0
//
// Owns raw.Connection: a client's connection, 1:1 with the C ABI. What blocks in C gives a promise
// here and waits beside the event loop.
#pragma once

#include "martlet/cpp/connection.hpp"
#include "publisher.hpp"
#include "support.hpp"

namespace martlet::node {

/// Lifecycle: until free(), until it is collected or until its environment ends.
class ConnectionBinding : public Napi::ObjectWrap<ConnectionBinding>, public Living {
 public:
  static constexpr napi_type_tag type_tag = {0x6d617274636f6e6e, 0x3};
  static constexpr const char* wanted = "a Connection";
  static void bind(Napi::Env env, Napi::Object exports);

  explicit ConnectionBinding(const Napi::CallbackInfo& info);
  ~ConnectionBinding() override;
  cpp::Connection& connection() const { return alive(connection_.get(), "the connection"); }
  void end() override;

 private:
  using Info = const Napi::CallbackInfo&;
  Napi::Value start(Info info);
  Napi::Value lead(Info info);
  Napi::Value connect(Info info);
  Napi::Value state(Info info);
  Napi::Value wait_capacity(Info info);
  Napi::Value notify_capacity(Info info);
  Napi::Value flush(Info info);
  Napi::Value flush_start(Info info);
  Napi::Value request(Info info);
  Napi::Value request_start(Info info);
  Napi::Value request_many_start(Info info);
  Napi::Value new_inbox(Info info);
  Napi::Value drain(Info info);
  Napi::Value drain_start(Info info);
  Napi::Value close(Info info);
  Napi::Value max_payload(Info info);
  Napi::Value rtt(Info info);
  Napi::Value statistics(Info info);
  Napi::Value descriptor(Info info);
  Napi::Value process(Info info);
  Napi::Value next_timeout(Info info);
  Napi::Value ref(Info info);
  Napi::Value unref(Info info);
  Napi::Value publisher(Info info);
  Napi::Value free(Info info);
  void set_referenced(bool referenced);
  void make(Info info);
  void let_go();
  /// Nobody serves it any more; safe to call twice.
  void end_lead();
  /// Runs `call` beside the event loop and answers what it answered.
  Napi::Value beside(Info info, std::function<int64_t(cpp::Connection&)> call);

  napi_env env_;
  bool referenced_ = false;
  bool ended_ = false;
  int64_t led_ = 0;  // To the lead; 0: nobody leads it.
  std::shared_ptr<Outlet> outlet_ = std::make_shared<Outlet>();
  std::shared_ptr<cpp::Connection> connection_;  // Shared with the calls beside the event loop.
};

}  // namespace martlet::node
