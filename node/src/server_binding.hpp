// SPDX-License-Identifier: Apache-2.0
//
// Owns raw.Server: a broker in this process, 1:1 with the C ABI. Start and stop run beside the
// event loop.
#pragma once

#include <mutex>

#include "martlet/cpp/server.hpp"
#include "support.hpp"

namespace martlet::node {

/// Lifecycle: until free(), until it is collected or until its environment ends.
class ServerBinding : public Napi::ObjectWrap<ServerBinding>, public Living {
 public:
  static constexpr napi_type_tag type_tag = {0x6d61727473657276, 0x2};
  static constexpr const char* wanted = "a Server";
  static void bind(Napi::Env env, Napi::Object exports);

  explicit ServerBinding(const Napi::CallbackInfo& info);
  ~ServerBinding() override;
  martlet_server* get() const { return alive(running_.get(), "the server").server.get(); }
  void end() override;

 private:
  /// Shared with the calls beside the event loop.
  struct Running {
    explicit Running(const std::string& options) : server(options) {}
    cpp::Server server;
    std::mutex one_at_a_time;
  };

  Napi::Value set_log(const Napi::CallbackInfo& info);
  Napi::Value start(const Napi::CallbackInfo& info);
  Napi::Value stop(const Napi::CallbackInfo& info);
  Napi::Value client_port(const Napi::CallbackInfo& info);
  Napi::Value monitoring_port(const Napi::CallbackInfo& info);
  Napi::Value url(const Napi::CallbackInfo& info);
  Napi::Value statistics(const Napi::CallbackInfo& info);
  Napi::Value ref(const Napi::CallbackInfo& info);
  Napi::Value unref(const Napi::CallbackInfo& info);
  Napi::Value free(const Napi::CallbackInfo& info);
  Napi::Value beside(const Napi::CallbackInfo& info, void (cpp::Server::*call)());
  void set_referenced(bool referenced);
  cpp::Server& server() const { return alive(running_.get(), "the server").server; }

  napi_env env_;
  bool referenced_ = false;
  bool ended_ = false;
  std::shared_ptr<Running> running_;
};

}  // namespace martlet::node
