// SPDX-License-Identifier: Apache-2.0
//
// At any time the event loop or the thread waits for each descriptor; while the lead changes hands
// neither may, and the next look finds what came. Who serves a connection holds its mutex, so two
// who believe that they lead do no harm.
#include "lead.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <system_error>
#include <utility>
#include <vector>

namespace martlet::node {
namespace {

// While the event loop leads the thread looks so often: it takes the lead when the loop has left
// alone what came, and sleeps when nothing moves, each after so many looks.
constexpr int nap_ms = 2;
constexpr int64_t grace_ns = 4'000'000;  // By which the event loop may be late.
constexpr int naps_max = 2;
// Much work within so long is the thread's.
constexpr int64_t work_window_ns = 5'000'000;
// It is given back after so many wake-ups of the loop in a row that brought little, and not within
// so long: what one sees as a flood is for the other a few messages each time.
constexpr int64_t little_work = 16;
constexpr int quiet_wakes_max = 8;
constexpr int64_t thread_leads_at_least_ns = 50'000'000;
constexpr int events_max = 64;
constexpr int turns_max = 16;  // Before it looks whether the event loop wants the lead.
constexpr int64_t gather_ns = 50'000;

constexpr int64_t ns_per_ms = 1'000'000;

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int64_t ms_until(int64_t at_ns) {
  return std::max<int64_t>(0, (at_ns - now_ns() + ns_per_ms - 1) / ns_per_ms);
}

}  // namespace

/// A connection that is led.
struct Lead::Led {
  int64_t number = 0;
  int descriptor = -1;
  martlet_connection* connection = nullptr;
  std::mutex mutex;                       // Held by who serves it.
  bool is_over = false;                   // GUARDED_BY mutex; removed, or closed.
  std::atomic<int64_t> due_ns{-1};        // When it wants to be served at the latest.
  std::atomic<bool> write_wanted{false};  // Of the thread.
  std::atomic<bool> is_noted{false};      // Published to since the event loop waited.
  std::atomic<int64_t> lies_from_ns{0};   // Of what was published: when it was noted, or served.
  std::unique_ptr<LoopWatch> watch;       // The environment's thread.
};

std::unique_ptr<Lead> Lead::create(napi_env env, napi_async_context context,
                                   std::shared_ptr<Notifier> notifier) {
  std::shared_ptr<EventLoop> loop = EventLoop::of(env, context);
  if (loop == nullptr) return nullptr;
  return std::unique_ptr<Lead>(new Lead(std::move(loop), std::move(notifier)));
}

Lead::Lead(std::shared_ptr<EventLoop> loop, std::shared_ptr<Notifier> notifier)
    : loop_(std::move(loop)), notifier_(std::move(notifier)), number_(notifier_->add(this)) {
  notifier_->set_after_wake([this] { after_wake(); });
}

Lead::~Lead() { stop(); }

int64_t Lead::add(cpp::Connection& connection) {
  if (!thread_.joinable()) start();
  const std::shared_ptr<Led> led = std::make_shared<Led>();
  led->number = ++last_number_;
  led->descriptor = connection.descriptor();
  led->connection = connection.get();
  led->watch = std::make_unique<LoopWatch>(*loop_, led->descriptor,
                                           [this, number = led->number] { on_readable(number); });
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = static_cast<uint64_t>(led->number);
  if (!led->watch->is_made() || epoll_ctl(epoll_, EPOLL_CTL_ADD, led->descriptor, &event) != 0) {
    throw cpp::Error(MARTLET_ERR_LIMIT, "the event loop takes no further descriptor");
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    all_.emplace(led->number, led);
  }
  serve_here(*led, true);
  return led->number;
}

void Lead::start() {
  std::unique_ptr<BeforeWait> before_wait =
      std::make_unique<BeforeWait>(*loop_, [this] { on_before_wait(); });
  if (!before_wait->is_made()) {
    throw cpp::Error(MARTLET_ERR_LIMIT, "the event loop tells nobody that it is about to wait");
  }
  create_descriptors();
  start_thread();
  before_wait_ = std::move(before_wait);
}

void Lead::remove(int64_t number) {
  const std::shared_ptr<Led> led = find(number);
  if (led == nullptr) return;
  led->watch.reset();
  epoll_ctl(epoll_, EPOLL_CTL_DEL, led->descriptor, nullptr);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    all_.erase(number);
  }
  const std::lock_guard<std::mutex> lock(led->mutex);
  led->is_over = true;
}

