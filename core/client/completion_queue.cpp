// SPDX-License-Identifier: Apache-2.0
//
// Owns the queue's bounds, policies, and the way of entries into blocks and out as batches.
#include "client/completion_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"

namespace martlet::client {
namespace {

// Events and log lines beyond the bound that are still taken: so many that no program that polls at
// all misses one.
constexpr int64_t events_above_bound_max = 1024;
// Dropped entries may hold this much before the living ones are moved together.
constexpr int64_t dropped_bytes_min = 1024 * 1024;

constexpr int64_t entry_bytes(size_t bytes) {
  return static_cast<int64_t>(bytes + sizeof(CompletionDescriptor));
}

size_t content_bytes(const Completion& c) {
  return c.subject.size() + c.reply.size() + c.headers.size() + c.data.size();
}

char* copy_text(char* to, std::string_view text) {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

// Copies an entry to `to_bytes` inside the block that begins at `to_base`.
void copy_entry(CompletionDescriptor& to, char* to_bytes, const char* to_base,
                const CompletionDescriptor& from, const char* from_base, size_t content) {
  std::memcpy(to_bytes, from_base + from.subject_offset, content);
  const int32_t moved = static_cast<int32_t>(to_bytes - to_base) - from.subject_offset;
  to = from;
  to.subject_offset += moved;
  to.reply_offset += moved;
  to.headers_offset += moved;
  to.data_offset += moved;
}

bool is_event(CompletionKind kind) {
  return kind >= CompletionKind::connected && kind != CompletionKind::closed;
}

Error forked() {
  return Error{ErrorCode::forked, "the queue belongs to the process that this one was forked from"};
}

void cpu_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

void fill_descriptor(CompletionDescriptor& d, char* to, const char* base,
                     const Completion& completion) {
  d.kind = static_cast<int32_t>(completion.kind);
  d.flags = completion.flags;
  d.status = completion.status;
  d.sid = completion.sid;
  d.cookie = completion.cookie;
  d.received_ns = completion.received_ns;
  const auto place = [&to, base](std::string_view text, int32_t* out_offset, int32_t* out_bytes) {
    *out_offset = static_cast<int32_t>(to - base);
    *out_bytes = static_cast<int32_t>(text.size());
    to = copy_text(to, text);
  };
  place(completion.subject, &d.subject_offset, &d.subject_bytes);
  place(completion.reply, &d.reply_offset, &d.reply_bytes);
  place(completion.headers, &d.headers_offset, &d.headers_bytes);
  place(completion.data, &d.data_offset, &d.data_bytes);
}

Result<std::shared_ptr<CompletionQueue>> CompletionQueue::create(const Clock& clock,
                                                                 const QueueOptions& options) {
  if (options.messages_max < 1) return Error{ErrorCode::invalid_options, "messages_max is below 1"};
  if (options.bytes_max < 1) return Error{ErrorCode::invalid_options, "bytes_max is below 1"};
  if (options.spin_us < 0) return Error{ErrorCode::invalid_options, "spin_us is below 0"};
  Result<io::ForkGuard> guard = io::ForkGuard::create();
  if (!guard) return guard.take_error();
  return std::shared_ptr<CompletionQueue>(new CompletionQueue(clock, options, std::move(*guard)));
}

CompletionQueue::~CompletionQueue() {
  if (fork_guard_.is_forked()) {
    // The loop behind the driver shares kernel objects with the parent's: the child lets it lie.
    static_cast<void>(new std::shared_ptr<QueueDriver>(std::move(driver_)));
    return;
  }
  for (CompletionBlock* block : blocks_) block->release();
  for (FeedAccount* account : accounts_) delete account;
}

// --- the consumer ---

Result<Batch> CompletionQueue::poll(int32_t messages_max, int64_t timeout_ns) {
  if (fork_guard_.is_forked()) return forked();
  const uint32_t count_max = messages_max < 1 ? UINT32_MAX : static_cast<uint32_t>(messages_max);
  for (bool waited = false;; waited = true) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      Batch batch = take(count_max);
      finish_take(lock);
      if (batch.count() > 0) return batch;
    }
    if (waited || !wait_for_entries(timeout_ns)) return nothing_came();
  }
}

Result<CompletionQueue::Filled> CompletionQueue::poll_into(char* buffer, int64_t buffer_bytes,
                                                           int32_t messages_max,
                                                           int64_t timeout_ns) {
  if (fork_guard_.is_forked()) return forked();
  if (reinterpret_cast<uintptr_t>(buffer) % alignof(CompletionDescriptor) != 0) {
    return Error{ErrorCode::invalid_argument, "the buffer is not aligned to 8 bytes"};
  }
  for (bool waited = false;; waited = true) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      const Filled filled = fill(buffer, std::min<int64_t>(buffer_bytes, INT32_MAX), messages_max);
      finish_take(lock);
      if (filled.count > 0 || filled.bytes_needed > 0) return filled;
    }
    if (waited || !wait_for_entries(timeout_ns)) return nothing_came();
  }
}

