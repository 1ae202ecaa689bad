// Query strings and form bodies whose names are all plain, as most are.
#pragma once

#include <Python.h>

#include <cstring>

#include "native/buffer.hpp"
#include "native/decoded.hpp"
#include "native/key_cache.hpp"

namespace envelope {

inline bool is_name_start(unsigned char byte) {
  return (byte | 0x20u) - 'a' < 26 || byte == '_';
}

inline bool is_name_part(unsigned char byte) {
  return is_name_start(byte) || byte - unsigned{'0'} < 10 || byte == '-';
}

// The place after the plain name at `at`; nullptr if there is none.
inline const char* plain_name_end(const char* at, const char* end) {
  if (at == end || !is_name_start(static_cast<unsigned char>(*at))) return nullptr;
  if (end - at > 1 && at[0] == '_' && at[1] == '_') return nullptr;
  do ++at;
  while (at < end && is_name_part(static_cast<unsigned char>(*at)));
  return at;
}

// The value of a hexadecimal digit; -1 for any other byte.
inline int hex_digit(unsigned char byte) {
  if (byte - unsigned{'0'} < 10) return byte - '0';
  const unsigned letter = (byte | 0x20u) - 'a';
  return letter < 6 ? static_cast<int>(letter) + 10 : -1;
}

// Twin: calls.php_query._decoded. Writes the bytes that stand for `text` to `out`, which has as much room; returns
// their end.
inline char* unescape(const char* text, const char* end, char* out) {
  for (; text < end; ++text) {
    if (*text == '%' && end - text > 2) {
      const int high = hex_digit(static_cast<unsigned char>(text[1]));
      const int low = hex_digit(static_cast<unsigned char>(text[2]));
      if (high >= 0 && low >= 0) {
        *out++ = static_cast<char>(high << 4 | low);
        text += 2;
        continue;
      }
    }
    *out++ = *text == '+' ? ' ' : *text;
  }
  return out;
}

// The text (else the bytes) that `at` to `end` stands for; nullptr with an exception if memory runs out.
inline PyObject* query_value(const char* at, const char* end, Buffer& scratch) {
  const auto size = static_cast<std::size_t>(end - at);
  if (std::memchr(at, '%', size) == nullptr && std::memchr(at, '+', size) == nullptr) {
    return text_or_bytes(at, end - at);
  }
  char* const decoded = scratch.room(size);
  return decoded ? text_or_bytes(decoded, unescape(at, end, decoded) - decoded) : PyErr_NoMemory();
}

// Twin: calls.php_query._plain_params. The parameters by name; None if a name is not plain, there are more than `most`,
// or a byte is NUL.
inline PyObject* plain_params(PyObject* query, Py_ssize_t most) {
  const char* at = PyBytes_AS_STRING(query);
  const char* const end = at + PyBytes_GET_SIZE(query);
  if (most < 1 || std::memchr(at, '\0', static_cast<std::size_t>(end - at))) Py_RETURN_NONE;
  PyObject* params = PyDict_New();
  if (!params || at == end) return params;
  Buffer scratch;
  scratch.start(end - at);
  for (; most > 0; --most) {
    const char* const name_end = plain_name_end(at, end);
    if (!name_end || name_end == end || *name_end != '=') break;
    const char* const value = name_end + 1;
    const auto* next = static_cast<const char*>(std::memchr(value, '&', static_cast<std::size_t>(end - value)));
    const char* const value_end = next ? next : end;
    PyObject* const key = key_cache.key(at, name_end - at);
    PyObject* const text = key ? query_value(value, value_end, scratch) : nullptr;
    const bool is_put = text && PyDict_SetItem(params, key, text) == 0;
    Py_XDECREF(key);
    Py_XDECREF(text);
    if (!is_put) {
      Py_DECREF(params);
      return nullptr;
    }
    if (!next) return params;
    at = next + 1;
  }
  Py_DECREF(params);
  Py_RETURN_NONE;
}

}  // namespace envelope
