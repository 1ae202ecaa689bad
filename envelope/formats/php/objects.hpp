// PHP's objects and enums as envelope.values.php_types has them, made and inspected without a call into Python: their
// classes have slots, so that each field has a fixed place.
#pragma once

#include <Python.h>

#include <cstddef>
#include <initializer_list>
#include <structmember.h>

namespace envelope {

// A class with slots of envelope.values.php_types.
class Slotted {
 public:
  // The class of this `name` and the places of its fields; false with an exception if there is no such class.
  bool load(PyObject* module, const char* name, std::initializer_list<const char*> fields) {
    type_ = PyObject_GetAttrString(module, name);
    if (!type_) return false;
    count_ = 0;
    for (const char* field : fields) {
      PyObject* const descriptor = PyObject_GetAttrString(type_, field);
      if (!descriptor) return false;
      const bool is_member = Py_IS_TYPE(descriptor, &PyMemberDescr_Type);
      places_[count_++] = is_member ? reinterpret_cast<PyMemberDescrObject*>(descriptor)->d_member->offset : 0;
      Py_DECREF(descriptor);
      if (!is_member) {
        PyErr_SetString(PyExc_TypeError, "a field without a place");
        return false;
      }
    }
    return true;
  }

  bool has(PyObject* value) const { return Py_IS_TYPE(value, reinterpret_cast<PyTypeObject*>(type_)); }

  // Whether it is one with all its fields set: Python code can force others into being.
  bool is_whole(PyObject* value) const {
    bool whole = has(value);
    for (std::size_t index = 0; whole && index < count_; ++index) whole = field(value, index);
    return whole;
  }

  // A borrowed reference; nullptr if the field was never set.
  PyObject*& field(PyObject* self, std::size_t index) const {
    return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(self) + places_[index]);
  }

  // A new instance that owns `fields`, new references in the order of the fields; nullptr with an exception, and the
  // fields released, if one of them is nullptr or memory runs out.
  PyObject* make(std::initializer_list<PyObject*> fields) const {
    bool is_whole = true;
    for (PyObject* const value : fields) is_whole = is_whole && value;
    auto* const type = reinterpret_cast<PyTypeObject*>(type_);
    PyObject* const made = is_whole ? type->tp_alloc(type, 0) : nullptr;
    std::size_t index = 0;
    for (PyObject* const value : fields) {
      if (made) {
        field(made, index++) = value;
      } else {
        Py_XDECREF(value);
      }
    }
    return made;
  }

  PyObject* type() const { return type_; }

 private:
  static constexpr std::size_t kMostFields = 4;
  PyObject* type_ = nullptr;
  Py_ssize_t places_[kMostFields] = {};
  std::size_t count_ = 0;
};

// The classes, loaded before the first object is inspected: that imports, which may run any Python code.
struct Classes {
  enum ObjectField : std::size_t { kClassName, kProperties, kPayload };
  enum PropertyField : std::size_t { kName, kValue, kVisibility, kDeclaredIn };
  enum EnumField : std::size_t { kEnumClass, kCase };

  Slotted object, property, enum_case;
  PyObject* public_ = nullptr;
  PyObject* nowhere = nullptr;  // "": where a property that is not private is declared

  // False with an exception if envelope.values.php_types is not what it was when this was written.
  bool ready() { return is_ready_ || load(); }

 private:
  [[gnu::noinline]] bool load() {
    PyObject* const values = PyImport_ImportModule("envelope.values.php_types");
    if (!values) return false;
    is_ready_ = object.load(values, "PhpObject", {"class_name", "properties", "payload"}) &&
                property.load(values, "PhpProperty", {"name", "value", "visibility", "declared_in"}) &&
                enum_case.load(values, "PhpEnum", {"class_name", "case", "value"}) &&
                (public_ = PyUnicode_InternFromString("public")) && (nowhere = PyUnicode_InternFromString(""));
    Py_DECREF(values);
    return is_ready_;
  }

  bool is_ready_ = false;
};

inline Classes classes;

inline bool classes_are_ready() { return classes.ready(); }

inline bool is_name_byte(unsigned char byte) {
  const bool is_letter = static_cast<unsigned char>((byte | 0x20) - 'a') < 26;
  return is_letter || byte == '_' || byte >= 0x80 || (byte >= '0' && byte <= '9');
}

// Twin: values.php_rules.is_class_name, of UTF-8. Names of letters, digits, underscores and all that is not ASCII,
// joined by backslashes.
inline bool is_class_name(const char* bytes, Py_ssize_t size) {
  bool has_begun = false;
  for (Py_ssize_t at = 0; at < size; ++at) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    const bool is_name = is_name_byte(byte);
    if (!is_name && !(byte == '\\' && has_begun)) return false;
    has_begun = is_name;
  }
  return has_begun;
}

}  // namespace envelope
