// Keys of maps: the same few short names are in every record, so each is made once and found by its bytes.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/decoded.hpp"
#include "native/hash.hpp"

namespace envelope {

constexpr Py_ssize_t kLongestCached = 64;

// The last key that had each hash. Its slots are read and written under the GIL, and no Python code runs between;
// without a GIL nothing is cached.
class KeyCache {
 public:
  // A new reference to the str of `bytes`; nullptr with an exception if they are not UTF-8.
  PyObject* key(const char* bytes, Py_ssize_t size) {
#ifndef Py_GIL_DISABLED
    if (size <= kLongestCached) {
      PyObject*& slot = slots_[hash_bytes(bytes, size) % kSlots];
      if (!slot || PyUnicode_GET_LENGTH(slot) != size ||
          std::memcmp(PyUnicode_1BYTE_DATA(slot), bytes, static_cast<std::size_t>(size)) != 0) {
        return make(bytes, size, slot);
      }
      Py_INCREF(slot);
      return slot;
    }
#endif
    return long_text(bytes, size);
  }

 private:
  [[gnu::noinline]] static PyObject* long_text(const char* bytes, Py_ssize_t size) { return text(bytes, size); }

#ifndef Py_GIL_DISABLED
  // Only ASCII is kept, because it is UTF-8 as it is.
  [[gnu::noinline]] static PyObject* make(const char* bytes, Py_ssize_t size, PyObject*& slot) {
    PyObject* made = text(bytes, size);
    if (made && PyUnicode_IS_ASCII(made)) {
      PyObject* evicted = slot;
      Py_INCREF(made);
      slot = made;
      Py_XDECREF(evicted);
    }
    return made;
  }

  static constexpr std::uint64_t kSlots = 2048;
  PyObject* slots_[kSlots] = {};
#endif
};

inline KeyCache key_cache;

}  // namespace envelope