Error CompletionQueue::nothing_came() const {
  if (closed_.load(std::memory_order_acquire))
    return Error{ErrorCode::closed, "the queue is closed"};
  return Error{ErrorCode::again, ""};
}

bool CompletionQueue::wait_for_entries(int64_t timeout_ns) {
  const auto is_ready = [this] {
    return waiting_messages_.load(std::memory_order_acquire) > 0 ||
           closed_.load(std::memory_order_acquire);
  };
  if (is_ready()) return waiting_messages_.load(std::memory_order_acquire) > 0;
  const std::shared_ptr<QueueDriver> driver = this->driver();
  if (timeout_ns == 0) {
    // Nobody else may be reading the sockets: one look at them belongs to asking.
    if (driver != nullptr) driver->drive_until(is_ready, 0);
    return waiting_messages_.load(std::memory_order_acquire) > 0;
  }
  if (options_.spin_us > 0) {
    const int64_t start = clock_.monotonic_ns();
    const int64_t all = options_.spin_us * ns_per_us;
    const int64_t spin_ns = timeout_ns < 0 ? all : std::min(all, timeout_ns);
    if (driver != nullptr) {
      driver->spin_until(is_ready, spin_ns);
    } else {
      while (!is_ready() && clock_.monotonic_ns() < start + spin_ns) cpu_pause();
    }
    if (is_ready()) return waiting_messages_.load(std::memory_order_acquire) > 0;
    if (timeout_ns > 0)
      timeout_ns = std::max<int64_t>(0, start + timeout_ns - clock_.monotonic_ns());
  }
  std::unique_lock<std::mutex> lock(mutex_);
  if (driver != nullptr) {
    driving_ = true;
    lock.unlock();
    driver->drive_until(is_ready, timeout_ns);
    lock.lock();
    driving_ = false;
  } else {
    sleeping_ = true;
    if (timeout_ns < 0) {
      not_empty_.wait(lock, is_ready);
    } else {
      not_empty_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), is_ready);
    }
    sleeping_ = false;
  }
  return waiting_messages_.load(std::memory_order_acquire) > 0;
}

void CompletionQueue::set_wake(std::function<void()> wake) {
  std::lock_guard<std::mutex> lock(mutex_);
  wake_ = std::move(wake);
}

Result<int> CompletionQueue::descriptor() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!descriptor_) {
    Result<io::WakeDescriptor> made = io::WakeDescriptor::create();
    if (!made) return made.take_error();
    descriptor_.emplace(std::move(*made));
    if (waiting_messages_.load(std::memory_order_relaxed) > 0) {
      descriptor_->signal();
      signalled_ = true;
    }
  }
  return descriptor_->descriptor();
}

Batch CompletionQueue::take(uint32_t messages_max) {
  pass_over_dropped();
  if (blocks_.empty()) return Batch();
  CompletionBlock* const block = blocks_.front();
  if (block->taken == block->count()) return Batch();
  if (block->dropped > 0) return take_live_copy(block, messages_max);
  const uint32_t first = block->taken;
  const uint32_t count = std::min(messages_max, block->count() - first);
  Batch batch(block, first, count);
  for (uint32_t i = first; i < first + count; ++i) forget_entry(block, i);
  block->taken += count;
  if (blocks_.size() == 1) last_sealed_ = true;  // Nobody writes what a batch shows.
  pass_over_dropped();
  return batch;
}

