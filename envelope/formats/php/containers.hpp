// The containers being read, outermost first; each is a list until a key shows that it is a map.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "native/key_cache.hpp"
#include "native/number.hpp"
#include "php/instances.hpp"

namespace envelope {

// kStdObject: an stdClass, whose integer keys are text. kObject: of any other class.
enum class Kind : char { kList, kMap, kStdObject, kObject };

struct Open {
  PyObject* map;     // owned; nullptr while it is a list, whose members are the last of the values
  PyObject* key;     // owned; of the member being read into a map
  PyObject* shell;   // owned; the PhpObject whose properties the map holds; nullptr if the map is the value
  Py_ssize_t first;  // where a list's members begin among the values
  Py_ssize_t left;   // how many members are to come; if that is not declared, it starts at 0 and means nothing
  Kind kind;
};

// Owns all that is read, until closing the outermost hands it over. False or nullptr: drop the work.
class Containers {
 public:
  // Deeper documents are left to the Python reader.
  static constexpr Py_ssize_t kDeepest = 256;

  Containers() = default;
  Containers(const Containers&) = delete;
  Containers& operator=(const Containers&) = delete;

  ~Containers() {
    for (Py_ssize_t index = 0; index < depth_; ++index) {
      Py_XDECREF(open_[index].map);
      Py_XDECREF(open_[index].key);
      Py_XDECREF(open_[index].shell);
    }
    for (Py_ssize_t index = 0; index < count_; ++index) Py_DECREF(values_[index]);
    if (values_ != near_) std::free(values_);
    Py_XDECREF(mangled_);
  }

  bool php = false;          // the value domain
  bool unique_keys = false;  // whether `put` refuses a key that the map already has
  Slots slots;

  Py_ssize_t depth() const { return depth_; }
  Open& top() { return open_[depth_ - 1]; }

  // Opens an array with `left` members to come.
  bool open_array(Py_ssize_t left) { return push({nullptr, nullptr, nullptr, count_, left, Kind::kList}); }

  // Opens an stdClass that is read as a map: it is never a list.
  bool open_std_map(Py_ssize_t left) {
    PyObject* map = new_map(left);
    return map && push({map, nullptr, nullptr, count_, left, Kind::kStdObject});
  }

  // Opens an object of this class, whose name (nullptr if memory ran out) is taken over; returns it, borrowed.
  PyObject* open_object(PyObject* class_name, Py_ssize_t left) {
    if (!class_name) return nullptr;
    const Kind kind = PyUnicode_CompareWithASCIIString(class_name, "stdClass") ? Kind::kObject : Kind::kStdObject;
    PyObject* shell = new_shell(class_name);
    PyObject* map = shell ? new_map(left) : nullptr;
    if (!map) {
      Py_XDECREF(shell);
      return nullptr;
    }
    return push({map, nullptr, shell, count_, left, kind}) ? shell : nullptr;
  }

  // Sets the next member's key to an integer.
  bool name(std::int64_t key) {
    Open& open = top();
    if (open.kind == Kind::kList) {
      const Py_ssize_t size = count_ - open.first;
      if (key == size) return true;
      if ((key >= 0 && key < size) || !become_map(open)) {  // a repeated key would replace a member
        return false;
      }
    }
    open.key = int_key(key, php && open.kind != Kind::kStdObject);
    return open.key != nullptr;
  }

  // Sets the next member's key to these bytes.
  bool name(const char* bytes, Py_ssize_t size) {
    Open& open = top();
    std::int64_t number;
    if (open.kind < Kind::kStdObject && canonical_int(bytes, size, &number)) return name(number);
    if (open.kind == Kind::kList && !become_map(open)) return false;
    open.key = key_cache.key(bytes, size);
    if (!open.key && php && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
      PyErr_Clear();
      open.key = PyBytes_FromStringAndSize(bytes, size);
    }
    return open.key != nullptr;
  }

  // Whether it is an object, whose names are not array keys.
  bool in_object() const { return open_[depth_ - 1].kind >= Kind::kStdObject; }

