// SPDX-License-Identifier: Apache-2.0
//
// Owns what every file of the extension module needs: how a status becomes the Python exception of
// its name, how Python values become views, how a wait lets go of the GIL and still hears Ctrl-C.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "martlet/cpp/error.hpp"

namespace martlet::python {

namespace py = pybind11;

// What Python 3.9 does not have yet.
inline PyObject* new_ref(PyObject* object) {
  Py_XINCREF(object);
  return object;
}

/// Adds `object` to the module without taking over the caller's reference.
inline bool add_to_module(PyObject* module, const char* name, PyObject* object) {
  Py_INCREF(object);
  if (PyModule_AddObject(module, name, object) == 0) return true;
  Py_DECREF(object);
  return false;
}

#if PY_VERSION_HEX >= 0x030A0000
constexpr unsigned long type_flags_closed = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION;
#else
constexpr unsigned long type_flags_closed = Py_TPFLAGS_DEFAULT;
#endif

/// What the module keeps: classes that are written in Python and handed in once by
/// martlet/__init__.py.
struct ModuleState {
  PyObject* error_types = nullptr;      // dict: status -> exception class.
  PyObject* headers_factory = nullptr;  // Makes a Headers from the block's bytes.
  unsigned long main_thread = 0;        // Where signals are handled.
};
ModuleState& module_state();

/// Sets the Python exception that a status stands for. Returns null, for `return
/// raise_status(...)`.
PyObject* raise_status(martlet_status status, std::string_view text);
inline PyObject* raise_error(const cpp::Error& error) {
  return raise_status(error.status(), error.text());
}

/// Lets go of the GIL for a scope, also where pybind11 is not involved. When the interpreter is
/// ending, Python ends the thread that asks for the GIL by unwinding its stack: hence a destructor
/// that may be left that way.
class WithoutGil {
 public:
  WithoutGil() : saved_(PyEval_SaveThread()) {}
  ~WithoutGil() noexcept(false) { PyEval_RestoreThread(saved_); }
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

 private:
  PyThreadState* saved_;
};

/// Is this the thread on which signals are handled?
inline bool hears_signals() { return PyThread_get_thread_ident() == module_state().main_thread; }

/// Runs a wait in slices: `wait(slice_ms)` is called without the GIL and answers AGAIN while
/// nothing came. Between slices signals are handled on the main thread. Answers what the wait
/// answered; AGAIN when `timeout_ms` has passed
/// (-1: never); below 0 (ERR_INTERNAL) with a Python exception set when a signal handler raised.
template <typename Wait>
martlet_status wait_interruptibly(int64_t timeout_ms, Wait&& wait);

/// The time that a Python `timeout` in seconds means, in ms; None is -1. Sets an exception and
/// answers -2 when it is no such value.
int64_t timeout_ms_of(PyObject* seconds);

/// A str as UTF-8, borrowed from the object. False, with an exception that names `what`, for
/// anything else.
bool text_of(PyObject* object, const char* what, std::string_view& out);

/// The bytes of any object with a contiguous buffer, held for the scope. A str is refused: its
/// encoding is the caller's.
class Bytes {
 public:
  Bytes() = default;
  ~Bytes() {
    if (buffer_.obj != nullptr) PyBuffer_Release(&buffer_);
  }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  bool read(PyObject* object, const char* what);
  std::string_view view() const { return view_; }

 private:
  Py_buffer buffer_{};
  std::string_view view_;
};

/// Appends a header block for a mapping of str to str, or to a list of str. False with an exception
/// for what cannot be.
bool append_headers(PyObject* headers, std::string& out);

/// The words for a call that ended with this status; `what` where there are none.
const char* failure_text(martlet_status status, const char* what);
/// The same of a request: what was asked for, and how long.
std::string request_failure_text(martlet_status status, std::string_view subject,
                                 int64_t timeout_ms);

constexpr int64_t signal_slice_ms = 50;

template <typename Wait>
martlet_status wait_interruptibly(int64_t timeout_ms, Wait&& wait) {
  const bool on_main_thread = hears_signals();
  int64_t left_ms = timeout_ms;
  for (;;) {
    int64_t slice_ms = left_ms;
    if (on_main_thread && (left_ms < 0 || left_ms > signal_slice_ms)) slice_ms = signal_slice_ms;
    if (slice_ms > INT32_MAX) slice_ms = INT32_MAX;
    martlet_status status;
    {
      WithoutGil without;
      status = wait(static_cast<int32_t>(slice_ms));
    }
    if (status != MARTLET_AGAIN) return status;
    if (PyErr_CheckSignals() != 0) return MARTLET_ERR_INTERNAL;
    if (timeout_ms >= 0) {
      left_ms -= slice_ms;
      if (left_ms <= 0) return MARTLET_AGAIN;
    }
  }
}

}  // namespace martlet::python