// The block has gaps: its living entries leave in a block of their own.
Batch CompletionQueue::take_live_copy(CompletionBlock* block, uint32_t messages_max) {
  size_t bytes = 0;
  uint32_t count = 0;
  for (uint32_t i = block->taken; i < block->count() && count < messages_max; ++i) {
    if (block->entries[i].dropped) continue;
    bytes += block->entries[i].bytes;
    ++count;
  }
  CompletionBlock* const copy = CompletionBlock::create((bytes + 7) / 8 * 8);
  if (copy == nullptr) return Batch();
  for (uint32_t left = count; left > 0; --left) {
    pass_over_dropped();  // Never removes the block: a living entry follows.
    const uint32_t index = block->taken;
    const CompletionDescriptor& from = block->descriptors()[index];
    const size_t content = block->entries[index].bytes - sizeof(CompletionDescriptor);
    char* to_bytes = nullptr;
    CompletionDescriptor* const to = copy->append(content, &to_bytes);
    copy_entry(*to, to_bytes, copy->data(), from, block->data(), content);
    forget_entry(block, index);
    ++block->taken;
  }
  pass_over_dropped();
  Batch batch(copy, 0, count);
  copy->release();  // The batch holds it.
  return batch;
}

CompletionQueue::Filled CompletionQueue::fill(char* buffer, int64_t buffer_bytes,
                                              int32_t messages_max) {
  pass_over_dropped();
  const int32_t count_max = messages_max < 1 ? INT32_MAX : messages_max;
  Filled filled;
  int64_t used = 0;
  for (CompletionBlock* block : blocks_) {
    bool full = false;
    for (uint32_t i = block->taken; i < block->count(); ++i) {
      const CompletionBlock::Entry& entry = block->entries[i];
      if (entry.dropped) continue;
      full = filled.count == count_max || used + entry.bytes > buffer_bytes;
      if (full) {
        if (filled.count == 0) filled.bytes_needed = entry.bytes;
        break;
      }
      used += entry.bytes;
      ++filled.count;
    }
    if (full) break;
  }
  CompletionDescriptor* to = reinterpret_cast<CompletionDescriptor*>(buffer);
  int64_t offset = filled.count * static_cast<int64_t>(sizeof(CompletionDescriptor));
  for (int32_t left = filled.count; left > 0; --left) {
    pass_over_dropped();
    CompletionBlock* const block = blocks_.front();
    const uint32_t index = block->taken;
    const CompletionDescriptor& from = block->descriptors()[index];
    const size_t content = block->entries[index].bytes - sizeof(CompletionDescriptor);
    copy_entry(*to, buffer + offset, buffer, from, block->data(), content);
    offset += static_cast<int64_t>(content);
    ++to;
    forget_entry(block, index);
    ++block->taken;
  }
  pass_over_dropped();
  filled.bytes = filled.count > 0 ? offset : 0;
  return filled;
}

// Moves the front past dropped entries and lets go of blocks that have nothing left.
void CompletionQueue::pass_over_dropped() {
  while (!blocks_.empty()) {
    CompletionBlock* const block = blocks_.front();
    while (block->taken < block->count() && block->entries[block->taken].dropped) {
      dropped_bytes_ -= block->entries[block->taken].bytes;
      --block->dropped;
      ++block->taken;
    }
    if (block->taken < block->count()) return;
    if (blocks_.size() == 1) {
      if (block->free_bytes() > block->capacity() / 4 * 3 && next_block_bytes_ > block_bytes_min) {
        next_block_bytes_ /= 2;
      }
      last_sealed_ = false;
    }
    blocks_.pop_front();
    block->release();
  }
}

// Takes an entry off the books, because it leaves or because it is dropped.
void CompletionQueue::forget_entry(CompletionBlock* block, uint32_t index) {
  const CompletionBlock::Entry& entry = block->entries[index];
  waiting_messages_.store(waiting_messages_.load(std::memory_order_relaxed) - 1,
                          std::memory_order_release);
  waiting_bytes_ -= entry.bytes;
  FeedAccount* const account = entry.account;
  if (account == nullptr) return;
  --account->messages;
  account->bytes -= entry.bytes;
  if (!account->order.empty() && account->order.front() == entry.id) account->order.pop_front();
  if (!account->latest.empty()) {
    const CompletionDescriptor& d = block->descriptors()[index];
    const auto found = account->latest.find(
        std::string(block->data() + d.subject_offset, static_cast<size_t>(d.subject_bytes)));
    if (found != account->latest.end() && found->second == entry.id) account->latest.erase(found);
  }
  if (account->slow && has_room_for(BlockedSource{nullptr, account})) account->slow = false;
  if (account->closed && account->messages == 0) {
    accounts_.erase(account);
    delete account;
  }
}

