// SPDX-License-Identifier: Apache-2.0
//
// Goal: a survey sees every connection once, in slices between which the loop does other work, and
// its wait is bounded. Method: a run put together by hand, with in-process connections; tasks of
// the test's own stand between the slices.
#include "server/loop_survey.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "link/memory_pipe.hpp"
#include "server/server_core.hpp"
#include "test_client.hpp"

namespace martlet::server {
namespace {

class LoopSurvey : public testing::Test {
 protected:
  void SetUp() override { start(1); }
  void TearDown() override { stop(); }

  void start(uint32_t loops) {
    run_ = std::make_unique<server::Run>(Options{});
    std::vector<net::Worker*> peers;
    for (uint32_t i = 0; i < loops; i++) {
      net::Worker::Setup setup;
      setup.index = i;
      setup.worker_count = loops;
      setup.clock = &clock_;
      setup.budget = &run_->budget;
      setup.exchange_mutex = &run_->exchange_mutex;
      Result<std::unique_ptr<net::Worker>> worker = net::Worker::create(std::move(setup));
      ASSERT_TRUE(worker.is_ok());
      peers.push_back(worker->get());
      run_->workers.push_back(std::move(*worker));
    }
    for (const auto& worker : run_->workers) worker->set_peers(peers);
    for (const auto& worker : run_->workers) EXPECT_TRUE(worker->start());
  }
  void stop() {
    if (run_ == nullptr) return;
    for (const auto& worker : run_->workers) worker->stop();
    run_.reset();
  }
  void connect(size_t loop, int count) {
    for (int i = 0; i < count; i++) {
      Result<link::PipeEnds> ends = link::make_memory_pipe({1024});
      ASSERT_TRUE(ends.is_ok());
      broker::SessionSetup setup;
      setup.id = ++last_id_;
      setup.authenticator = std::make_shared<const auth::Authenticator>(auth::AuthOptions{});
      setup.info = std::make_shared<const protocol::ServerInfo>();
      setup.account = &account_;
      EXPECT_TRUE(run_->workers[loop]->adopt(std::move(ends->second), std::move(setup)));
      ends_.push_back(std::move(ends->first));
    }
  }
  SurveyPart counting(std::shared_ptr<std::map<uint64_t, int>> seen) {
    SurveyPart part;
    part.visit = [seen](net::Connection& connection, size_t&) {
      (*seen)[connection.session().id()] += 1;
      return true;
    };
    part.on_connection_end = [seen](net::Connection& connection) {
      (*seen)[connection.session().id()] += 1;
    };
    return part;
  }

