// SPDX-License-Identifier: Apache-2.0
//
// Owns the gathering for /subsz. The list is in the order of loops, connections and their tables;
// only what is on the page is copied, the rest is counted.
#include "server/monitoring_subsz.hpp"

#include <fmt/format.h>
#include <algorithm>

#include "server/connection_row.hpp"
#include "server/go_time.hpp"
#include "server/loop_survey.hpp"
#include "server/server_core.hpp"
#include "subject/subject.hpp"

namespace martlet::server {
namespace {

constexpr int64_t limit_default = 1024;

/// What one loop tells. `begin` and `end` are the part of its own list that it copies.
struct Found {
  uint64_t cached = 0;
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t fan_out_max = 0;
  uint64_t fan_out_sum = 0;
  uint64_t listed = 0;
  uint64_t begin = 0;
  uint64_t end = 0;
  std::vector<SubscriptionRow> rows;
};

void read_cache(const broker::RouteCache& cache, const std::string& account, Found& found) {
  found.hits = cache.hits();
  found.misses = cache.misses();
  cache.for_each([&](const broker::Route& route) {
    if (!account.empty() && route.account->name() != account) return;
    const uint64_t fan_out = route.local.size() + route.remote.size() + route.groups.size();
    found.cached += 1;
    found.fan_out_sum += fan_out;
    found.fan_out_max = std::max(found.fan_out_max, fan_out);
  });
}

/// Walks the subscriptions of one loop, connection by connection, a slice at a time.
class ListWalk {
 public:
  ListWalk(std::shared_ptr<Found> found, SubszQuery query)
      : found_(std::move(found)), query_(std::move(query)) {}
  bool operator()(net::Connection& connection, size_t& credit) {
    const broker::Session& session = connection.session();
    if (!query_.account.empty() && session.account().name() != query_.account) return true;
    const size_t slots = std::max<size_t>(credit, 1);
    const bool done = session.subscriptions().visit_from(
        slot_, slots, [&](const broker::Subscription& subscription) {
          credit -= credit > 0 ? 1 : 0;
          look_at(session, subscription);
        });
    if (done) slot_ = 0;
    return done;
  }

 private:
  void look_at(const broker::Session& session, const broker::Subscription& subscription) {
    if (!query_.test.empty() &&
        !subject::matches(session.account().routing().pattern_of(&subscription), query_.test)) {
      return;
    }
    const uint64_t place = found_->listed++;
    if (place >= found_->begin && place < found_->end)
      found_->rows.push_back(read_subscription(session, subscription));
  }

