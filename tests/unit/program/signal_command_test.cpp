// SPDX-License-Identifier: Apache-2.0
//
// Goal: `-sl` finds the right processes and sends the right signal. Method: processes that exist on
// paper only.
#include "program/signal_command.hpp"

#include <gtest/gtest.h>

#include <map>

namespace martlet::program {
namespace {

class PaperProcesses final : public Processes {
 public:
  std::vector<int64_t> running;
  std::map<std::string, std::string> files;
  mutable std::vector<std::pair<int64_t, io::ProcessSignal>> sent;

  std::vector<int64_t> called(const std::string& words) const override {
    return words == "martlet serve" ? running : std::vector<int64_t>();
  }
  Status send(int64_t pid, io::ProcessSignal signal) const override {
    if (pid == 666) return {ErrorCode::io, "Operation not permitted"};
    sent.emplace_back(pid, signal);
    return {};
  }
  Result<std::string> read_file(const std::string& path) const override {
    const auto found = files.find(path);
    if (found == files.end()) return {ErrorCode::io, "no such file"};
    return found->second;
  }
};

std::string refusal(const std::string& text, const PaperProcesses& processes = {}) {
  const Status status = run_signal_command(text, "martlet serve", processes);
  return status ? "sent" : status.error().context;
}

TEST(SignalCommand, each_word_is_its_signal) {
  const std::pair<const char*, io::ProcessSignal> cases[] = {{"stop", io::ProcessSignal::kill},
                                                             {"quit", io::ProcessSignal::interrupt},
                                                             {"term", io::ProcessSignal::terminate},
                                                             {"reopen", io::ProcessSignal::user1}};
  for (const auto& [word, signal] : cases) {
    PaperProcesses processes;
    ASSERT_EQ(refusal(std::string(word) + "=12", processes), "sent");
    ASSERT_EQ(processes.sent.size(), 1U);
    EXPECT_EQ(processes.sent[0], std::make_pair(int64_t{12}, signal));
  }
}

TEST(SignalCommand, whom_it_means) {
  PaperProcesses processes;
  processes.running = {12, 123, 45};
  processes.files["/run/m.pid"] = "123\n";
  EXPECT_EQ(refusal("quit=/run/m.pid", processes), "sent");
  EXPECT_EQ(processes.sent.back().first, 123);
  processes.sent.clear();
  EXPECT_EQ(refusal("quit=12*", processes), "sent");
  ASSERT_EQ(processes.sent.size(), 2U);
  EXPECT_EQ(processes.sent[1].first, 123);
  EXPECT_EQ(refusal("quit", processes), "multiple martlet serve processes running:\n12\n123\n45");
  EXPECT_EQ(refusal("quit=*", processes), "sent");
  processes.running = {45};
  processes.sent.clear();
  EXPECT_EQ(refusal("quit", processes), "sent");
  EXPECT_EQ(processes.sent[0].first, 45);
}

TEST(SignalCommand, refusals_in_natss_words) {
  EXPECT_EQ(refusal("foo"), "unknown signal \"foo\"");
  EXPECT_EQ(refusal("stop"), "no martlet serve processes running");
  EXPECT_EQ(refusal("stop=x"), "invalid pid: x");
  for (const std::string pid :
       {"0", "-1", "-12", "2147483648", "4294967295", "99999999999999999999"})
    EXPECT_EQ(refusal("stop=" + pid), "invalid pid: " + pid);
  EXPECT_EQ(refusal("stop=-1*"), "invalid pid: -1");
  EXPECT_EQ(refusal("stop=1=2"), "invalid signal parameters: [2]");
  EXPECT_EQ(refusal("stop=666"), "\nsignal \"stop\" 666: Operation not permitted");
  EXPECT_EQ(refusal("reload=1"), "signal \"reload\" comes later: this version has no reload");
  EXPECT_EQ(refusal("ldm=1"), "signal \"ldm\" comes later: this version has no lame duck mode");
}

}  // namespace
}  // namespace martlet::program