bool CompletionQueue::has_room_for(const BlockedSource& blocked) const {
  if (waiting_messages_.load(std::memory_order_relaxed) > options_.messages_max / 2) return false;
  if (waiting_bytes_ > options_.bytes_max / 2) return false;
  if (blocked.account == nullptr) return true;
  const FeedOptions& bounds = blocked.account->options;
  if (bounds.messages_max > 0 && blocked.account->messages > bounds.messages_max / 2) return false;
  return bounds.bytes_max <= 0 || blocked.account->bytes <= bounds.bytes_max / 2;
}

// After a take: arms the wake-up when nothing is left, and tells those who wait for room.
void CompletionQueue::finish_take(std::unique_lock<std::mutex>& lock) {
  if (waiting_messages_.load(std::memory_order_relaxed) == 0) {
    armed_ = true;
    if (signalled_ && !closed_.load(std::memory_order_relaxed)) {
      descriptor_->clear();
      signalled_ = false;
    }
  }
  if (blocked_sources_.empty()) return;
  std::vector<FeedSource*> ready;
  for (size_t i = 0; i < blocked_sources_.size();) {
    if (!has_room_for(blocked_sources_[i])) {
      ++i;
      continue;
    }
    ready.push_back(blocked_sources_[i].source);
    blocked_sources_[i] = blocked_sources_.back();
    blocked_sources_.pop_back();
  }
  if (ready.empty()) return;
  std::lock_guard<std::mutex> telling(
      telling_mutex_);  // Taken before mutex_ is let go: see remove_source().
  lock.unlock();
  for (FeedSource* source : ready) source->on_queue_room();
}

// --- the feeders ---

FeedAccount* CompletionQueue::open_account(const FeedOptions& options, int32_t sid,
                                           int64_t cookie) {
  FeedAccount* const account = new FeedAccount;
  account->options = options;
  account->sid = sid;
  account->cookie = cookie;
  std::lock_guard<std::mutex> lock(mutex_);
  accounts_.insert(account);
  return account;
}

void CompletionQueue::close_account(FeedAccount* account) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (BlockedSource& blocked : blocked_sources_) {
    if (blocked.account == account) blocked.account = nullptr;
  }
  if (account->messages == 0) {
    accounts_.erase(account);
    delete account;
  } else {
    account->closed = true;
  }
  finish_take(lock);
}

int64_t CompletionQueue::dropped_total(const FeedAccount* account) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return account->dropped_total;
}

int64_t CompletionQueue::pending_messages(const FeedAccount* account) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return account->messages;
}

int64_t CompletionQueue::pending_bytes(const FeedAccount* account) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return account->bytes;
}

FeedVerdict CompletionQueue::Feed::add_message(const Completion& completion, FeedAccount* account,
                                               FeedSource* source) {
  const uint64_t id_before = queue_.next_id_;
  const FeedVerdict verdict = queue_.offer(completion, account, source);
  if (queue_.next_id_ != id_before) appended_ = true;
  return verdict;
}

bool CompletionQueue::Feed::add(const Completion& completion) {
  if (queue_.closed_.load(std::memory_order_relaxed)) return false;
  if (is_event(completion.kind)) {
    const int64_t waiting = queue_.waiting_messages_.load(std::memory_order_relaxed);
    if (waiting >= queue_.options_.messages_max + events_above_bound_max) return false;
    if (queue_.waiting_bytes_ > 2 * queue_.options_.bytes_max) return false;
  }
  if (!queue_.append(completion, nullptr)) return false;
  appended_ = true;
  return true;
}

bool CompletionQueue::is_account_over(const FeedAccount& account, int64_t bytes) const {
  if (account.messages == 0) return false;
  const FeedOptions& bounds = account.options;
  if (bounds.messages_max > 0 && account.messages >= bounds.messages_max) return true;
  return bounds.bytes_max > 0 && account.bytes + bytes > bounds.bytes_max;
}

bool CompletionQueue::is_queue_over(int64_t bytes) const {
  const int64_t waiting = waiting_messages_.load(std::memory_order_relaxed);
  if (waiting == 0) return false;  // A single message is never too large for an empty queue.
  return waiting >= options_.messages_max || waiting_bytes_ + bytes > options_.bytes_max;
}