void Lead::stop() {
  if (std::exchange(is_stopped_, true)) return;
  notifier_->remove(number_);
  if (thread_.joinable()) {
    thread_stops_ = true;
    wake_thread();
    thread_.join();
  }
  for (const auto& [number, led] : all_) write(*led);
  all_.clear();
  published_.clear();
  before_wait_.reset();
  loop_->end();
  if (epoll_ >= 0) close(epoll_);
  if (wake_ >= 0) close(wake_);
}

void Lead::create_descriptors() {
  if (epoll_ >= 0) return;
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;  // Number 0.
  if (epoll < 0 || wake < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) != 0) {
    if (epoll >= 0) close(epoll);
    if (wake >= 0) close(wake);
    throw cpp::Error(MARTLET_ERR_LIMIT, "no descriptor for the connections of an event loop");
  }
  epoll_ = epoll;
  wake_ = wake;
}

// The signals of the process are not for it.
void Lead::start_thread() {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool is_started = true;
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    is_started = false;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!is_started) {
    throw cpp::Error(MARTLET_ERR_LIMIT, "no thread for the connections of an event loop");
  }
  pthread_setname_np(thread_.native_handle(), "martlet lead");
}

std::shared_ptr<Lead::Led> Lead::find(int64_t number) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = all_.find(number);
  return found == all_.end() ? nullptr : found->second;
}

Lead::Served Lead::serve(Led& led, bool waits) {
  std::unique_lock<std::mutex> lock(led.mutex, std::defer_lock);
  if (waits) {
    lock.lock();
  } else if (!lock.try_lock()) {
    return Served::by_other;
  }
  led.write_wanted = false;
  if (led.is_over) {
    led.is_noted = false;
    return Served::over;
  }
  const martlet_status status = martlet_connection_process(led.connection, nullptr);
  if (status == MARTLET_DONE || status == MARTLET_ERR_FORKED) {
    led.is_over = true;
    led.is_noted = false;
    led.due_ns = -1;
    // While the mutex is held: afterwards the number may be another descriptor's.
    epoll_ctl(epoll_, EPOLL_CTL_DEL, led.descriptor, nullptr);
    return Served::over;
  }
  int32_t timeout_ms = -1;
  martlet_connection_next_timeout(led.connection, &timeout_ms, nullptr);
  const int64_t now = now_ns();
  led.lies_from_ns = now;
  led.due_ns = timeout_ms < 0 ? -1 : now + timeout_ms * ns_per_ms;
  return Served::done;
}

void Lead::wake_thread() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

// --- the event loop ---

void Lead::call_back(Led& led) {
  led.watch->start();
  const int64_t due = led.due_ns;
  if (due < 0) return;
  led.watch->call_in(ms_until(due));
}

// Who has served tells the other who leads by now, if it is not he: its times may be nearer.
void Lead::serve_here(Led& led, bool waits) {
  served_.fetch_add(1, std::memory_order_relaxed);
  if (serve(led, waits) == Served::over) {
    led.watch->stop();
    return;
  }
  if (!thread_leads_) {
    call_back(led);
    const int64_t due = led.due_ns;
    if (due < 0 || due + grace_ns >= sleeps_until_ns_) return;
  }
  wake_thread();
}

void Lead::on_readable(int64_t number) {
  const std::shared_ptr<Led> led = find(number);
  if (led == nullptr || led->watch == nullptr) return;
  if (thread_leads_) {
    led->watch->stop();
    wake_thread();
    return;
  }
  notifier_->begin_inside();
  serve_here(*led, false);
  if (notifier_->end_inside()) {
    loop_->run_callback([this] { notifier_->wake_noted(); });
  }
  work_ = 0;
}

