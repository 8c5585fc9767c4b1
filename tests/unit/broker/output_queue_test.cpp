// SPDX-License-Identifier: Apache-2.0
//
// Goal: output leaves byte for byte in order, whatever mix of copied and borrowed pieces and
// partial writes. Method: fixed cases, and random scripts against a plain string; the seed is
// printed.
#include "broker/output_queue.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <string>

#include "base/out_of_memory.hpp"
#include "base/random.hpp"
#include "tests/support/failing_memory.hpp"

namespace martlet::broker {
namespace {

struct Slice {
  const void* data;
  size_t bytes;
};

std::string read_out(OutputQueue& queue, size_t bytes) {
  std::string out;
  while (bytes > 0 && !queue.is_empty()) {
    Slice slices[4];
    const int count = queue.gather(slices, 4);
    size_t taken = 0;
    for (int i = 0; i < count && taken < bytes; i++) {
      const size_t part = std::min(slices[i].bytes, bytes - taken);
      out.append(static_cast<const char*>(slices[i].data), part);
      taken += part;
    }
    queue.consume(taken);
    bytes -= taken;
  }
  return out;
}

TEST(OutputQueue, keeps_the_order_of_a_random_script) {
  const char* text = std::getenv("SEED");
  const uint64_t seed = text != nullptr ? strtoull(text, nullptr, 10) : 11;
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Random random(seed);
  MemoryBudget budget;
  ChunkPool pool(budget);
  {
    OutputQueue queue(pool);
    std::string expected;
    std::string got;
    std::deque<std::string> lent;
    for (int step = 0; step < 5000; step++) {
      const size_t bytes = random.below(random.below(10) == 0 ? 70000 : 300) + 1;
      std::string piece(bytes, static_cast<char>('a' + step % 26));
      switch (random.below(6)) {
        case 0:
        case 1: {
          ASSERT_TRUE(queue.append(piece));
          expected += piece;
          break;
        }
        case 2: {
          if (bytes > OutputQueue::reserve_bytes_max) break;
          char* space = queue.reserve(bytes);
          ASSERT_NE(space, nullptr);
          std::memcpy(space, piece.data(), bytes);
          queue.commit(bytes);
          expected += piece;
          break;
        }
        case 3: {
          lent.push_back(piece);
          queue.append_borrowed(lent.back());
          expected += piece;
          break;
        }
        case 4: {
          ASSERT_TRUE(queue.keep_borrowed());
          EXPECT_FALSE(queue.has_borrowed());
          for (std::string& one : lent) one.assign(one.size(), '!');  // Their memory is used anew.
          lent.clear();
          break;
        }
        default:
          got += read_out(queue, random.below(100000));
          break;
      }
      ASSERT_EQ(queue.pending_bytes(), expected.size() - got.size());
    }
    got += read_out(queue, SIZE_MAX);
    EXPECT_TRUE(got == expected);
    EXPECT_TRUE(queue.is_empty());
  }
  EXPECT_EQ(budget.bytes(), 0);
}

TEST(OutputQueue, holds_no_chunk_when_it_is_empty) {
  MemoryBudget budget;
  ChunkPool pool(budget);
  OutputQueue queue(pool);
  ASSERT_TRUE(queue.append("hello"));
  EXPECT_GT(budget.bytes(), 0);
  queue.consume(5);
  EXPECT_EQ(budget.bytes(), 0);
}

// Whatever fails: what is in the queue is the first part of what was put in, and nothing else.
TEST(OutputQueue, keeps_a_first_part_when_memory_fails) {
  const std::string small(100, 's');
  const std::string large(70'000, 'l');
  const std::string borrowed(40'000, 'b');
  const std::string all = small + borrowed + large + borrowed + small;
  const auto round = [&](test::FailingMemory& memory) {
    MemoryBudget budget;
    {
      ChunkPool pool(budget);
      OutputQueue queue(pool);
      bool whole = false;
      const auto append_all = [&] {
        whole = queue.append(small);
        if (whole) queue.append_borrowed(borrowed);
        whole = whole && queue.append(large);
        if (whole) queue.append_borrowed(borrowed);
        whole = whole && queue.append(small);
      };
      bool fits = false;
      memory.during([&] { fits = fits_into_memory(append_all); });
      EXPECT_EQ(fits && whole, !memory.has_failed());
      const size_t pending = queue.pending_bytes();
      const std::string out = read_out(queue, SIZE_MAX);
      EXPECT_EQ(out.size(), pending);
      EXPECT_EQ(out, all.substr(0, out.size()));
    }
    EXPECT_EQ(budget.bytes(), 0);
  };
  EXPECT_GT(test::fail_each_allocation(test::Failing::once, round), 0);
}

TEST(OutputQueue, is_empty_after_what_was_borrowed_could_not_be_kept) {
  const std::string borrowed(40'000, 'b');
  const auto round = [&](test::FailingMemory& memory) {
    MemoryBudget budget;
    {
      ChunkPool pool(budget);
      OutputQueue queue(pool);
      ASSERT_TRUE(queue.append("begin"));
      queue.append_borrowed(borrowed);
      ASSERT_TRUE(queue.append("middle"));
      queue.append_borrowed(borrowed);
      ASSERT_TRUE(queue.append("end"));
      bool whole = false;
      memory.during([&] { whole = queue.keep_borrowed(); });
      EXPECT_EQ(whole, !memory.has_failed());
      EXPECT_FALSE(queue.has_borrowed());
      EXPECT_EQ(read_out(queue, SIZE_MAX),
                whole ? "begin" + borrowed + "middle" + borrowed + "end" : "");
    }
    EXPECT_EQ(budget.bytes(), 0);
  };
  EXPECT_GT(test::fail_each_allocation(test::Failing::once, round), 0);
}

}  // namespace
}  // namespace martlet::broker
