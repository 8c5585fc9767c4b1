// SPDX-License-Identifier: Apache-2.0
//
// Owns the message as Python sees it: a small object that keeps its batch alive and reads subject,
// data and headers out of it when asked. Made by hand (PyType_FromSpec), because a message is the
// one thing that is made millions of times.
#pragma once

#include "martlet/cpp/batch.hpp"
#include "support.hpp"

namespace martlet::python {

/// A batch shared by the messages that were made from it. Not visible to Python; counted under the
/// GIL.
class SharedBatch {
 public:
  /// `connection` is what Msg.respond publishes by, or a weak reference to it; null or None for
  /// nothing. It is held weakly: a message that somebody keeps must not keep a connection.
  SharedBatch(cpp::Batch batch, PyObject* connection);
  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) delete this;
  }
  const cpp::Batch& batch() const { return batch_; }
  int32_t count() const { return batch_.count(); }
  const martlet_descriptor& at(int32_t index) const { return batch_.at(index); }
  /// The subject as a str; the last one is kept, because neighbours often have the same.
  PyObject* subject(const martlet_descriptor& descriptor);
  /// A new reference; null, without an exception, when there is none or it is gone.
  PyObject* connection() const;

 private:
  ~SharedBatch() {
    Py_XDECREF(cached_subject_);
    Py_XDECREF(connection_);
  }

  cpp::Batch batch_;
  Py_ssize_t references_ = 1;
  std::string_view cached_text_;
  PyObject* cached_subject_ = nullptr;
  PyObject* connection_ = nullptr;  // A weak reference.
};

/// The types `Msg` and `aio.Msg`: equal in all but their name, because `respond` of the second is
/// awaited.
struct MessageTypes {
  PyTypeObject* sync = nullptr;
  PyTypeObject* aio = nullptr;
};
MessageTypes& message_types();

/// Adds the types to the module. False with an exception.
bool add_message_types(PyObject* module);

/// A new message. Null with an exception.
PyObject* make_message(PyTypeObject* type, SharedBatch* batch,
                       const martlet_descriptor& descriptor);

}  // namespace martlet::python
