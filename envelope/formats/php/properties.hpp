// Objects and enums as the compiled writers see them: borrowed, of exact types, and without a call into Python.
#pragma once

#include <Python.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <unordered_map>
#include <vector>

#include "native/digits.hpp"
#include "native/text.hpp"
#include "php/objects.hpp"

namespace envelope {

// Everything here needs classes_are_ready() first.
inline bool is_php_object(PyObject* value) { return classes.object.is_whole(value); }

inline bool is_enum_case(PyObject* value) { return classes.enum_case.is_whole(value); }

inline PyObject* object_class(PyObject* object) { return classes.object.field(object, Classes::kClassName); }

inline PyObject* enum_class(PyObject* value) { return classes.enum_case.field(value, Classes::kEnumClass); }

inline PyObject* enum_label(PyObject* value) { return classes.enum_case.field(value, Classes::kCase); }

// A tuple of properties alone; null if the object has anything else.
inline PyObject* properties_of(PyObject* object) {
  PyObject* const properties = classes.object.field(object, Classes::kProperties);
  if (classes.object.field(object, Classes::kPayload) != Py_None || !PyTuple_CheckExact(properties)) return nullptr;
  if (!PyUnicode_CheckExact(object_class(object))) return nullptr;
  for (Py_ssize_t index = 0; index < PyTuple_GET_SIZE(properties); ++index) {
    if (!classes.property.is_whole(PyTuple_GET_ITEM(properties, index))) return nullptr;
  }
  return properties;
}

inline PyObject* property_name(PyObject* property) { return classes.property.field(property, Classes::kName); }

inline PyObject* property_value(PyObject* property) { return classes.property.field(property, Classes::kValue); }

// For an exact str only: what is merely equal to one, like a member of an enum, is left to the Python twin.
inline bool has_visibility(PyObject* property, const char* word) {
  PyObject* const visibility = classes.property.field(property, Classes::kVisibility);
  return PyUnicode_CheckExact(visibility) && PyUnicode_CompareWithASCIIString(visibility, word) == 0;
}

inline bool is_public(PyObject* property) {
  return classes.property.field(property, Classes::kVisibility) == classes.public_ || has_visibility(property, "public");
}

// Appends a str; false if it is not one, or has a lone surrogate.
inline bool append_utf8(std::string& text, PyObject* more) {
  if (!PyUnicode_CheckExact(more)) return false;
  std::size_t ready = 0;
  if (const char* bytes = ready_utf8(more, ready)) {
    text.append(bytes, ready);
    return true;
  }
  return with_units(more, [&](auto* units, std::size_t count) {
    const Py_ssize_t size = utf8_size(units, count);
    if (size < 0) return false;
    const std::size_t before = text.size();
    text.resize(before + static_cast<std::size_t>(size));
    char* at = text.data() + before;
    for (std::size_t index = 0; index < count; ++index) at = put_utf8(at, units[index]);
    return true;
  });
}

// Twin: values.php_types.PhpProperty.mangled, appended as bytes; an int is its decimal. False if PHP has no such
// spelling.
inline bool append_mangled(std::string& text, PyObject* property) {
  PyObject* const name = property_name(property);
  if (!is_public(property)) {
    if (PyLong_CheckExact(name)) return false;  // a property with an int name is public
    text += '\0';
    if (has_visibility(property, "protected")) {
      text += '*';
    } else if (!has_visibility(property, "private") ||
               !append_utf8(text, classes.property.field(property, Classes::kDeclaredIn))) {
      return false;
    }
    text += '\0';
  }
  if (PyUnicode_CheckExact(name)) return append_utf8(text, name);
  if (PyBytes_CheckExact(name)) {
    text.append(PyBytes_AS_STRING(name), static_cast<std::size_t>(PyBytes_GET_SIZE(name)));
    return true;
  }
  int overflow = 0;
  if (!PyLong_CheckExact(name)) return false;
  char digits[kDigits];
  char* const end = put_digits(digits, PyLong_AsLongLongAndOverflow(name, &overflow));
  text.append(digits, end);
  return overflow == 0;
}

// Whether no two properties have the same name in PHP. Names with different 64-bit hashes need no second look.
inline bool have_distinct_names(PyObject* properties) try {
  const Py_ssize_t count = PyTuple_GET_SIZE(properties);
  std::uint64_t met = 0;
  bool are_distinct = true;
  for (Py_ssize_t index = 0; index < count && are_distinct; ++index) {
    PyObject* const name = property_name(PyTuple_GET_ITEM(properties, index));
    // A name that begins with NUL may spell another property's name and visibility.
    are_distinct = PyUnicode_CheckExact(name) && PyUnicode_GET_LENGTH(name) > 0 && PyUnicode_READ_CHAR(name, 0) != 0;
    if (!are_distinct) break;
    const std::uint64_t bit = std::uint64_t{1} << (static_cast<std::uint64_t>(PyObject_Hash(name)) & 63);
    are_distinct = (met & bit) == 0;
    met |= bit;
  }
  if (are_distinct) return true;
  std::vector<std::string> names(static_cast<std::size_t>(count));
  for (Py_ssize_t index = 0; index < count; ++index) {
    if (!append_mangled(names[static_cast<std::size_t>(index)], PyTuple_GET_ITEM(properties, index))) return false;
  }
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) == names.end();
} catch (const std::bad_alloc&) {
  return false;
}

// The slots that values of PHP's domain take in `serialize`, by which repeated objects are referred to.
class SlotsTaken {
 public:
  // Every value takes one, from 1.
  void take() { ++taken_; }

  // The slot of an object that was met before; 0 if it is new, and has the slot just taken; -1 without memory.
  Py_ssize_t met(PyObject* object) { return met(&Known::objects, object); }

  // The same for a case of an enum: one object in PHP, however often it is made here.
  Py_ssize_t met(const std::string& enum_case) { return met(&Known::cases, enum_case); }

 private:
  struct Known {
    std::unordered_map<PyObject*, Py_ssize_t> objects;
    std::map<std::string, Py_ssize_t> cases;  // ordered: names with the same std::hash are easily made
  };

  template <class Slots, class Key>
  Py_ssize_t met(Slots Known::*slots, const Key& key) try {
    if (!known_) known_ = std::make_unique<Known>();
    const auto [found, is_new] = ((*known_).*slots).try_emplace(key, taken_);
    return is_new ? 0 : found->second;
  } catch (const std::bad_alloc&) {
    return -1;
  }

  Py_ssize_t taken_ = 0;
  std::unique_ptr<Known> known_;  // made for the first object: most documents have none
};

}  // namespace envelope
