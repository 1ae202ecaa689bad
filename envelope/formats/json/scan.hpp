// Finds what orjson wrongly accepts in the tree that it made and, if in doubt, in the document's bytes.
#pragma once

#include <Python.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace envelope {

constexpr double kIntBeyond = 9223372036854775808.0;  // 2^63

// Twin: json.read._needs_scan. False if a value that orjson read is too deep; else `large` says whether it has a
// number that may have been an integer beyond 64 bits. It goes no deeper than orjson does.
inline bool is_within(PyObject* value, Py_ssize_t depth_left, bool* large) {
  if (PyUnicode_CheckExact(value)) return true;
  if (PyFloat_CheckExact(value)) {
    const double number = PyFloat_AS_DOUBLE(value);
    *large |= !(-kIntBeyond < number && number < kIntBeyond);
  } else if (PyLong_CheckExact(value)) {
    int overflow;
    PyLong_AsLongLongAndOverflow(value, &overflow);
    *large |= overflow != 0;
  } else if (PyDict_CheckExact(value)) {
    Py_ssize_t place = 0;
    PyObject* child;
    bool within = depth_left > 0;
    while (within && PyDict_Next(value, &place, nullptr, &child)) within = is_within(child, depth_left - 1, large);
    return within;
  } else if (PyList_CheckExact(value)) {
    bool within = depth_left > 0;
    for (Py_ssize_t index = 0; within && index < PyList_GET_SIZE(value); ++index) {
      within = is_within(PyList_GET_ITEM(value, index), depth_left - 1, large);
    }
    return within;
  }
  return true;
}

// An upper bound of a document's items: its commas and containers, also those inside strings.
inline Py_ssize_t most_items(const char* bytes, Py_ssize_t size) {
  Py_ssize_t count = 0;
  for (Py_ssize_t at = 0; at < size; ++at) {
    count += (bytes[at] == ',') + (bytes[at] == '[') + (bytes[at] == '{');
  }
  return count;
}

// What JsonScanner checks, for a document that orjson accepts: all of it, also repeated members. For any other, only
// what precedes its first fault.
struct JsonBounds {
  Py_ssize_t items = 0;  // the root is not counted
  Py_ssize_t depth = 0;
  bool exact = true;  // every integer fits 64 bits
};

inline const char* skip_string(const char* at, const char* end) {
  while (++at < end && *at != '"') at += *at == '\\';
  return at + 1;
}

inline bool is_space(char byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

// Whether all of a number's bytes make an int64; else the number is a float, or beyond 64 bits.
inline const char* skip_number(const char* at, const char* end, JsonBounds* bounds) {
  std::int64_t number;
  const auto [stop, error] = std::from_chars(at, end, number);
  const char* last = stop;
  while (last < end && ((*last >= '0' && *last <= '9') || *last == '.' || *last == 'e' || *last == 'E' ||
                        *last == '+' || *last == '-')) {
    ++last;
  }
  if (last == stop && error == std::errc::result_out_of_range) bounds->exact = false;
  return last > at ? last : at + 1;
}

inline JsonBounds json_bounds(const char* at, const char* end) {
  JsonBounds bounds;
  Py_ssize_t depth = 0;
  while (at < end) {
    if (*at == '"') {
      at = skip_string(at, end);
    } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
      at = skip_number(at, end, &bounds);
    } else if (*at == '[' || *at == '{') {
      const char closer = *at == '[' ? ']' : '}';
      bounds.depth = std::max(bounds.depth, ++depth);
      do {
        ++at;
      } while (at < end && is_space(*at));
      bounds.items += at < end && *at != closer;
    } else {
      bounds.items += *at == ',';
      depth -= *at == ']' || *at == '}';
      ++at;
    }
  }
  return bounds;
}

}  // namespace envelope