  std::shared_ptr<Found> found_;  // Shared with the asking thread: see survey_loops.
  SubszQuery query_;
  size_t slot_ = 0;  // Where to go on in the connection under way.
};

/// Asks all loops. Each copies what could be on the page if the loops before it had nothing; what
/// is too much is dropped.
Result<std::vector<std::shared_ptr<Found>>> gather(Run& run, const Clock& clock,
                                                   const SubszQuery& query) {
  std::vector<std::shared_ptr<Found>> all;  // Shared with the loops: see survey_loops.
  std::vector<SurveyPart> parts;
  for (size_t i = 0; i < run.workers.size(); i++) {
    auto found = std::make_shared<Found>();
    // The first loop's place in the list is known; a later one's is not, it may be anywhere up to
    // the page's end.
    found->begin = i == 0 ? static_cast<uint64_t>(query.offset) : 0;
    found->end = static_cast<uint64_t>(query.offset) + static_cast<uint64_t>(query.limit);
    SurveyPart part;
    part.begin = [found, account = query.account](net::Worker& worker) {
      read_cache(worker.shard().routes(), account, *found);
    };
    if (query.with_list) part.visit = ListWalk(found, query);
    all.push_back(std::move(found));
    parts.push_back(std::move(part));
  }
  Status status = survey_loops(run, clock, std::move(parts));
  if (!status) return status.take_error();
  return all;
}

void write_counts(JsonWriter& json, const MonitoringSubject& subject, const SubszQuery& query,
                  const std::vector<std::shared_ptr<Found>>& all) {
  uint64_t count = 0;
  uint64_t inserts = 0;
  uint64_t removes = 0;
  for (const auto& account : subject.accounts) {
    if (!query.account.empty() && account->name() != query.account) continue;
    count += account->routing().count();
    inserts += account->routing().insert_count();
    removes += account->routing().remove_count();
  }
  Found sum;
  for (const auto& found : all) {
    sum.cached += found->cached;
    sum.hits += found->hits;
    sum.misses += found->misses;
    sum.fan_out_sum += found->fan_out_sum;
    sum.fan_out_max = std::max(sum.fan_out_max, found->fan_out_max);
  }
  const uint64_t matches = sum.hits + sum.misses;
  const auto ratio = [](uint64_t part, uint64_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  json.number("num_subscriptions", count);
  json.number("num_cache", sum.cached);
  json.number("num_inserts", inserts);
  json.number("num_removes", removes);
  json.number("num_matches", matches);
  json.real("cache_hit_rate", ratio(sum.hits, matches));
  json.number("max_fanout", sum.fan_out_max);
  json.real("avg_fanout", ratio(sum.fan_out_sum, sum.cached));
}

void write_list(JsonWriter& json, const SubszQuery& query,
                const std::vector<std::shared_ptr<Found>>& all) {
  const uint64_t begin = static_cast<uint64_t>(query.offset);
  const uint64_t end = begin + static_cast<uint64_t>(query.limit);
  uint64_t start = 0;  // Of this loop's part in the whole list.
  bool is_open = false;
  for (const auto& found : all) {
    for (size_t i = 0; i < found->rows.size(); i++) {
      const uint64_t place = start + found->begin + i;
      if (place < begin || place >= end) continue;
      if (!is_open) json.open_array("subscriptions_list");
      is_open = true;
      write_subscription(json, found->rows[i], true);
    }
    start += found->listed;
  }
  if (is_open) json.close_array();
}

}  // namespace

Result<SubszQuery> read_subsz_query(const MonitoringQuery& query) {
  SubszQuery subsz;
  Result<bool> with_list = query.flag("subs");
  if (!with_list) return with_list.take_error();
  subsz.with_list = *with_list;
  Result<int64_t> offset = query.integer("offset");
  if (!offset) return offset.take_error();
  subsz.offset = std::max<int64_t>(*offset, 0);
  Result<int64_t> limit = query.integer("limit");
  if (!limit) return limit.take_error();
  subsz.limit = *limit > 0 ? *limit : limit_default;
  subsz.test = query.text("test");
  if (!subsz.test.empty() && !subject::has_plain_tokens(subsz.test)) {
    return Error{
        ErrorCode::invalid_argument,
        fmt::format("invalid test subject, must be valid publish subject: {}", subsz.test)};
  }
  subsz.account = query.text("acc");
  return subsz;
}

MonitoringPage subsz_page(const MonitoringSubject& subject, Run& run, const SubszQuery& query) {
  Result<std::vector<std::shared_ptr<Found>>> all = gather(run, subject.clock, query);
  if (!all) return unavailable_page(all.error());
  JsonWriter json(JsonWriter::Style::indented);
  json.open_object();
  json.text("server_id", subject.id);
  json.text("now", format_wall_time(subject.clock.wall_ns()));
  write_counts(json, subject, query, *all);
  uint64_t total = 0;
  for (const auto& found : *all) total += found->listed;
  json.number("total", total);
  json.number("offset", query.offset);
  json.number("limit", query.limit);
  if (query.with_list) write_list(json, query, *all);
  json.close_object();
  return {200, MonitoringPage::Kind::json, json.take()};
}

}  // namespace martlet::server