  // Whether it is an object of a class other than stdClass.
  bool in_class() const { return open_[depth_ - 1].kind == Kind::kObject; }

  // Whether it is still a list, and how many members that has.
  bool in_list() const { return open_[depth_ - 1].kind == Kind::kList; }
  Py_ssize_t list_size() const { return count_ - open_[depth_ - 1].first; }

  // Takes over `value`, the member that `name` announced.
  bool put(PyObject* value) {
    Open& open = top();
    --open.left;
    if (open.kind == Kind::kList) return push_value(value);
    const Py_ssize_t size = unique_keys ? PyDict_GET_SIZE(open.map) : -1;
    const int failed = PyDict_SetItem(open.map, open.key, value);
    Py_DECREF(open.key);
    open.key = nullptr;
    Py_DECREF(value);
    return !failed && PyDict_GET_SIZE(open.map) > size;
  }

  // Ends the innermost container and returns it; a new reference.
  PyObject* close() {
    Open& open = top();
    PyObject* value = open.map;
    if (open.kind == Kind::kList) {
      const Py_ssize_t size = count_ - open.first;
      value = PyList_New(size);
      if (!value) return nullptr;
      for (Py_ssize_t index = 0; index < size; ++index) PyList_SET_ITEM(value, index, values_[open.first + index]);
      count_ = open.first;
    } else if (open.shell) {
      if (!fill_shell(open.shell, open.map, mangled_)) return nullptr;
      Py_DECREF(open.map);
      value = open.shell;
    }
    --depth_;
    return value;
  }

 private:
  bool push(const Open& open) {
    if (depth_ == kDeepest) {
      Py_XDECREF(open.map);
      Py_XDECREF(open.shell);
      return false;
    }
    open_[depth_++] = open;
    return true;
  }

  bool push_value(PyObject* value) {
    if (count_ == room_ && !grow()) {
      Py_DECREF(value);
      return false;
    }
    values_[count_++] = value;
    return true;
  }

  bool grow() {
    const std::size_t bytes = static_cast<std::size_t>(room_) * sizeof(PyObject*);
    void* more = values_ == near_ ? std::malloc(2 * bytes) : std::realloc(values_, 2 * bytes);
    if (!more) return false;
    if (values_ == near_) std::memcpy(more, near_, bytes);
    values_ = static_cast<PyObject**>(more);
    room_ *= 2;
    return true;
  }

  // Makes a list a map, whose keys are the indexes so far.
  bool become_map(Open& open) {
    open.map = new_map(open.left);
    if (!open.map) return false;
    open.kind = Kind::kMap;
    int failed = 0;
    for (Py_ssize_t index = open.first; index < count_ && !failed; ++index) {
      PyObject* key = int_key(index - open.first, php);
      failed = key ? PyDict_SetItem(open.map, key, values_[index]) : -1;
      Py_XDECREF(key);
    }
    while (count_ > open.first) Py_DECREF(values_[--count_]);
    return !failed;
  }

  // A dict that need not grow for `size` members; from CPython 3.13 on there is no way to ask for one.
  static PyObject* new_map(Py_ssize_t size) {
#if PY_VERSION_HEX < 0x030D0000
    return size > 0 ? _PyDict_NewPresized(size) : PyDict_New();
#else
    static_cast<void>(size);
    return PyDict_New();
#endif
  }

  // An integer key: itself in PHP's arrays, else its decimal.
  static PyObject* int_key(std::int64_t key, bool as_int) {
    if (as_int) return PyLong_FromLongLong(key);
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, key).ptr;
    return key_cache.key(digits, end - digits);
  }

  Py_ssize_t depth_ = 0, count_ = 0, room_ = kNear;
  static constexpr Py_ssize_t kNear = 64;
  PyObject* near_[kNear];
  PyObject** values_ = near_;
  PyObject* mangled_ = nullptr;  // owned; what new_property keeps
  Open open_[kDeepest];
};

}  // namespace envelope
