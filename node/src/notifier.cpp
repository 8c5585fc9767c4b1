// SPDX-License-Identifier: Apache-2.0
//
// Owns the waking of the event loop.
#include "notifier.hpp"

#include <utility>

namespace martlet::node {

bool Notifier::create() {
  napi_value name = nullptr;
  if (napi_create_string_utf8(env_, "martlet", NAPI_AUTO_LENGTH, &name) != napi_ok) return false;
  const napi_status made = napi_create_threadsafe_function(
      env_, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, &Notifier::on_loop, &function_);
  if (made != napi_ok) return false;
  return napi_unref_threadsafe_function(env_, function_) == napi_ok;
}

int64_t Notifier::add(Woken* woken) {
  woken_[++last_number_] = woken;
  return last_number_;
}

void Notifier::remove(int64_t number) { woken_.erase(number); }

void Notifier::set_kept(bool kept) {
  if (function_ == nullptr) return;
  if (kept) {
    napi_ref_threadsafe_function(env_, function_);
  } else {
    napi_unref_threadsafe_function(env_, function_);
  }
}

void Notifier::stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
    noted_.clear();
  }
  woken_.clear();
  after_wake_ = nullptr;
  napi_release_threadsafe_function(std::exchange(function_, nullptr), napi_tsfn_abort);
}

void Notifier::note(int64_t number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stopped_) return;
  noted_.push_back(number);
  if (called_ || inside_ == std::this_thread::get_id()) return;
  called_ = napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking) == napi_ok;
}

void Notifier::on_loop(napi_env env, napi_value, void* context, void*) {
  if (env == nullptr) return;
  Notifier& self = *static_cast<Notifier*>(context);
  self.wake_noted();
  if (self.after_wake_) self.after_wake_();
}

void Notifier::begin_inside() {
  const std::lock_guard<std::mutex> lock(mutex_);
  inside_ = std::this_thread::get_id();
}

bool Notifier::end_inside() {
  const std::lock_guard<std::mutex> lock(mutex_);
  inside_ = std::thread::id();
  return !noted_.empty();
}

void Notifier::wake_noted() {
  std::vector<int64_t> noted;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    called_ = false;
    noted.swap(noted_);
  }
  for (const int64_t number : noted) {
    const auto found = woken_.find(number);
    if (found != woken_.end()) found->second->on_wake();
  }
}

}  // namespace martlet::node