FeedVerdict CompletionQueue::offer(const Completion& completion, FeedAccount* account,
                                   FeedSource* source) {
  if (closed_.load(std::memory_order_relaxed)) return FeedVerdict::refused;
  const int64_t bytes = entry_bytes(content_bytes(completion));
  const FullPolicy policy = account->options.full_policy;
  if (policy == FullPolicy::keep_latest_of_each_subject && !account->latest.empty()) {
    const auto found = account->latest.find(std::string(completion.subject));
    CompletionBlock* block = nullptr;
    uint32_t index = 0;
    if (found != account->latest.end() && find_entry(found->second, &block, &index)) {
      drop_entry(block, index);
    }
  }
  if (is_account_over(*account, bytes)) {
    if (policy == FullPolicy::block_reader) return block(source, account);
    if (policy != FullPolicy::drop_oldest) return refuse(completion, account);
    while (is_account_over(*account, bytes) && drop_oldest_of_account(account)) {
      note_slow(completion, account);
    }
  }
  if (is_queue_over(bytes)) {
    if (options_.full_policy == FullPolicy::block_reader) return block(source, nullptr);
    if (options_.full_policy != FullPolicy::drop_oldest) return refuse(completion, account);
    while (is_queue_over(bytes) && drop_oldest_of_queue(completion)) {
    }
    if (is_queue_over(bytes)) return refuse(completion, account);
  }
  if (!append(completion, account)) return refuse(completion, account);
  return FeedVerdict::taken;
}

FeedVerdict CompletionQueue::block(FeedSource* source, FeedAccount* account) {
  for (const BlockedSource& blocked : blocked_sources_) {
    if (blocked.source == source) return FeedVerdict::blocked;
  }
  blocked_sources_.push_back(BlockedSource{source, account});
  return FeedVerdict::blocked;
}

FeedVerdict CompletionQueue::refuse(const Completion& completion, FeedAccount* account) {
  note_slow(completion, account);
  return FeedVerdict::refused;
}

// Counts a message that was lost at a bound; the first of an episode is told.
void CompletionQueue::note_slow(const Completion& completion, FeedAccount* account) {
  ++account->dropped_total;
  if (account->slow) return;
  account->slow = true;
  Completion event;
  event.kind = CompletionKind::slow_consumer;
  event.status = status_number(ErrorCode::slow_consumer);
  event.cookie = account->cookie;
  event.sid = account->sid;
  event.received_ns = completion.received_ns;
  const std::string text =
      fmt::format("subscription {} is behind: {} messages, {} bytes wait; {} dropped so far",
                  account->sid, account->messages, account->bytes, account->dropped_total);
  event.data = text;
  append(event, nullptr);
}

bool CompletionQueue::append(const Completion& completion, FeedAccount* account) {
  const size_t bytes = content_bytes(completion);
  CompletionBlock* const block = block_with_room(bytes);
  if (block == nullptr) return false;
  char* to = nullptr;
  CompletionDescriptor* const d = block->append(bytes, &to);
  fill_descriptor(*d, to, block->data(), completion);
  const uint32_t all = static_cast<uint32_t>(entry_bytes(bytes));
  const uint64_t id = next_id_++;
  block->entries.push_back(CompletionBlock::Entry{id, account, all, false});
  waiting_bytes_ += all;
  if (account != nullptr) {
    ++account->messages;
    account->bytes += all;
    if (account->options.full_policy == FullPolicy::drop_oldest) account->order.push_back(id);
    if (account->options.full_policy == FullPolicy::keep_latest_of_each_subject) {
      account->latest[std::string(completion.subject)] = id;
    }
  }
  waiting_messages_.store(waiting_messages_.load(std::memory_order_relaxed) + 1,
                          std::memory_order_release);
  return true;
}

CompletionBlock* CompletionQueue::block_with_room(size_t bytes) {
  const size_t needed = bytes + sizeof(CompletionDescriptor);
  if (!blocks_.empty() && !last_sealed_) {
    CompletionBlock* const last = blocks_.back();
    if (last->free_bytes() >= needed) return last;
    next_block_bytes_ = std::min(block_bytes_max, next_block_bytes_ * 2);
  }
  CompletionBlock* const block =
      CompletionBlock::create(std::max(next_block_bytes_, (needed + 7) / 8 * 8));
  if (block == nullptr) return nullptr;
  block->entries.reserve(std::min<size_t>(block->capacity() / 160 + 1, 512));
  blocks_.push_back(block);
  last_sealed_ = false;
  return block;
}

CompletionQueue::WakeUp CompletionQueue::finish_feed(std::unique_lock<std::mutex>& lock,
                                                     bool appended) {
  WakeUp wake_up;
  if (appended) {
    if (sleeping_) not_empty_.notify_one();
    if (driving_) wake_up.driver = driver_;
    if (armed_) {
      if (wake_) wake_up.queue = shared_from_this();
      if (descriptor_) {
        descriptor_->signal();
        signalled_ = true;
      }
    }
    armed_ = false;
  }
  lock.unlock();
  return wake_up;
}

