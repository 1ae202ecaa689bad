// UTF-8 to str, if XML can hold every character of it.
#pragma once

#include <Python.h>

#include "native/decoded.hpp"
#include "native/utf8.hpp"

namespace envelope::xml {

// The count and range of a UTF-8 text's characters.
struct Measure {
  Py_ssize_t count = 0;
  Py_UCS4 greatest = 0x7F;  // or an upper bound that gives the same str width
};

// Measures `size` bytes, after which one more can be read that is not a continuation; false if they are not UTF-8, or
// hold U+FFFE or U+FFFF.
inline bool measure(const char* bytes, Py_ssize_t size, Measure* found) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes);
  const auto* const end = at + size;
  Py_UCS4 seen = 0;
  for (; at < end; ++found->count) {
    const Py_UCS4 lead = at[0];
    if (lead < 0x80) {
      at += 1;
    } else if ((lead & 0xF0) == 0xE0) {
      if (!is_continuation(at[1]) || !is_continuation(at[2])) return false;
      const Py_UCS4 code = (lead & 0x0F) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
      if (code < 0x800 || (code & 0xF800) == 0xD800 || code >= 0xFFFE) return false;
      seen |= code;
      at += 3;
    } else if ((lead & 0xE0) == 0xC0) {
      if (lead < 0xC2 || !is_continuation(at[1])) return false;
      seen |= (lead & 0x1F) << 6 | (at[1] & 0x3Fu);
      at += 2;
    } else {
      if ((lead & 0xF8) != 0xF0 || !is_continuation(at[1]) || !is_continuation(at[2]) || !is_continuation(at[3])) {
        return false;
      }
      const Py_UCS4 code = (lead & 0x07) << 18 | (at[1] & 0x3Fu) << 12 | (at[2] & 0x3Fu) << 6 | (at[3] & 0x3Fu);
      if (code < 0x10000 || code > 0x10FFFF) return false;
      seen |= 0x10000;
      at += 4;
    }
  }
  found->greatest = seen >= 0x10000 ? 0x10FFFF : seen >= 0x100 ? 0xFFFF : seen >= 0x80 ? 0xFF : 0x7F;
  return true;
}

// Decodes `count` characters of valid UTF-8.
template <class Unit>
inline void decode(const char* bytes, Unit* out, Py_ssize_t count) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes);
  for (Unit* const end = out + count; out < end; ++out) {
    const Py_UCS4 lead = at[0];
    if (lead < 0x80) {
      *out = static_cast<Unit>(lead);
      at += 1;
    } else if (lead < 0xE0) {
      *out = static_cast<Unit>((lead & 0x1F) << 6 | (at[1] & 0x3Fu));
      at += 2;
    } else if (lead < 0xF0) {
      *out = static_cast<Unit>((lead & 0x0F) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu));
      at += 3;
    } else {
      *out = static_cast<Unit>((lead & 0x07) << 18 | (at[1] & 0x3Fu) << 12 | (at[2] & 0x3Fu) << 6 | (at[3] & 0x3Fu));
      at += 4;
    }
  }
}

// A new str of UTF-8; nullptr if XML cannot hold it, or memory runs out.
inline PyObject* wide_str(const char* bytes, Py_ssize_t size) {
  Measure found;
  if (!measure(bytes, size, &found)) return nullptr;
  if (found.greatest == 0x7F) return ascii_text(bytes, size);
  PyObject* const text = PyUnicode_New(found.count, found.greatest);
  if (text == nullptr) return nullptr;
  switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND:
      decode(bytes, PyUnicode_1BYTE_DATA(text), found.count);
      break;
    case PyUnicode_2BYTE_KIND:
      decode(bytes, PyUnicode_2BYTE_DATA(text), found.count);
      break;
    default:
      decode(bytes, PyUnicode_4BYTE_DATA(text), found.count);
  }
  return text;
}

}  // namespace envelope::xml
