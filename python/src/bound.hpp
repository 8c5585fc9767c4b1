// SPDX-License-Identifier: Apache-2.0
//
// Owns how a bound function takes an object of a class that pybind11 made. pybind11 itself gives an
// object whose __init__ has not run some memory that nobody has filled; here it is refused.
#pragma once

#include "support.hpp"

namespace martlet::python {

/// An object of ours as an argument: initialised, and borrowed for the call.
template <typename Value>
struct Bound {
  Value* value = nullptr;
  Value& operator*() const { return *value; }
  Value* operator->() const { return value; }
};

/// What stands behind `object`, which is of the class; null, with an exception, before __init__.
template <typename Value>
Value* initialised(PyObject* object) {
  py::detail::instance* const instance = reinterpret_cast<py::detail::instance*>(object);
  const py::detail::value_and_holder found = instance->get_value_and_holder();
  if (found.holder_constructed()) return found.value_ptr<Value>();
  raise_status(MARTLET_ERR_INVALID_HANDLE, "the object was not initialised");
  return nullptr;
}

}  // namespace martlet::python

namespace pybind11::detail {

template <typename Value>
struct type_caster<martlet::python::Bound<Value>> {
  PYBIND11_TYPE_CASTER(martlet::python::Bound<Value>, const_name("object"));

  bool load(handle source, bool) {
    if (!isinstance<Value>(source)) return false;
    value.value = martlet::python::initialised<Value>(source.ptr());
    if (value.value == nullptr) throw error_already_set();
    return true;
  }
};

}  // namespace pybind11::detail
