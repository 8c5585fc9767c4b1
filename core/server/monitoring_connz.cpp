// SPDX-License-Identifier: Apache-2.0
//
// Owns the gathering for /connz: the loops first tell their connections without subscriptions; of
// those that are on the page the subscriptions are fetched in a second round, when they are wanted.
#include "server/monitoring_connz.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <unordered_map>

#include "server/go_time.hpp"
#include "server/loop_survey.hpp"
#include "server/server_core.hpp"

namespace martlet::server {
namespace {

using Row =
    std::shared_ptr<const ConnectionRow>;  // Shared with what is remembered of closed connections.

constexpr int64_t limit_default = 1024;

constexpr std::array<std::string_view, 15> sorts = {
    "",           "cid",  "start", "subs",   "pending", "msgs_to", "msgs_from", "bytes_to",
    "bytes_from", "last", "idle",  "uptime", "stop",    "reason",  "rtt"};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower;
}

Error refused(std::string text) { return Error{ErrorCode::invalid_argument, std::move(text)}; }

Status read_subscription_style(const MonitoringQuery& query, SubscriptionStyle& style) {
  if (lower_case(query.text("subs")) == "detail") {
    style = SubscriptionStyle::details;
    return Status();
  }
  Result<bool> wanted = query.flag("subs");
  if (!wanted) return wanted.take_error();
  style = *wanted ? SubscriptionStyle::subjects : SubscriptionStyle::none;
  return Status();
}

Status read_state(const MonitoringQuery& query, ConnectionState& state) {
  const std::string text = lower_case(query.text("state"));
  if (text.empty() || text == "open") {
    state = ConnectionState::open;
  } else if (text == "closed") {
    state = ConnectionState::closed;
  } else if (text == "any" || text == "all") {
    state = ConnectionState::all;
  } else {
    return refused(fmt::format("Error decoding state for {}", query.text("state")));
  }
  return Status();
}

Status check_sort(const ConnzQuery& query) {
  if (std::find(sorts.begin(), sorts.end(), query.sort) == sorts.end()) {
    return refused(fmt::format("invalid sorting option: {}", query.sort));
  }
  if ((query.sort == "stop" || query.sort == "reason") && query.state != ConnectionState::closed) {
    return refused(fmt::format("sort by {} only valid on closed connections", query.sort));
  }
  return Status();
}

bool has_account(const MonitoringSubject& subject, const std::string& name) {
  return std::any_of(subject.accounts.begin(), subject.accounts.end(),
                     [&](const auto& account) { return account->name() == name; });
}

/// All open connections of the account that is asked for, in no order.
Result<std::vector<Row>> gather_open(const MonitoringSubject& subject, Run& run,
                                     const std::string& account) {
  std::vector<std::shared_ptr<std::vector<Row>>> found;  // Shared with the loops: see survey_loops.
  std::vector<SurveyPart> parts;
  for (size_t i = 0; i < run.workers.size(); i++) {
    auto rows = std::make_shared<std::vector<Row>>();
    found.push_back(rows);
    SurveyPart part;
    part.visit = [rows, account, clock = &subject.clock](net::Connection& connection, size_t&) {
      if (connection.session().is_closing()) return true;
      if (!account.empty() && connection.session().account().name() != account) return true;
      const Now now{clock->wall_ns(), clock->monotonic_ns()};
      connection.session().measure_rtt(now.monotonic_ns);
      rows->push_back(std::make_shared<const ConnectionRow>(read_connection(connection, now)));
      return true;
    };
    parts.push_back(std::move(part));
  }
  Status status = survey_loops(run, subject.clock, std::move(parts));
  if (!status) return status.take_error();
  std::vector<Row> all;
  for (const auto& rows : found) all.insert(all.end(), rows->begin(), rows->end());
  return all;
}

std::vector<Row> gather_closed(const Run& run, const std::string& account) {
  std::vector<Row> rows = run.closed_connections.rows();
  std::erase_if(rows, [&](const Row& row) { return !account.empty() && row->account != account; });
  return rows;
}

using Subscriptions = std::unordered_map<uint64_t, std::vector<SubscriptionRow>>;  // By connection.

/// Copies the subscriptions of one connection a slice at a time.
class SubscriptionCopy {
 public:
  explicit SubscriptionCopy(std::shared_ptr<Subscriptions> wanted) : wanted_(std::move(wanted)) {}
  bool operator()(net::Connection& connection, size_t& credit) {
    const broker::Session& session = connection.session();
    const auto place = wanted_->find(session.id());
    if (place == wanted_->end()) return true;
    const size_t slots = std::max<size_t>(credit, 1);
    const bool done = session.subscriptions().visit_from(
        slot_, slots, [&](const broker::Subscription& subscription) {
          place->second.push_back(read_subscription(session, subscription));
          credit -= credit > 0 ? 1 : 0;
        });
    if (done) slot_ = 0;
    return done;
  }

