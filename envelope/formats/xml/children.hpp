// The children of the plain dialect's open elements: whether they are a list or a map is only known after the last.
#pragma once

#include <Python.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "native/key_cache.hpp"

namespace envelope::xml {

struct Child {
  PyObject* name;   // owned; nullptr for an item without a key
  PyObject* value;  // owned; nullptr until it is read
};

// Twin: xml.rules.plain_container, if a name repeats. A map of the lists of values, but of a list of one its value. A
// new reference; nullptr if memory runs out.
inline PyObject* map_of_repeated(const Child* first, const Child* end, PyObject* item) {
  PyObject* map = PyDict_New();
  bool failed = map == nullptr;
  for (const Child* child = first; child < end && !failed; ++child) {
    PyObject* const name = child->name != nullptr ? child->name : item;
    PyObject* found = PyDict_GetItemWithError(map, name);
    if (found == nullptr && (found = PyList_New(0)) != nullptr) {
      failed = PyDict_SetItem(map, name, found) != 0;
      Py_DECREF(found);  // now the map's, if it took it
    }
    failed = failed || found == nullptr || PyList_Append(found, child->value) != 0;
  }
  Py_ssize_t place = 0;
  PyObject* name = nullptr;
  PyObject* found = nullptr;
  while (!failed && PyDict_Next(map, &place, &name, &found)) {
    if (PyList_GET_SIZE(found) == 1) failed = PyDict_SetItem(map, name, PyList_GET_ITEM(found, 0)) != 0;
  }
  if (failed) Py_CLEAR(map);
  return map;
}

// Twin: xml.rules.plain_container, of children that are not all items. A new reference; nullptr if memory runs out.
inline PyObject* map_of(const Child* first, const Child* end) {
  PyObject* const item = key_cache.key("item", 4);
  PyObject* map = PyDict_New();
  bool failed = item == nullptr || map == nullptr;
  for (const Child* child = first; child < end && !failed; ++child) {
    failed = PyDict_SetItem(map, child->name != nullptr ? child->name : item, child->value) != 0;
  }
  if (failed) {
    Py_CLEAR(map);
  } else if (PyDict_Size(map) < end - first) {
    Py_SETREF(map, map_of_repeated(first, end, item));
  }
  Py_XDECREF(item);
  return map;
}

// Owns all that is read. False: memory ran out, drop the work.
class Children {
 public:
  Children() = default;
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  ~Children() {
    drop(0);
    if (children_ != near_) std::free(children_);
  }

  Py_ssize_t count() const { return count_; }

  // Opens a child, and takes over its name.
  bool open(PyObject* name) {
    if (count_ == room_ && !grow()) {
      Py_XDECREF(name);
      return false;
    }
    children_[count_++] = {name, nullptr};
    return true;
  }

  // Takes over the value of the last opened child.
  void put(PyObject* value) { children_[count_ - 1].value = value; }

  // The children from `first` on become the value of the child before them.
  bool close(Py_ssize_t first) {
    Child* const child = children_ + first;
    Child* const end = children_ + count_;
    const bool is_list = std::all_of(child, end, [](const Child& one) { return one.name == nullptr; });
    PyObject* const value = is_list ? list_of(child, end) : map_of(child, end);
    drop(first);
    put(value);
    return value != nullptr;
  }

  // The value of the outermost; a new reference.
  PyObject* root() const { return Py_NewRef(children_[0].value); }

 private:
  // A list of their values, which the children no longer own; nullptr if memory runs out.
  static PyObject* list_of(Child* first, Child* end) {
    PyObject* const list = PyList_New(end - first);
    if (list == nullptr) return nullptr;
    for (Py_ssize_t index = 0; index < end - first; ++index) {
      PyList_SET_ITEM(list, index, first[index].value);
      first[index].value = nullptr;
    }
    return list;
  }

  void drop(Py_ssize_t first) {
    while (count_ > first) {
      const Child& child = children_[--count_];
      Py_XDECREF(child.name);
      Py_XDECREF(child.value);
    }
  }

  bool grow() {
    const std::size_t bytes = static_cast<std::size_t>(room_) * sizeof(Child);
    void* const more = children_ == near_ ? std::malloc(2 * bytes) : std::realloc(children_, 2 * bytes);
    if (more == nullptr) return false;
    if (children_ == near_) std::memcpy(more, near_, bytes);
    children_ = static_cast<Child*>(more);
    room_ *= 2;
    return true;
  }

  static constexpr Py_ssize_t kNear = 64;
  Child near_[kNear];
  Child* children_ = near_;
  Py_ssize_t count_ = 0;
  Py_ssize_t room_ = kNear;
};

}  // namespace envelope::xml
