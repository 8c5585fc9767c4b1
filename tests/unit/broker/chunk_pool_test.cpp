// SPDX-License-Identifier: Apache-2.0
//
// Goal: a chunk is charged while it is used and kept for its next use within bounds; what is lent
// stays until nobody refers to it.
// Method: fixed cases on a pool and on queues that borrow from it.
#include "broker/chunk_pool.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "broker/output_queue.hpp"
#include "tests/support/failing_allocations.hpp"

namespace martlet::broker {
namespace {

constexpr size_t large_bytes = 1024 * 1024;

std::string read_all(OutputQueue& queue) {
  std::string out;
  while (!queue.is_empty()) {
    struct Slice {
      const char* data;
      size_t bytes;
    } pieces[8];
    const int count = queue.gather(pieces, 8);
    size_t bytes = 0;
    for (int i = 0; i < count; i++) {
      out.append(pieces[i].data, pieces[i].bytes);
      bytes += pieces[i].bytes;
    }
    queue.consume(bytes);
  }
  return out;
}

Chunk* filled(ChunkPool& pool, size_t bytes, char fill) {
  Chunk* chunk = pool.take_for_reading(bytes, bytes);
  std::memset(chunk->data(), fill, bytes);
  return chunk;
}

TEST(ChunkPool, keeps_large_chunks_for_payloads_of_about_their_size) {
  MemoryBudget budget;
  ChunkPool pool(budget);
  Chunk* const first = pool.take_for_reading(large_bytes, large_bytes);
  EXPECT_EQ(budget.bytes(), static_cast<int64_t>(sizeof(Chunk) + large_bytes));
  pool.release(first);
  EXPECT_EQ(budget.bytes(), 0);
  EXPECT_TRUE(pool.keeps_large());
  Chunk* const larger = pool.take_for_reading(100, large_bytes + 1);
  EXPECT_EQ(larger->capacity, 100U) << "the kept one is too small";
  Chunk* const smaller = pool.take_for_reading(100, large_bytes / 2);
  EXPECT_EQ(smaller->capacity, 100U) << "the kept one is far too large";
  EXPECT_EQ(pool.take_for_reading(100, large_bytes / 4 * 3), first);
  EXPECT_FALSE(pool.keeps_large());
  for (Chunk* chunk : {first, larger, smaller}) pool.release(chunk);
  EXPECT_EQ(budget.bytes(), 0);
}

TEST(ChunkPool, keeps_no_more_than_its_bound) {
  MemoryBudget budget;
  ChunkPool pool(budget);
  std::vector<Chunk*> chunks;
  for (int i = 0; i < 20; i++) chunks.push_back(pool.take_for_reading(large_bytes, large_bytes));
  Chunk* const small = pool.take_for_reading(large_bytes / 4, large_bytes / 4);
  pool.release(small);
  for (Chunk* chunk : chunks) pool.release(chunk);
  Chunk* const new_small = pool.take_for_reading(100, large_bytes / 4);
  EXPECT_EQ(new_small->capacity, 100U) << "the oldest has gone for the newer ones";
  pool.release(new_small);
  size_t kept = 0;
  while (pool.keeps_large()) {
    Chunk* chunk = pool.take_for_reading(1, large_bytes);
    ASSERT_EQ(chunk->capacity, large_bytes);
    chunks[kept++] = chunk;
  }
  EXPECT_EQ(kept, ChunkPool::kept_large_bytes_max / large_bytes);
  for (size_t i = 0; i < kept; i++) pool.release(chunks[i]);
}

TEST(ChunkPool, gives_back_what_is_not_wanted_any_more) {
  MemoryBudget budget;
  ChunkPool pool(budget);
  pool.release(pool.take_for_reading(large_bytes, large_bytes));
  pool.age();
  EXPECT_TRUE(pool.keeps_large()) << "one was wanted since the last time";
  pool.age();
  EXPECT_FALSE(pool.keeps_large());
}

TEST(ChunkPool, keeps_nothing_large_where_memory_runs_short) {
  MemoryBudget budget(100 * large_bytes);
  ChunkPool pool(budget);
  Chunk* chunk = pool.take_for_reading(large_bytes, large_bytes);
  budget.add(80 * large_bytes);
  pool.release(chunk);
  EXPECT_FALSE(pool.keeps_large());
  budget.remove(80 * large_bytes);
  pool.release(pool.take_for_reading(large_bytes, large_bytes));
  EXPECT_TRUE(pool.keeps_large());
  pool.shrink();
  EXPECT_TRUE(pool.keeps_large());
  budget.add(80 * large_bytes);
  pool.shrink();
  EXPECT_FALSE(pool.keeps_large());
  budget.remove(80 * large_bytes);
}

TEST(ChunkPool, a_lent_chunk_lives_as_long_as_a_queue_refers_to_it) {
  MemoryBudget budget;
  ChunkPool pool(budget);
  OutputQueue fast(pool);
  OutputQueue slow(pool);
  Chunk* const chunk = filled(pool, large_bytes, 'p');
  const std::string_view payload(chunk->data(), large_bytes - 10);
  pool.lend(chunk);
  for (OutputQueue* queue : {&fast, &slow}) {
    ASSERT_TRUE(queue->append("line "));
    queue->append_borrowed(payload);
    ASSERT_TRUE(queue->append(" end"));
  }
  EXPECT_EQ(read_all(fast), "line " + std::string(payload) + " end");
  slow.consume(5 + 100);
  test::fail_allocation_after(0);
  EXPECT_TRUE(slow.keep_borrowed()) << "a reference needs no memory";
  (void)test::stop_failing_allocations();
  EXPECT_FALSE(slow.has_borrowed());
  pool.end_lending();
  EXPECT_EQ(chunk->references, 1U);
  EXPECT_EQ(read_all(slow), std::string(payload.substr(100)) + " end");
  EXPECT_EQ(budget.bytes(), 0);
  EXPECT_TRUE(pool.keeps_large());
}

// A few bytes must not hold a mebibyte.
TEST(ChunkPool, a_piece_that_fills_little_of_its_chunk_is_copied) {
  MemoryBudget budget;
  ChunkPool pool(budget);
  OutputQueue queue(pool);
  Chunk* const chunk = filled(pool, large_bytes, 'p');
  pool.lend(chunk);
  const std::string_view piece(chunk->data() + 1000, large_bytes / 2 - 1);
  queue.append_borrowed(piece);
  ASSERT_TRUE(queue.keep_borrowed());
  EXPECT_EQ(chunk->references, 1U);
  const std::string expected(piece);
  pool.end_lending();
  EXPECT_EQ(read_all(queue), expected);
  EXPECT_EQ(budget.bytes(), 0);
}

TEST(ChunkPool, keeps_and_takes_no_more_than_the_budget_lets) {
  MemoryBudget budget(20 * large_bytes);
  ChunkPool pool(budget);
  Chunk* first = pool.take_for_reading(large_bytes, large_bytes);
  Chunk* second = pool.take_for_reading(large_bytes, large_bytes);
  pool.release(first);
  pool.release(second);
  EXPECT_EQ(pool.take_for_reading(100, large_bytes), second);
  first = pool.take_for_reading(100, large_bytes);
  EXPECT_EQ(first->capacity, 100U) << "one is a sixteenth of the budget";
  pool.release(second);
  budget.add(19 * large_bytes + large_bytes / 2);
  second = pool.take_for_reading(100, large_bytes);
  EXPECT_EQ(second->capacity, 100U) << "there is no room for the kept one";
  pool.release(first);
  pool.release(second);
  budget.remove(19 * large_bytes + large_bytes / 2);
  EXPECT_EQ(budget.bytes(), 0);
}

TEST(ChunkPool, a_queue_refers_to_each_lent_chunk_that_it_borrowed_from) {
  MemoryBudget budget;
  ChunkPool pool(budget);
  OutputQueue queue(pool);
  std::string expected;
  std::vector<Chunk*> lent;
  for (char fill = 'a'; fill < 'e'; fill++) {
    lent.push_back(filled(pool, large_bytes, fill));
    queue.append_borrowed({lent.back()->data(), large_bytes});
    expected.append(large_bytes, fill);
    Chunk* const small = filled(pool, 5000, static_cast<char>(fill + 10));
    queue.append_borrowed({small->data(), 5000});
    expected.append(5000, static_cast<char>(fill + 10));
    pool.lend(lent.back());
    pool.lend(small);
  }
  ASSERT_TRUE(queue.keep_borrowed());
  for (const Chunk* chunk : lent) EXPECT_EQ(chunk->references, 2U);
  pool.end_lending();
  EXPECT_TRUE(read_all(queue) == expected);
  EXPECT_EQ(budget.bytes(), 0);
}

// Memory that is short is got back from whom it is held for.
TEST(ChunkPool, a_queue_tells_what_it_holds_beside_what_waits) {
  MemoryBudget budget;
  ChunkPool pool(budget);
  OutputQueue queue(pool);
  EXPECT_EQ(queue.held_bytes(), 0U);
  Chunk* const chunk = filled(pool, large_bytes, 'p');
  pool.lend(chunk);
  queue.append_borrowed({chunk->data(), large_bytes});
  ASSERT_TRUE(queue.append("end"));
  ASSERT_TRUE(queue.keep_borrowed());
  pool.end_lending();
  EXPECT_EQ(queue.held_bytes(), large_bytes + 3);
  queue.consume(large_bytes - 1);
  EXPECT_EQ(queue.pending_bytes(), 4U);
  EXPECT_EQ(queue.held_bytes(), large_bytes + 3);
  queue.consume(1);
  EXPECT_EQ(queue.held_bytes(), 3U);
}

}  // namespace
}  // namespace martlet::broker
