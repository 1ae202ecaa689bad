// The objects being read: their shells, their properties, and the slots that `r:` refers to.
#pragma once

#include <Python.h>

#include <cstddef>
#include <new>
#include <vector>

#include "native/key_cache.hpp"
#include "php/objects.hpp"

namespace envelope {

// Whether these bytes name stdClass, in upper or lower case.
inline bool is_std_class(const char* bytes, Py_ssize_t size) {
  static constexpr char kStdClass[] = "stdclass";
  bool is_std = size == sizeof kStdClass - 1;
  for (Py_ssize_t at = 0; is_std && at < size; ++at) is_std = (bytes[at] | 0x20) == kStdClass[at];
  return is_std;
}

inline PyObject* std_class_name() { return key_cache.key("stdClass", 8); }

// A new str of a class's name; nullptr if the bytes are not one.
inline PyObject* new_class_name(const char* bytes, Py_ssize_t size) {
  return is_class_name(bytes, size) ? key_cache.key(bytes, size) : nullptr;
}

// A new PhpEnum; nullptr if one of its names is not a name.
inline PyObject* new_enum_case(const char* name, Py_ssize_t name_size, const char* label, Py_ssize_t label_size) {
  if (!is_class_name(name, name_size) || !is_class_name(label, label_size)) return nullptr;
  PyObject* const class_name = key_cache.key(name, name_size);
  PyObject* const case_name = class_name ? key_cache.key(label, label_size) : nullptr;
  return classes.enum_case.make({class_name, case_name, Py_NewRef(Py_None)});
}

// A new PhpObject of this class (whose name is taken over), without its properties yet.
inline PyObject* new_shell(PyObject* class_name) {
  return classes.object.make({class_name, PyTuple_New(0), Py_NewRef(Py_None)});
}

// Twin: values.php_types.PhpProperty.from_mangled. A name that begins with NUL may have its visibility in it: `mangled`
// keeps what Python makes of each such name, a property without a value.
inline PyObject* new_property(PyObject* name, PyObject* value, PyObject*& mangled) {
  const bool is_plain = PyUnicode_Check(name) ? PyUnicode_GET_LENGTH(name) == 0 || PyUnicode_READ_CHAR(name, 0) != 0
                                              : !PyBytes_Check(name) || PyBytes_AS_STRING(name)[0] != '\0';
  if (is_plain) {
    return classes.property.make(
        {Py_NewRef(name), Py_NewRef(value), Py_NewRef(classes.public_), Py_NewRef(classes.nowhere)});
  }
  if (!mangled && !(mangled = PyDict_New())) return nullptr;
  PyObject* made = PyDict_GetItemWithError(mangled, name);  // borrowed
  if (!made) {
    if (PyErr_Occurred()) return nullptr;
    made = PyObject_CallMethod(classes.property.type(), "from_mangled", "OO", name, Py_None);
    if (!made) return nullptr;
    const int failed = PyDict_SetItem(mangled, name, made);
    Py_DECREF(made);
    if (failed) return nullptr;
  }
  const auto& kind = classes.property;
  return kind.make({Py_NewRef(kind.field(made, Classes::kName)), Py_NewRef(value),
                    Py_NewRef(kind.field(made, Classes::kVisibility)),
                    Py_NewRef(kind.field(made, Classes::kDeclaredIn))});
}

// The properties of a shell, from its members under their mangled names; false with an exception if memory runs out.
inline bool fill_shell(PyObject* shell, PyObject* members, PyObject*& mangled) {
  PyObject* const properties = PyTuple_New(PyDict_GET_SIZE(members));
  Py_ssize_t place = 0, index = 0;
  PyObject *name, *value;
  while (properties && PyDict_Next(members, &place, &name, &value)) {
    PyObject* const property = new_property(name, value, mangled);
    if (!property) {
      Py_DECREF(properties);
      return false;
    }
    PyTuple_SET_ITEM(properties, index++, property);
  }
  if (properties) Py_SETREF(classes.object.field(shell, Classes::kProperties), properties);
  return properties;
}

// What is in each slot, if a document has an `r:` at all: every value takes one. Only objects and enums can be referred
// to; for all else only the place is kept. The references are borrowed, so keys must be unique: a repeated key would
// replace a value.
class Slots {
 public:
  bool is_kept = false;

  // Takes the next slot; false if memory runs out.
  bool take(PyObject* value) try {
    const bool can_be_referred_to = value && (classes.object.has(value) || classes.enum_case.has(value));
    slots_.push_back(can_be_referred_to ? value : nullptr);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }

  // The object in a slot, from 1; a new reference, nullptr if there is none.
  PyObject* get(std::int64_t slot) const {
    return slot >= 1 && static_cast<std::size_t>(slot) <= slots_.size()
               ? Py_XNewRef(slots_[static_cast<std::size_t>(slot) - 1])
               : nullptr;
  }

 private:
  std::vector<PyObject*> slots_;
};

}  // namespace envelope
