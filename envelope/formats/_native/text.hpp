// The text of Python strings as UTF-8, without leaving a copy of it in the string (as PyUnicode_AsUTF8AndSize would).
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "buffer.hpp"

namespace envelope {

// Calls `act(units, count)` with the characters of `text`, in the width in which Python keeps them.
template <class Act>
inline auto with_units(PyObject* text, Act act) {
  const auto count = static_cast<std::size_t>(PyUnicode_GET_LENGTH(text));
  switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND:
      return act(PyUnicode_1BYTE_DATA(text), count);
    case PyUnicode_2BYTE_KIND:
      return act(PyUnicode_2BYTE_DATA(text), count);
    default:
      return act(PyUnicode_4BYTE_DATA(text), count);
  }
}

// The most bytes that one character of this width takes in UTF-8.
template <class Unit>
constexpr std::size_t kWidest = sizeof(Unit) == 1 ? 2 : sizeof(Unit) == 2 ? 3 : 4;

// Writes one character. Surrogates are the caller's affair.
template <class Unit>
inline char* put_utf8(char* at, Unit unit) {
  const std::uint32_t code = unit;
  if (code < 0x80) {
    *at++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *at++ = static_cast<char>(0xC0 | code >> 6);
    *at++ = static_cast<char>(0x80 | (code & 0x3F));
  } else if (sizeof(Unit) < 4 || code < 0x10000) {
    *at++ = static_cast<char>(0xE0 | code >> 12);
    *at++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *at++ = static_cast<char>(0x80 | (code & 0x3F));
  } else {
    *at++ = static_cast<char>(0xF0 | code >> 18);
    *at++ = static_cast<char>(0x80 | (code >> 12 & 0x3F));
    *at++ = static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *at++ = static_cast<char>(0x80 | (code & 0x3F));
  }
  return at;
}

template <class Unit>
inline bool is_surrogate(Unit unit) {
  return sizeof(Unit) > 1 && (std::uint32_t{unit} & ~std::uint32_t{0x7FF}) == 0xD800;
}

// How many bytes `units` take in UTF-8; -1 where a lone surrogate is among them.
template <class Unit>
inline Py_ssize_t utf8_size(const Unit* units, std::size_t count) {
  std::size_t more = 0;
  bool refused = false;
  for (std::size_t index = 0; index < count; ++index) {
    const Unit unit = units[index];
    more += (unit >= 0x80);
    if constexpr (sizeof(Unit) > 1) more += (unit >= 0x800);
    if constexpr (sizeof(Unit) > 2) more += (unit >= 0x10000);
    refused |= is_surrogate(unit);
  }
  return refused ? -1 : static_cast<Py_ssize_t>(count + more);
}

// As values.array_key: whether a PHP array turns the key `text` into an integer, which it is the canonical decimal of.
inline bool is_int_key(PyObject* text) {
  if (!PyUnicode_IS_ASCII(text)) return false;
  const Py_UCS1* digit = PyUnicode_1BYTE_DATA(text);
  const Py_UCS1* end = digit + PyUnicode_GET_LENGTH(text);
  const bool negative = *digit == '-';  // an empty str ends with a NUL, too
  digit += negative;
  const auto count = end - digit;
  if (count < 1 || count > 19 || (*digit == '0' && (count > 1 || negative))) return false;
  std::uint64_t number = 0;
  for (; digit < end; ++digit) {
    if (*digit < '0' || *digit > '9') return false;
    number = 10 * number + (*digit - '0');
  }
  return number <= static_cast<std::uint64_t>(INT64_MAX) + negative;
}

// As values.is_ambiguous: whether the keys of `map` are 0 … n-1 in order, each an int or its decimal.
inline bool is_ambiguous(PyObject* map) {
  Py_ssize_t place = 0;
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  for (Py_ssize_t index = 0; PyDict_Next(map, &place, &key, &value); ++index) {
    if (PyLong_CheckExact(key)) {
      int overflow = 0;
      if (PyLong_AsLongLongAndOverflow(key, &overflow) != index || overflow != 0) return false;
      continue;
    }
    if (!PyUnicode_CheckExact(key)) return false;
    char digits[20];
    const auto count = std::to_chars(digits, digits + sizeof digits, index).ptr - digits;
    if (!PyUnicode_IS_ASCII(key) || PyUnicode_GET_LENGTH(key) != count) return false;
    if (std::memcmp(PyUnicode_1BYTE_DATA(key), digits, static_cast<std::size_t>(count)) != 0) return false;
  }
  return true;
}

}  // namespace envelope
