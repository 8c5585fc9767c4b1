// SPDX-License-Identifier: Apache-2.0
//
// Goal: no bytes of a server make the client's parser read beyond them, stand still, or tell
// something else because of where they were split or of a subscriber without room. Method: the
// input is parsed in one piece, and again in pieces, where now and then a message finds no room.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "client/server_parser.hpp"

namespace {

using namespace martlet::client;

class Listener final : public ServerOperations {
 public:
  explicit Listener(uint32_t refuse_every) : refuse_every_(refuse_every) {}

  bool on_message(const ServerMessage& message) override {
    if (refuse_every_ != 0 && ++asked_ % refuse_every_ == 0) return false;
    std::string text = "message " + std::to_string(message.sid);
    for (const std::string_view part :
         {message.subject, message.reply, message.headers, message.data}) {
      text += '|';
      text += part;
    }
    told.push_back(text);
    return true;
  }
  void on_info(std::string_view json) override { told.push_back("info " + std::string(json)); }
  void on_ping() override { told.push_back("ping"); }
  void on_pong() override { told.push_back("pong"); }
  void on_error(std::string_view text) override { told.push_back("error " + std::string(text)); }
  bool is_over() const override { return false; }

  std::vector<std::string> told;

 private:
  uint32_t refuse_every_;
  uint32_t asked_ = 0;
};

/// Whether the connection is still good after all pieces.
bool read_pieces(std::string_view input, size_t piece_bytes, Listener& listener) {
  const ServerParser parser;
  std::string kept;
  size_t needed = 0;
  size_t blocked_in_a_row = 0;
  for (size_t at = 0; at < input.size() || blocked_in_a_row > 0;) {
    if (blocked_in_a_row == 0) {
      kept += input.substr(at, piece_bytes);
      at += piece_bytes;
    }
    if (kept.size() < needed) continue;
    const std::vector<char> block(kept.begin(), kept.end());  // A sanitizer sees reads beyond it.
    const martlet::Result<ServerParser::Progress> progress =
        parser.parse(block.data(), block.size(), listener);
    if (!progress) return false;
    MARTLET_ASSERT(progress->consumed <= kept.size());
    kept.erase(0, progress->consumed);
    needed = progress->blocked ? 0 : progress->bytes_needed;
    MARTLET_ASSERT(progress->blocked || kept.empty() || needed > kept.size());
    // What was refused once is taken when told again, so this ends.
    blocked_in_a_row = progress->blocked ? blocked_in_a_row + 1 : 0;
    MARTLET_ASSERT(blocked_in_a_row <= input.size());
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  Listener whole(0);
  const bool whole_is_good = read_pieces(input, input.size() + 1, whole);
  Listener split(data[0] % 4 + 2);
  const bool split_is_good = read_pieces(input, 1 + data[1], split);
  MARTLET_ASSERT(whole_is_good == split_is_good);
  MARTLET_ASSERT(whole.told == split.told);
  return 0;
}
