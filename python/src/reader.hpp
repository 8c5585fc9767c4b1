// SPDX-License-Identifier: Apache-2.0
//
// Owns the reader: a completion queue as Python sees it, with the subscription that feeds it if
// there is one. Its iterator hands out messages one after the other from the batch at hand, and
// asks the queue for the next batch only when that is used up.
// What it hands out is a subscription's messages, or the answers of one request for many.
//   Reader      is iterated by `for`, and waits without the GIL;
//   AioReader   is iterated by `async for`, and waits on a future of the loop; see reader_aio.cpp.
#pragma once

#include <memory>
#include <optional>

#include "martlet/cpp/queue.hpp"
#include "martlet/cpp/subscription.hpp"
#include "message.hpp"
#include "notifier.hpp"

namespace martlet::python {

/// How many messages one poll takes at most.
constexpr int32_t batch_messages_max = 1024;

struct ReaderState {
  std::optional<cpp::Queue> queue;
  std::optional<cpp::Subscription> subscription;
  cpp::SubscriptionCounts last_counts{};  // Of a subscription that has been let go.
  SharedBatch* batch = nullptr;           // What is being handed out.
  int32_t next = 0;                       // Index in batch.
  bool ended = false;                     // Nothing more will come.
  bool completions = false;               // Nothing is a message: everything goes to on_event.
  std::shared_ptr<Notifier> notifier;
  int64_t number = 0;        // In the notifier.
  bool polling = false;      // Somebody waits in poll: one at a time.
  bool owes_turn = false;    // A batch was handed out since the loop had its last turn.
  bool in_callback = false;  // A dispatcher's callback runs.

  /// Messages that left the queue and that nobody has been given, or whose callback still runs.
  int64_t held() const { return (batch != nullptr ? batch->count() - next : 0) + in_callback; }

  void drop_batch() {
    if (batch != nullptr) batch->release();
    batch = nullptr;
    next = 0;
  }
};

struct ReaderObject {
  PyObject_HEAD ReaderState* state;
  PyObject* connection;        // For Msg.respond; may be null.
  PyTypeObject* message_type;  // Borrowed: lives as long as the module.
  PyObject* loop;              // AioReader: the asyncio loop.
  PyObject* waiter;            // AioReader: the future that somebody waits on.
  PyObject* callback;          // AioReader: called with each message, instead of iteration.
  PyObject*
      on_event;  // Called with (kind, status, cookie, Msg) for what is no message; may be null.
  PyObject* on_error;   // AioReader: called with what the callback raised.
  PyObject* on_result;  // AioReader: called with what the callback gave, if that may be awaited.
  PyObject* weak_references;
};

/// Calls `on_error` with the exception that is set; without one, or if that fails too, says it
/// where Python says so.
void hand_over_exception(PyObject* on_error, PyObject* context);

bool add_reader_types(PyObject* module);
/// The type AioReader, made in reader_aio.cpp. Null with an exception.
PyObject* make_aio_reader_type(PyObject* module);

/// Null, with an exception, for anything but a Reader or AioReader.
ReaderObject* to_reader(PyObject* object);
inline ReaderObject* reader_of(PyObject* object) { return reinterpret_cast<ReaderObject*>(object); }

/// The queue of a reader; null, with an exception, when it is closed.
cpp::Queue* queue_of(ReaderObject* reader);

/// The same of any object; throws.
inline cpp::Queue* queue_from(py::handle reader) {
  ReaderObject* const target = to_reader(reader.ptr());
  cpp::Queue* const queue = target != nullptr ? queue_of(target) : nullptr;
  if (queue == nullptr) throw py::error_already_set();
  return queue;
}

/// The next descriptor that is at hand, or null. Does not poll.
const martlet_descriptor* next_at_hand(ReaderObject* reader);

/// Polls for the next batch into the reader, without the GIL when it waits. Answers the status;
/// below 0 with an exception set.
martlet_status poll_batch(ReaderObject* reader, int64_t timeout_ms);

/// The tuple (kind, status, cookie, Msg) of a descriptor.
PyObject* make_item(ReaderObject* reader, const martlet_descriptor& descriptor);

/// Runs over what is at hand up to the next message. Null without an exception when there is none
/// (then `ended` tells whether any can follow).
PyObject* take_message(ReaderObject* reader);

/// dispatch(callbacks, on_error): the life of a dispatcher thread. Returns when the queue is closed
/// and empty. In reader_dispatch.cpp.
PyObject* dispatch_reader(PyObject* self, PyObject* args);

// Shared slots of both types, in reader.cpp.
int reader_init(PyObject* self, PyObject* args, PyObject* kwargs);
void reader_dealloc(PyObject* self);
int reader_traverse(PyObject* self, visitproc visit, void* arg);
int reader_clear(PyObject* self);
extern PyMethodDef reader_methods[];
extern PyGetSetDef reader_getters[];
extern PyMemberDef reader_members[];
/// A type with these slots; a base of both kinds of reader.
PyTypeObject*& reader_base_type();

}  // namespace martlet::python