 private:
  std::shared_ptr<Subscriptions> wanted_;  // Shared with the asking thread: see survey_loops.
  size_t slot_ = 0;                        // Where to go on in the connection under way.
};

/// Adds the subscriptions to the rows that are open.
Status add_subscriptions(Run& run, const Clock& clock, std::vector<Row>& rows) {
  std::vector<std::shared_ptr<Subscriptions>> found;
  std::vector<SurveyPart> parts;
  for (size_t i = 0; i < run.workers.size(); i++) {
    auto wanted = std::make_shared<Subscriptions>();
    for (const Row& row : rows) {
      if (row->stop_wall_ns == 0 && row->subscription_count > 0)
        wanted->emplace(row->cid, std::vector<SubscriptionRow>());
    }
    found.push_back(wanted);
    SurveyPart part;
    part.visit = SubscriptionCopy(std::move(wanted));
    parts.push_back(std::move(part));
  }
  Status status = survey_loops(run, clock, std::move(parts));
  if (!status) return status;
  for (Row& row : rows) {
    for (const auto& subscriptions : found) {
      const auto place = subscriptions->find(row->cid);
      if (place == subscriptions->end() || place->second.empty()) continue;
      auto whole = std::make_shared<ConnectionRow>(*row);
      whole->subscriptions = std::move(place->second);
      row = std::move(whole);
    }
  }
  return Status();
}

/// What stands before the list.
struct Totals {
  size_t total = 0;
  int64_t now_wall_ns = 0;
  bool is_account_known = true;
};

MonitoringPage write_page(const MonitoringSubject& subject, const ConnzQuery& query,
                          const Totals& totals, const std::vector<Row>& rows) {
  JsonWriter json(JsonWriter::Style::indented);
  json.open_object();
  json.text("server_id", totals.is_account_known ? subject.id : std::string());
  json.text("now", format_wall_time(totals.now_wall_ns));
  json.number("num_connections", rows.size());
  json.number("total", totals.total);
  json.number("offset", query.offset);
  json.number("limit", query.limit);
  json.key("connections");
  if (totals.is_account_known) {
    json.open_array();
    for (const Row& row : rows) write_connection(json, *row, totals.now_wall_ns, query.style);
    json.close_array();
  } else {
    json.null();
  }
  json.close_object();
  return {200, MonitoringPage::Kind::json, json.take()};
}

}  // namespace

Result<ConnzQuery> read_connz_query(const MonitoringQuery& query) {
  ConnzQuery connz;
  connz.sort = query.text("sort");
  Result<bool> auth = query.flag("auth");
  if (!auth) return auth.take_error();
  connz.style.with_auth = *auth;
  Status status = read_subscription_style(query, connz.style.subscriptions);
  if (!status) return status.take_error();
  Result<int64_t> offset = query.integer("offset");
  if (!offset) return offset.take_error();
  connz.offset = std::max<int64_t>(*offset, 0);
  Result<int64_t> limit = query.integer("limit");
  if (!limit) return limit.take_error();
  connz.limit = *limit > 0 ? *limit : limit_default;
  Result<uint64_t> cid = query.unsigned_integer("cid");
  if (!cid) return cid.take_error();
  connz.cid = *cid;
  if (connz.cid != 0) connz.limit = 1;
  status = read_state(query, connz.state);
  if (!status) return status.take_error();
  status = check_sort(connz);
  if (!status) return status.take_error();
  connz.user = query.text("user");
  connz.account = query.text("acc");
  return connz;
}