void CompletionQueue::remove_source(FeedSource* source) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(blocked_sources_,
                  [source](const BlockedSource& b) { return b.source == source; });
  }
  // Whoever took the source off the list before us holds this until it has told it.
  std::lock_guard<std::mutex> telling(telling_mutex_);
}

void CompletionQueue::close() {
  std::shared_ptr<QueueDriver> driver;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_.store(true, std::memory_order_release);
    not_empty_.notify_all();
    driver = driver_;
    if (descriptor_) {
      descriptor_->signal();  // Stays so: whoever polls now learns that the queue is closed.
      signalled_ = true;
    }
  }
  if (wake_) wake_();
  if (driver != nullptr) driver->interrupt();
}

std::shared_ptr<QueueDriver> CompletionQueue::driver() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return driver_;
}

void CompletionQueue::set_driver(std::shared_ptr<QueueDriver> driver) {
  std::lock_guard<std::mutex> lock(mutex_);
  driver_ = std::move(driver);
}

// --- dropping ---

bool CompletionQueue::find_entry(uint64_t id, CompletionBlock** out_block, uint32_t* out_index) {
  const auto after =
      std::partition_point(blocks_.begin(), blocks_.end(),
                           [id](const CompletionBlock* b) { return b->entries.back().id < id; });
  if (after == blocks_.end()) return false;
  const std::vector<CompletionBlock::Entry>& entries = (*after)->entries;
  const auto entry = std::partition_point(
      entries.begin(), entries.end(), [id](const CompletionBlock::Entry& e) { return e.id < id; });
  if (entry == entries.end() || entry->id != id || entry->dropped) return false;
  *out_block = *after;
  *out_index = static_cast<uint32_t>(entry - entries.begin());
  return *out_index >= (*after)->taken;
}

void CompletionQueue::drop_entry(CompletionBlock* block, uint32_t index) {
  CompletionBlock::Entry& entry = block->entries[index];
  forget_entry(block, index);
  entry.dropped = true;
  entry.account = nullptr;
  ++block->dropped;
  dropped_bytes_ += entry.bytes;
  compact_if_sparse();
}

bool CompletionQueue::drop_oldest_of_account(FeedAccount* account) {
  if (account->order.empty()) return false;
  CompletionBlock* block = nullptr;
  uint32_t index = 0;
  const bool found = find_entry(account->order.front(), &block, &index);
  MARTLET_ASSERT(found);
  drop_entry(block, index);
  return true;
}

bool CompletionQueue::drop_oldest_of_queue(const Completion& incoming) {
  for (CompletionBlock* block : blocks_) {
    for (uint32_t i = block->taken; i < block->count(); ++i) {
      const CompletionBlock::Entry& entry = block->entries[i];
      if (entry.dropped || entry.account == nullptr) continue;
      FeedAccount* const loser = entry.account;
      const bool loser_goes = loser->closed && loser->messages == 1;
      drop_entry(block, i);
      pass_over_dropped();
      if (!loser_goes) note_slow(incoming, loser);
      return true;
    }
  }
  return false;
}

// Keeps the memory of dropped entries below that of the living (and 1 MiB): moves the living
// together.
void CompletionQueue::compact_if_sparse() {
  if (dropped_bytes_ < dropped_bytes_min || dropped_bytes_ < waiting_bytes_) return;
  std::deque<CompletionBlock*> old;
  old.swap(blocks_);
  last_sealed_ = false;
  for (CompletionBlock* block : old) {
    if (block->dropped == 0 && block->taken < block->count()) {
      blocks_.push_back(block);
      last_sealed_ =
          true;  // Blocks before a whole one are not filled further, so that ids keep rising.
      continue;
    }
    for (uint32_t i = block->taken; i < block->count(); ++i) {
      const CompletionBlock::Entry entry = block->entries[i];
      if (entry.dropped) {
        dropped_bytes_ -= entry.bytes;
        continue;
      }
      const size_t content = entry.bytes - sizeof(CompletionDescriptor);
      CompletionBlock* const target = block_with_room(content);
      MARTLET_ASSERT(target != nullptr);
      char* to = nullptr;
      CompletionDescriptor* const d = target->append(content, &to);
      copy_entry(*d, to, target->data(), block->descriptors()[i], block->data(), content);
      target->entries.push_back(entry);
    }
    block->release();
  }
}

}  // namespace martlet::client