  io::SystemClock clock_;
  broker::Account account_{"$G", 1, 1, broker::AccountLimits{}};
  std::unique_ptr<server::Run> run_;  // testing::Test has a Run of its own.
  std::vector<std::unique_ptr<transport::ByteStream>> ends_;
  uint64_t last_id_ = 0;
};

TEST_F(LoopSurvey, sees_every_connection_of_every_loop_once) {
  stop();
  start(3);
  std::vector<std::shared_ptr<std::map<uint64_t, int>>> seen;
  std::vector<SurveyPart> parts;
  for (size_t i = 0; i < 3; i++) {
    connect(i, 100 + static_cast<int>(i));
    seen.push_back(std::make_shared<std::map<uint64_t, int>>());
    parts.push_back(counting(seen.back()));
  }
  SurveyLimits limits;
  limits.slice_credit = 7;
  ASSERT_TRUE(survey_loops(*run_, clock_, std::move(parts), limits).is_ok());
  for (size_t i = 0; i < 3; i++) {
    EXPECT_EQ(seen[i]->size(), 100 + i);
    for (const auto& [id, count] : *seen[i]) EXPECT_EQ(count, 1) << id;
  }
}

TEST_F(LoopSurvey, other_work_is_done_between_slices) {
  connect(0, 100);
  // A task that posts itself again and again runs once in each turn: it counts the turns that the
  // survey takes.
  auto turns = std::make_shared<std::atomic<int>>(0);
  auto is_over = std::make_shared<std::atomic<bool>>(false);
  net::Worker& worker = *run_->workers[0];
  std::function<void()> turn = [&worker, turns, is_over, &turn] {
    turns->fetch_add(1);
    if (!is_over->load()) worker.post(turn);
  };
  SurveyPart part = counting(std::make_shared<std::map<uint64_t, int>>());
  part.begin = [&turn](net::Worker&) { turn(); };
  SurveyLimits limits;
  limits.slice_credit = 10;
  std::vector<SurveyPart> parts;
  parts.push_back(std::move(part));
  ASSERT_TRUE(survey_loops(*run_, clock_, std::move(parts), limits).is_ok());
  const int turns_of_survey = turns->load();
  is_over->store(true);
  EXPECT_GE(turns_of_survey, 9);
  stop();  // Before `turn` goes.
}

TEST_F(LoopSurvey, a_visit_that_is_not_done_comes_again_with_new_credit) {
  connect(0, 3);
  auto visits = std::make_shared<std::vector<uint64_t>>();
  SurveyPart part;
  part.visit = [visits](net::Connection& connection, size_t& credit) {
    credit = 0;
    visits->push_back(connection.session().id());
    return visits->size() % 3 == 0;
  };
  std::vector<SurveyPart> parts;
  parts.push_back(std::move(part));
  ASSERT_TRUE(survey_loops(*run_, clock_, std::move(parts)).is_ok());
  EXPECT_EQ(*visits, (std::vector<uint64_t>{3, 3, 3, 2, 2, 2, 1, 1, 1}));
}

TEST_F(LoopSurvey, connections_that_come_and_go_meanwhile_are_never_counted_twice) {
  connect(0, 50);
  auto seen = std::make_shared<std::map<uint64_t, int>>();
  SurveyPart part = counting(seen);
  net::Worker& worker = *run_->workers[0];
  // After the first slice, which has the ten newest, one that was seen and one that was not end,
  // and one more comes.
  part.begin = [this, &worker](net::Worker&) {
    worker.post([this, &worker] {
      worker.for_each_connection([](net::Connection& connection) {
        const uint64_t id = connection.session().id();
        if (id == 45 || id == 5 || id == 40)
          connection.session().close(broker::CloseReason::client_closed);
      });
      connect(0, 1);
    });
  };
  SurveyLimits limits;
  limits.slice_credit = 10;
  std::vector<SurveyPart> parts;
  parts.push_back(std::move(part));
  ASSERT_TRUE(survey_loops(*run_, clock_, std::move(parts), limits).is_ok());
  EXPECT_EQ(seen->size(), 50U);
  for (const auto& [id, count] : *seen) EXPECT_EQ(count, 1) << id;
  EXPECT_EQ(seen->count(51), 0U);
}

TEST_F(LoopSurvey, a_loop_that_does_not_answer_is_given_up) {
  auto release = std::make_shared<std::mutex>();
  release->lock();
  run_->workers[0]->post([release] {
    release->lock();
    release->unlock();
  });
  auto seen = std::make_shared<std::map<uint64_t, int>>();
  SurveyLimits limits;
  limits.wait_ns_max = 50'000'000;
  std::vector<SurveyPart> parts;
  parts.push_back(counting(seen));
  EXPECT_EQ(survey_loops(*run_, clock_, std::move(parts), limits).code(), ErrorCode::timeout);
  release->unlock();
  // The loop goes on, and a new survey is answered.
  std::vector<SurveyPart> again;
  again.push_back(counting(std::make_shared<std::map<uint64_t, int>>()));
  EXPECT_TRUE(survey_loops(*run_, clock_, std::move(again)).is_ok());
}

// Each look at it is counted, and moves it.
struct CountingClock final : Clock {
  explicit CountingClock(int64_t step_ns_) : step_ns(step_ns_) {}
  int64_t monotonic_ns() const override { return looks.fetch_add(1) * step_ns; }
  int64_t wall_ns() const override { return 0; }
  const int64_t step_ns;
  mutable std::atomic<int64_t> looks{0};
};

TEST_F(LoopSurvey, the_clock_that_is_given_measures_the_wait) {
  // A loop that is busy until that clock has been looked at so often that real time is over.
  CountingClock standing(0);
  run_->workers[0]->post([&standing] {
    for (int i = 0; i < 30'000 && standing.looks.load() < 4; i++)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  SurveyLimits limits;
  limits.wait_ns_max = 1'000'000;
  std::vector<SurveyPart> parts;
  parts.push_back(counting(std::make_shared<std::map<uint64_t, int>>()));
  EXPECT_TRUE(survey_loops(*run_, standing, std::move(parts), limits).is_ok());
  EXPECT_GE(standing.looks.load(), 4);

  // And an hour that passes with each look, while the loop does not answer.
  CountingClock leaping(3600 * ns_per_s);
  auto release = std::make_shared<std::mutex>();
  release->lock();
  run_->workers[0]->post([release] {
    release->lock();
    release->unlock();
  });
  limits.wait_ns_max = 3 * 3600 * ns_per_s;
  std::vector<SurveyPart> again;
  again.push_back(counting(std::make_shared<std::map<uint64_t, int>>()));
  EXPECT_EQ(survey_loops(*run_, leaping, std::move(again), limits).code(), ErrorCode::timeout);
  EXPECT_EQ(leaping.looks.load(), 4);
  release->unlock();
}

TEST_F(LoopSurvey, a_run_that_is_being_stopped_is_not_waited_for) {
  for (const auto& worker : run_->workers) worker->stop();
  run_->is_stopping.store(true);
  std::vector<SurveyPart> parts;
  parts.push_back(counting(std::make_shared<std::map<uint64_t, int>>()));
  EXPECT_EQ(survey_loops(*run_, clock_, std::move(parts)).code(), ErrorCode::closed);
}

}  // namespace
}  // namespace martlet::server