void sort_connections(std::vector<Row>& rows, const std::string& sort, int64_t now_wall_ns) {
  const auto by = [&rows](auto&& less) {
    std::sort(rows.begin(), rows.end(), [&less](const Row& a, const Row& b) {
      if (less(*a, *b)) return true;
      return !less(*b, *a) && a->cid < b->cid;
    });
  };
  const auto rising = [&by](auto&& value) {
    by([&value](const ConnectionRow& a, const ConnectionRow& b) { return value(a) < value(b); });
  };
  const auto falling = [&by](auto&& value) {
    by([&value](const ConnectionRow& a, const ConnectionRow& b) { return value(b) < value(a); });
  };
  const auto uptime_ns = [now_wall_ns](const ConnectionRow& row) {
    return (row.stop_wall_ns != 0 ? row.stop_wall_ns : now_wall_ns) - row.start_wall_ns;
  };
  if (sort.empty() || sort == "cid" || sort == "start")
    rising([](const ConnectionRow& row) { return row.cid; });
  if (sort == "subs") falling([](const ConnectionRow& row) { return row.subscription_count; });
  if (sort == "pending") falling([](const ConnectionRow& row) { return row.pending_bytes; });
  if (sort == "msgs_to") falling([](const ConnectionRow& row) { return row.moved.out_msgs; });
  if (sort == "msgs_from") falling([](const ConnectionRow& row) { return row.moved.in_msgs; });
  if (sort == "bytes_to") falling([](const ConnectionRow& row) { return row.moved.out_bytes; });
  if (sort == "bytes_from") falling([](const ConnectionRow& row) { return row.moved.in_bytes; });
  if (sort == "last") falling([](const ConnectionRow& row) { return row.last_activity_wall_ns; });
  if (sort == "idle") rising([](const ConnectionRow& row) { return row.last_activity_wall_ns; });
  if (sort == "uptime") rising(uptime_ns);
  if (sort == "stop") falling([](const ConnectionRow& row) { return row.stop_wall_ns; });
  if (sort == "reason")
    rising([](const ConnectionRow& row) { return broker::close_reason_text(row.reason); });
  if (sort == "rtt") falling([](const ConnectionRow& row) { return row.rtt_ns; });
}

MonitoringPage connz_page(const MonitoringSubject& subject, Run& run, const ConnzQuery& query) {
  Totals totals;
  totals.now_wall_ns = subject.clock.wall_ns();
  totals.is_account_known = query.account.empty() || has_account(subject, query.account);
  if (!totals.is_account_known) return write_page(subject, query, totals, {});
  std::vector<Row> rows;
  if (query.state != ConnectionState::closed) {
    Result<std::vector<Row>> open = gather_open(subject, run, query.account);
    if (!open) return unavailable_page(open.error());
    rows = std::move(*open);
  }
  if (query.state != ConnectionState::open) {
    const std::vector<Row> closed = gather_closed(run, query.account);
    rows.insert(rows.end(), closed.begin(), closed.end());
  }
  // The total is that of the state and the account; the other filters do not change it.
  totals.total = rows.size();
  std::erase_if(rows, [&](const Row& row) {
    return (query.cid != 0 && row->cid != query.cid) ||
           (!query.user.empty() && row->user != query.user);
  });
  sort_connections(rows, query.sort, totals.now_wall_ns);
  const int64_t count = static_cast<int64_t>(rows.size());
  const int64_t begin = std::min(query.offset, count);
  const int64_t end = begin + std::min(query.limit, count - begin);
  std::vector<Row> shown(rows.begin() + begin, rows.begin() + end);
  if (query.style.subscriptions != SubscriptionStyle::none) {
    Status status = add_subscriptions(run, subject.clock, shown);
    if (!status) return unavailable_page(status.error());
  }
  return write_page(subject, query, totals, shown);
}

}  // namespace martlet::server
