// Bytes to str: ASCII is copied, short text of two- and three-byte UTF-8 is decoded here, all else by Python.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstdint>

#include "native/text.hpp"
#include "native/words.hpp"

namespace envelope {

// Whether no byte is beyond ASCII; eight at a time, the last eight overlapping those before.
inline bool is_ascii(const char* bytes, Py_ssize_t size) {
  std::uint64_t seen = 0;
  if (size >= 8) {
    for (Py_ssize_t at = 0; at + 8 < size; at += 8) seen |= word_at(bytes + at);
    return !((seen | word_at(bytes + size - 8)) & kHighBits);
  }
  for (Py_ssize_t at = 0; at < size; ++at) seen |= static_cast<unsigned char>(bytes[at]);
  return !(seen & 0x80);
}

// A new str of ASCII bytes; nullptr with an exception if memory runs out.
inline PyObject* ascii_text(const char* bytes, Py_ssize_t size) {
  PyObject* text = PyUnicode_New(size, 0x7F);
  if (text) copy_text(reinterpret_cast<char*>(PyUnicode_1BYTE_DATA(text)), bytes, static_cast<std::size_t>(size));
  return text;
}

// Decodes UTF-8 of up to three bytes a character; returns how many characters, -1 at anything else.
inline Py_ssize_t decode_short(const char* bytes, Py_ssize_t size, Py_UCS2* out) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes);
  const auto* const end = at + size;
  Py_UCS2* const begin = out;
  while (at < end) {
    const unsigned lead = at[0];
    if (lead < 0x80) {
      *out++ = static_cast<Py_UCS2>(lead);
      at += 1;
    } else if ((lead & 0xF0) == 0xE0) {
      if (end - at < 3 || (at[1] & 0xC0) != 0x80 || (at[2] & 0xC0) != 0x80) return -1;
      const unsigned unit = (lead & 0x0F) << 12 | (at[1] & 0x3F) << 6 | (at[2] & 0x3F);
      if (unit < 0x800 || (unit & 0xF800) == 0xD800) {  // overlong, or a surrogate
        return -1;
      }
      *out++ = static_cast<Py_UCS2>(unit);
      at += 3;
    } else if ((lead & 0xE0) == 0xC0) {
      if (end - at < 2 || (at[1] & 0xC0) != 0x80 || lead < 0xC2) return -1;
      *out++ = static_cast<Py_UCS2>((lead & 0x1F) << 6 | (at[1] & 0x3F));
      at += 2;
    } else {
      return -1;
    }
  }
  return out - begin;
}

// A new str of UTF-8 beyond ASCII; not inlined, because its buffer is large and most text is ASCII.
[[gnu::noinline]] inline PyObject* wide_text(const char* bytes, Py_ssize_t size) {
  constexpr Py_ssize_t kShort = 4096;
  if (size <= kShort) {
    Py_UCS2 units[kShort];
    const Py_ssize_t count = decode_short(bytes, size, units);
    if (count >= 0) return PyUnicode_FromKindAndData(PyUnicode_2BYTE_KIND, units, count);
  }
  return PyUnicode_DecodeUTF8(bytes, size, nullptr);
}

// A new str of UTF-8; nullptr with an exception if it is not UTF-8.
inline PyObject* text(const char* bytes, Py_ssize_t size) {
  return is_ascii(bytes, size) ? ascii_text(bytes, size) : wide_text(bytes, size);
}

// Twin: values.php_rules.text_or_bytes. A new str of UTF-8, else bytes; nullptr with an exception if memory runs out.
inline PyObject* text_or_bytes(const char* bytes, Py_ssize_t size) {
  PyObject* value = text(bytes, size);
  if (!value && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) {
    PyErr_Clear();
    value = PyBytes_FromStringAndSize(bytes, size);
  }
  return value;
}

}  // namespace envelope
