// SPDX-License-Identifier: Apache-2.0
//
// Owns the chain of tasks by which a loop works through its part.
#include "server/loop_survey.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/out_of_memory.hpp"
#include "server/server_core.hpp"

namespace martlet::server {
namespace {

// A wait is cut into these, to see a stop soon: it cannot wake every thread that may be asking.
constexpr int64_t wait_slice_ns = 20 * ns_per_ms;

/// Shared by the asking thread and the loops, whoever stays longer.
struct Answers {
  std::mutex mutex;
  std::condition_variable changed;
  size_t missing = 0;                     // GUARDED_BY mutex
  bool is_whole = true;                   // GUARDED_BY mutex; no loop was short of memory.
  std::atomic<bool> is_abandoned{false};  // Nobody waits any more.
};

/// One loop's part under way. Owned by the task that is posted next.
struct Chain {
  Chain(net::Worker& worker_, std::shared_ptr<Answers> answers_, SurveyPart part_, size_t credit_)
      : worker(worker_),
        answers(std::move(answers_)),
        begin(std::move(part_.begin)),
        credit(credit_) {
    walk.visit = std::move(part_.visit);
    walk.on_end = std::move(part_.on_connection_end);
  }
  net::Worker& worker;
  std::shared_ptr<Answers> answers;
  std::function<void(net::Worker&)> begin;
  net::ConnectionWalk walk;
  size_t credit;
  bool has_begun = false;
};

void post_step(std::shared_ptr<Chain> chain);

// One slice; true when there is more to do, and the next one has been posted.
bool go_on(const std::shared_ptr<Chain>& chain) {
  net::Worker& worker = chain->worker;
  if (!chain->has_begun) {
    chain->has_begun = true;
    if (chain->begin) chain->begin(worker);
    worker.begin_walk(chain->walk);
  }
  if (chain->answers->is_abandoned.load(std::memory_order_relaxed)) return false;
  if (!chain->walk.visit || !worker.continue_walk(chain->walk, chain->credit)) return false;
  post_step(chain);
  return true;
}

void step(const std::shared_ptr<Chain>& chain) {
  bool has_more = false;
  const bool fits = fits_into_memory([&] { has_more = go_on(chain); });
  if (has_more) return;
  chain->worker.end_walk(chain->walk);
  std::lock_guard<std::mutex> lock(chain->answers->mutex);
  if (!fits || !chain->walk.is_whole) chain->answers->is_whole = false;
  chain->answers->missing -= 1;
  chain->answers->changed.notify_all();
}

void post_step(std::shared_ptr<Chain> chain) {
  net::Worker& worker = chain->worker;
  worker.post([chain = std::move(chain)] { step(chain); });
}

}  // namespace

Status survey_loops(Run& run, const Clock& clock, std::vector<SurveyPart> parts,
                    const SurveyLimits& limits) {
  MARTLET_ASSERT(parts.size() == run.workers.size());
  auto answers = std::make_shared<Answers>();
  answers->missing = parts.size();
  for (size_t i = 0; i < parts.size(); i++) {
    post_step(std::make_shared<Chain>(*run.workers[i], answers, std::move(parts[i]),
                                      limits.slice_credit));
  }
  const int64_t deadline_ns = clock.monotonic_ns() + limits.wait_ns_max;
  std::unique_lock<std::mutex> lock(answers->mutex);
  while (answers->missing > 0) {
    const int64_t left_ns = deadline_ns - clock.monotonic_ns();
    if (run.is_stopping.load(std::memory_order_relaxed) || left_ns <= 0) {
      answers->is_abandoned.store(true, std::memory_order_relaxed);
      return run.is_stopping.load(std::memory_order_relaxed)
                 ? Status(ErrorCode::closed, "the server is being stopped")
                 : Status(ErrorCode::timeout, "an event loop did not answer in time");
    }
    answers->changed.wait_for(lock, std::chrono::nanoseconds(std::min(left_ns, wait_slice_ns)));
  }
  if (!answers->is_whole)
    return Status(ErrorCode::out_of_memory, "an event loop had no memory for the answer");
  return Status();
}

}  // namespace martlet::server
