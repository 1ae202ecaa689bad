// The layout of var_export: what stands between its values.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "behind.hpp"
#include "objects.hpp"

namespace envelope {

// Whether `size` spaces stand here; eight at a time, and the last few as the head of a word.
inline bool is_indent(const char* at, const char* end, Py_ssize_t size) {
  constexpr std::uint64_t kSpaces = 0x2020202020202020;
  if (end - at < size) return false;
  for (std::uint64_t word; size >= 8; size -= 8, at += 8) {
    std::memcpy(&word, at, 8);
    if (word != kSpaces) return false;
  }
  return std::memcmp(at, "        ", static_cast<std::size_t>(size)) == 0;
}

inline const char* behind_arrow(const char* at, const char* end) { return behind(at, end, " => "); }

inline const char* behind_comma(const char* at, const char* end) { return behind(at, end, ",\n"); }

inline const char* behind_array(const char* at, const char* end) { return behind(at, end, "array (\n"); }

inline const char* behind_object(const char* at, const char* end) { return behind(at, end, "(object) array(\n"); }

inline const char* behind_set_state(const char* at, const char* end) { return behind(at, end, "__set_state(array(\n"); }

// The end of what may be the name of a case.
inline const char* name_end(const char* at) {
  while (is_name_byte(static_cast<unsigned char>(*at))) ++at;
  return at;
}

// The end of what may be the name of a class.
inline const char* class_end(const char* at) {
  at = name_end(at);
  while (*at == '\\') at = name_end(at + 1);
  return at;
}

}  // namespace envelope