void Lead::want_write(Outlet& outlet) {
  outlet.is_noted = true;
  if (published_.empty()) before_wait_->want();
  published_.push_back(outlet.shared_from_this());
  if (const std::shared_ptr<Led> led = find(outlet.led)) {
    if (thread_leads_) led->lies_from_ns = now_ns();
    led->is_noted = true;
  }
  // It looks whether the turn is a long one.
  if (sleeps_until_ns_ > 0) wake_thread();
}

// The turn of the event loop is over, and with it, mostly, what it publishes in a row.
void Lead::on_before_wait() {
  served_.fetch_add(1, std::memory_order_relaxed);
  for (const std::shared_ptr<Outlet>& outlet : std::exchange(published_, {})) {
    outlet->is_noted = false;
    if (outlet->lead != nullptr) write(outlet->led);
  }
}

void Lead::note_turned(int64_t number) {
  if (const std::shared_ptr<Led> led = find(number)) serve_here(*led, true);
}

void Lead::write(int64_t number) {
  const std::shared_ptr<Led> led = find(number);
  if (led != nullptr) write(*led);
}

void Lead::write(Led& led) {
  led.is_noted = false;
  int32_t wanted_in_ms = -1;
  martlet_connection_next_timeout(led.connection, &wanted_in_ms, nullptr);
  if (wanted_in_ms < 0 || wanted_in_ms > 1) return;  // All was written at once.
  if (thread_leads_.load(std::memory_order_relaxed) && !thread_stops_) {
    led.write_wanted = true;
    wake_thread();
  } else {
    serve_here(led, true);
  }
}

void Lead::weigh() {
  const int64_t now = now_ns();
  if (now - work_began_ns_ < work_window_ns) {
    hand_over();
  } else {
    work_began_ns_ = now;
  }
  work_ = 0;
}

void Lead::hand_over() {
  if (!thread_.joinable()) return;
  handed_over_ns_ = now_ns();
  quiet_wakes_ = 0;
  is_asked_back_ = false;
  thread_leads_ = true;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [number, led] : all_) led->watch->stop();
  wake_thread();
}

void Lead::after_wake() {
  const int64_t work = std::exchange(work_, 0);
  if (!thread_leads_.load(std::memory_order_relaxed)) return;
  quiet_wakes_ = work <= little_work ? quiet_wakes_ + 1 : 0;
  if (quiet_wakes_ < quiet_wakes_max) return;
  quiet_wakes_ = 0;
  if (now_ns() - handed_over_ns_ < thread_leads_at_least_ns) return;
  is_asked_back_ = true;
  wake_thread();
}

// The thread has given the lead back, perhaps before it saw what it was to write.
void Lead::on_wake() {
  std::vector<std::shared_ptr<Led>> all;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [number, led] : all_) all.push_back(led);
  }
  for (const std::shared_ptr<Led>& led : all) {
    if (thread_leads_.load()) return;
    if (led->write_wanted) {
      serve_here(*led, true);
    } else {
      call_back(*led);
    }
  }
}

// --- the thread ---

void Lead::run() {
  prctl(PR_SET_TIMERSLACK, 1'000);
  while (!thread_stops_) {
    if (thread_leads_) {
      lead_for_a_turn();
    } else {
      watch();
    }
  }
}

// What is published in a long turn of the event loop is written meanwhile.
int64_t Lead::wait_ms() const {
  int64_t due = -1;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [number, led] : all_) {
    if (led->write_wanted) return 0;
    int64_t its = led->due_ns;
    if (led->is_noted && thread_leads_) {
      const int64_t lies_at = led->lies_from_ns + nap_ms * ns_per_ms;
      its = its < 0 ? lies_at : std::min(its, lies_at);
    }
    if (its >= 0 && (due < 0 || its < due)) due = its;
  }
  return due < 0 ? -1 : ms_until(due);
}

