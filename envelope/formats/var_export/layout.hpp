// The layout of var_export: what is between its values.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstring>

#include "native/words.hpp"
#include "php/objects.hpp"

namespace envelope {

// Whether `size` spaces, an even number, are here; eight at a time, and the last few in pairs.
inline bool is_indent(const char* at, const char* end, Py_ssize_t size) {
  if (end - at < size) return false;
  for (; size >= 8; size -= 8, at += 8) {
    if (std::memcmp(at, "        ", 8) != 0) return false;
  }
  for (; size > 0; size -= 2, at += 2) {
    if (std::memcmp(at, "  ", 2) != 0) return false;
  }
  return true;
}

inline const char* skip_arrow(const char* at, const char* end) { return skip(at, end, " => "); }

inline const char* skip_comma(const char* at, const char* end) { return skip(at, end, ",\n"); }

inline const char* skip_array(const char* at, const char* end) { return skip(at, end, "array (\n"); }

inline const char* skip_object(const char* at, const char* end) { return skip(at, end, "(object) array(\n"); }

inline const char* skip_set_state(const char* at, const char* end) { return skip(at, end, "__set_state(array(\n"); }

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
