// SPDX-License-Identifier: Apache-2.0
//
// Owns the conversions between Python values and the views that the C ABI takes.
#include "support.hpp"

#include <cmath>

namespace martlet::python {

ModuleState& module_state() {
  static ModuleState
      state;  // The module is loaded once per process; interpreters of their own are not supported.
  return state;
}

PyObject* raise_status(martlet_status status, std::string_view text) {
  PyObject* const types = module_state().error_types;
  PyObject* type = nullptr;
  if (types != nullptr) {
    PyObject* const key = PyLong_FromLong(status);
    if (key == nullptr) return nullptr;
    type = PyDict_GetItemWithError(types, key);
    Py_DECREF(key);
  }
  if (type == nullptr) type = PyExc_RuntimeError;
  PyObject* const message =
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
  if (message == nullptr) return nullptr;
  PyErr_SetObject(type, message);
  Py_DECREF(message);
  return nullptr;
}

int64_t timeout_ms_of(PyObject* seconds) {
  if (seconds == nullptr || seconds == Py_None) return -1;
  const double value = PyFloat_AsDouble(seconds);
  if (value == -1.0 && PyErr_Occurred() != nullptr) {
    PyErr_Format(PyExc_TypeError, "timeout must be a number of seconds or None, not %.100s",
                 Py_TYPE(seconds)->tp_name);
    return -2;
  }
  if (std::isnan(value) || value < 0) {
    raise_status(MARTLET_ERR_INVALID_ARGUMENT, "timeout must be 0 or more seconds");
    return -2;
  }
  if (value > 1e9) return -1;
  return static_cast<int64_t>(std::ceil(value * 1000.0));
}

bool text_of(PyObject* object, const char* what, std::string_view& out) {
  if (!PyUnicode_Check(object)) {
    PyErr_Format(PyExc_TypeError, "%s must be a str, not %.100s", what, Py_TYPE(object)->tp_name);
    return false;
  }
  Py_ssize_t bytes = 0;
  const char* const text = PyUnicode_AsUTF8AndSize(object, &bytes);
  if (text == nullptr) {
    if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
      PyErr_Clear();
      raise_status(MARTLET_ERR_INVALID_ARGUMENT,
                   std::string(what) + " is no text: a surrogate stands alone in it");
    }
    return false;
  }
  out = std::string_view(text, static_cast<size_t>(bytes));
  return true;
}

bool Bytes::read(PyObject* object, const char* what) {
  if (PyBytes_CheckExact(object)) {
    view_ =
        std::string_view(PyBytes_AS_STRING(object), static_cast<size_t>(PyBytes_GET_SIZE(object)));
    return true;
  }
  if (PyUnicode_Check(object) || !PyObject_CheckBuffer(object)) {
    PyErr_Format(PyExc_TypeError, "%s must be bytes or another buffer, not %.100s%s", what,
                 Py_TYPE(object)->tp_name, PyUnicode_Check(object) ? " (encode it first)" : "");
    return false;
  }
  if (PyObject_GetBuffer(object, &buffer_, PyBUF_SIMPLE) != 0) return false;
  view_ = std::string_view(static_cast<const char*>(buffer_.buf), static_cast<size_t>(buffer_.len));
  return true;
}

namespace {

// Raises the exception of ERR_INVALID_ARGUMENT; `format` takes the header's name.
bool refuse_header(const char* format, PyObject* name) {
  PyObject* const sentence = PyUnicode_FromFormat(format, name);
  const char* const text = sentence != nullptr ? PyUnicode_AsUTF8(sentence) : nullptr;
  if (text != nullptr) raise_status(MARTLET_ERR_INVALID_ARGUMENT, text);
  Py_XDECREF(sentence);
  return false;
}

bool append_header(PyObject* name, PyObject* value, std::string& out) {
  std::string_view name_text, value_text;
  if (!text_of(name, "headers: a name", name_text) ||
      !text_of(value, "headers: a value", value_text))
    return false;
  if (name_text.empty() || name_text.find_first_of(": \r\n") != std::string_view::npos) {
    return refuse_header("the header name %R is empty or holds a colon, a space or a line end",
                         name);
  }
  if (value_text.find_first_of("\r\n") != std::string_view::npos) {
    return refuse_header("the value of header %R holds a line end", name);
  }
  out.append(name_text).append(": ").append(value_text).append("\r\n");
  return true;
}

bool append_entry(PyObject* name, PyObject* value, std::string& out) {
  if (!PyList_Check(value) && !PyTuple_Check(value)) return append_header(name, value, out);
  const Py_ssize_t count = PySequence_Size(value);
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* const item = PySequence_GetItem(value, i);
    const bool appended = item != nullptr && append_header(name, item, out);
    Py_XDECREF(item);
    if (!appended) return false;
  }
  return true;
}

}  // namespace

bool append_headers(PyObject* headers, std::string& out) {
  PyObject* items = nullptr;
  if (!PyUnicode_Check(headers)) {
    // A Headers of ours gives every value of a name; a dict gives its values, that may be lists.
    PyObject* const give = PyObject_GetAttrString(headers, "multi_items");
    if (give != nullptr) {
      items = PyObject_CallNoArgs(give);
      Py_DECREF(give);
    } else {
      PyErr_Clear();
      items = PyMapping_Items(headers);
    }
  }
  if (items == nullptr) {
    if (PyUnicode_Check(headers) || PyErr_ExceptionMatches(PyExc_AttributeError)) {
      PyErr_Clear();
      PyErr_Format(PyExc_TypeError, "headers must be a mapping of str to str, not %.100s",
                   Py_TYPE(headers)->tp_name);
    }
    return false;
  }
  out.append("NATS/1.0\r\n");
  bool appended = true;
  PyObject* const list = PySequence_Fast(items, "headers must be a mapping");
  Py_DECREF(items);
  if (list == nullptr) return false;
  for (Py_ssize_t i = 0; appended && i < PySequence_Fast_GET_SIZE(list); ++i) {
    PyObject* const pair = PySequence_Fast_GET_ITEM(list, i);
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
      PyErr_SetString(PyExc_TypeError, "headers must be a mapping of str to str");
      appended = false;
    } else {
      appended = append_entry(PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1), out);
    }
  }
  Py_DECREF(list);
  out.append("\r\n");
  return appended;
}

const char* failure_text(martlet_status status, const char* what) {
  switch (status) {
    case MARTLET_ERR_TIMEOUT:
      return "no answer in time";
    case MARTLET_ERR_CLOSED:
      return "the connection was closed";
    case MARTLET_ERR_DISCONNECTED:
      return "the connection was lost";
    default:
      return what;
  }
}

std::string request_failure_text(martlet_status status, std::string_view subject,
                                 int64_t timeout_ms) {
  const std::string named = "\"" + std::string(subject) + "\"";
  if (status == MARTLET_ERR_NO_RESPONDERS) return "nobody listens to " + named;
  if (status != MARTLET_ERR_TIMEOUT) return failure_text(status, "the request failed");
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%g", static_cast<double>(timeout_ms) / 1000);
  return "no answer to " + named + " in " + seconds + " s";
}

}  // namespace martlet::python