// How many of the connections can be served; their numbers.
int Lead::wait(int64_t* out_numbers, int64_t timeout_ms) {
  epoll_event events[events_max];
  const int timeout = static_cast<int>(std::min<int64_t>(timeout_ms, 1'000'000));
  const int count = epoll_wait(epoll_, events, events_max, timeout);
  int readable = 0;
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == 0) {
      uint64_t told = 0;
      [[maybe_unused]] const ssize_t got = ::read(wake_, &told, sizeof told);
    } else {
      out_numbers[readable++] = static_cast<int64_t>(events[i].data.u64);
    }
  }
  return readable;
}

void Lead::lead_for_a_turn() {
  if (is_asked_back_.exchange(false)) {
    thread_leads_ = false;
    notifier_->note(number_);
    return;
  }
  int64_t numbers[events_max];
  sleeps_until_ns_ = INT64_MAX;
  int64_t timeout_ms = wait_ms();
  int turns = 0;
  for (int count; (count = wait(numbers, timeout_ms)) > 0 && turns < turns_max; ++turns) {
    for (int i = 0; i < count; ++i) {
      const std::shared_ptr<Led> led = find(numbers[i]);
      if (led != nullptr) serve(*led, true);
    }
    timeout_ms = 0;
  }
  sleeps_until_ns_ = 0;
  for (const std::shared_ptr<Led>& led : due()) serve(*led, true);
  if (turns > 0) gather();
}

std::vector<std::shared_ptr<Lead::Led>> Lead::due() const {
  std::vector<std::shared_ptr<Led>> found;
  const int64_t now = now_ns();
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [number, led] : all_) {
    const int64_t its = led->due_ns;
    const bool lies = led->is_noted && led->lies_from_ns + nap_ms * ns_per_ms <= now;
    if (led->write_wanted || lies || (its >= 0 && its <= now)) found.push_back(led);
  }
  return found;
}

// Much comes, or much is published: a moment later it is worth the wake-up of the event loop, and
// the write.
void Lead::gather() {
  const timespec moment{0, gather_ns};
  nanosleep(&moment, nullptr);
}

// False when there is something else to do.
bool Lead::nap() {
  pollfd told{wake_, POLLIN, 0};
  poll(&told, 1, nap_ms);
  return (told.revents & POLLIN) == 0;
}

bool Lead::is_left_alone(bool is_readable) const {
  if (is_readable) return true;
  const int64_t late = now_ns() - grace_ns;
  const std::lock_guard<std::mutex> lock(mutex_);
  return std::any_of(all_.begin(), all_.end(), [&](const auto& each) {
    const Led& led = *each.second;
    const int64_t due = led.due_ns;
    return led.is_noted || led.write_wanted || (due >= 0 && due < late);
  });
}

void Lead::take() {
  is_asked_back_ = false;
  thread_leads_ = true;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [number, led] : all_) {
    if (led->is_noted) led->write_wanted = true;
  }
}

// The event loop leads. Sleeps until something comes, is published or is due, then looks whether
// the loop takes care of it.
void Lead::watch() {
  int64_t numbers[events_max];
  // Told first: who notes something afterwards wakes it.
  sleeps_until_ns_ = INT64_MAX;
  const int64_t due_in_ms = wait_ms();
  if (due_in_ms >= 0) sleeps_until_ns_ = now_ns() + due_in_ms * ns_per_ms + grace_ns;
  int64_t sleep_ms = due_in_ms < 0 ? -1 : due_in_ms + grace_ns / ns_per_ms;
  if (is_left_alone(false)) sleep_ms = 0;
  wait(numbers, sleep_ms);  // Also without sleeping: it has heard then what it was woken for.
  sleeps_until_ns_ = 0;
  for (int quiet = 0, left_alone = 0; quiet < naps_max;) {
    const uint64_t before = served_.load(std::memory_order_relaxed);
    if (!nap() || thread_leads_ || thread_stops_) return;
    const bool waits = is_left_alone(wait(numbers, 0) > 0);
    const bool is_served = served_.load(std::memory_order_relaxed) != before;
    // What is seen once may have come this moment.
    left_alone = waits && !is_served ? left_alone + 1 : 0;
    quiet = waits || is_served ? 0 : quiet + 1;
    if (left_alone < naps_max) continue;
    take();
    return;
  }
}

}  // namespace martlet::node
