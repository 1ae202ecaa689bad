// The str of an element's name: documents have few names and many elements, so each is made once.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "xml_utf8.hpp"

namespace envelope::xml {

inline std::uint64_t hash_name(const char* name, Py_ssize_t size) {
  std::uint64_t hash = 0xCBF29CE484222325 ^ static_cast<std::uint64_t>(size);
  const auto mix = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15;
    hash ^= hash >> 32;
  };
  std::uint64_t word = 0;
  for (; size >= 8; size -= 8, name += 8) {
    std::memcpy(&word, name, 8);
    mix(word);
  }
  word = 0;
  std::memcpy(&word, name, static_cast<std::size_t>(size));
  mix(word);
  return hash;
}

// The names met last, one for each value of the hash. The GIL is held, and no Python code runs within; without a GIL
// nothing is kept.
class Names {
 public:
  // A new reference to the str of a name in ASCII; nullptr where memory ends.
  PyObject* text(const char* name, Py_ssize_t size) {
#ifndef Py_GIL_DISABLED
    if (size <= kLongest) {
      PyObject*& kept = kept_[hash_name(name, size) % kCount];
      if (kept == nullptr || PyUnicode_GET_LENGTH(kept) != size ||
          std::memcmp(PyUnicode_DATA(kept), name, static_cast<std::size_t>(size)) != 0) {
        PyObject* const made = ascii_text(name, size);
        if (made == nullptr) return nullptr;
        Py_XSETREF(kept, made);
      }
      return Py_NewRef(kept);
    }
#endif
    return ascii_text(name, size);
  }

#ifndef Py_GIL_DISABLED
 private:
  static constexpr Py_ssize_t kLongest = 64;
  static constexpr std::size_t kCount = 1024;
  PyObject* kept_[kCount] = {};
#endif
};

inline Names names;

}  // namespace envelope::xml
