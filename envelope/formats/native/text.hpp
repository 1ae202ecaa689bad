// The text of Python strings as UTF-8, without leaving a copy of it in the string (as PyUnicode_AsUTF8AndSize would).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "native/buffer.hpp"
#include "native/digits.hpp"

namespace envelope {

// The UTF-8 of `text` if Python has it at hand: for ASCII, and for text whose UTF-8 was asked for before (orjson does
// when it writes); else null.
inline const char* ready_utf8(PyObject* text, std::size_t& size) {
  if (PyUnicode_IS_ASCII(text)) {
    size = static_cast<std::size_t>(PyUnicode_GET_LENGTH(text));
    return reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(text));
  }
  const auto* head = reinterpret_cast<const PyCompactUnicodeObject*>(text);
  size = static_cast<std::size_t>(head->utf8_length);
  return head->utf8;
}

// Calls `act(units, count)` with the characters of `text`, in the width that Python keeps them in; false for a str that
// Python has not laid out yet (3.11 still has such).
template <class Act>
inline bool with_units(PyObject* text, Act act) {
  const auto count = static_cast<std::size_t>(PyUnicode_GET_LENGTH(text));
  switch (PyUnicode_KIND(text)) {
    case PyUnicode_1BYTE_KIND:
      return act(PyUnicode_1BYTE_DATA(text), count);
    case PyUnicode_2BYTE_KIND:
      return act(PyUnicode_2BYTE_DATA(text), count);
    case PyUnicode_4BYTE_KIND:
      return act(PyUnicode_4BYTE_DATA(text), count);
    default:
      return false;
  }
}

// Like memcpy, but without a call for short texts: two moves that may overlap.
inline void copy_text(char* at, const void* text, std::size_t size) {
  const char* from = static_cast<const char*>(text);
  if (size > 32) {
    std::memcpy(at, from, size);
  } else if (size >= 16) {
    std::memcpy(at, from, 16);
    std::memcpy(at + size - 16, from + size - 16, 16);
  } else if (size >= 8) {
    std::memcpy(at, from, 8);
    std::memcpy(at + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(at, from, 4);
    std::memcpy(at + size - 4, from + size - 4, 4);
  } else {
    for (std::size_t index = 0; index < size; ++index) at[index] = from[index];
  }
}

// The most bytes that one character of this width takes in UTF-8.
template <class Unit>
constexpr std::size_t kWidest = sizeof(Unit) == 1 ? 2 : sizeof(Unit) == 2 ? 3 : 4;

// Writes one character. The caller must refuse surrogates.
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

// How many bytes `units` take in UTF-8; -1 if a lone surrogate is among them. Counted in blocks, so that the count fits
// the characters' own width, because then the compiler can count many at a time.
template <class Unit>
inline Py_ssize_t utf8_size(const Unit* units, std::size_t count) {
  constexpr std::size_t kBlock = sizeof(Unit) == 1 ? 240 : 8192;
  std::size_t size = count;
  Unit refused = 0;
  for (const Unit* end = units + count; units < end;) {
    const Unit* stop = static_cast<std::size_t>(end - units) > kBlock ? units + kBlock : end;
    Unit more = 0;
    for (; units < stop; ++units) {
      more = static_cast<Unit>(more + (*units >= 0x80));
      if constexpr (sizeof(Unit) > 1) more = static_cast<Unit>(more + (*units >= 0x800));
      if constexpr (sizeof(Unit) > 2) more = static_cast<Unit>(more + (*units >= 0x10000));
      refused = static_cast<Unit>(refused | is_surrogate(*units));
    }
    size += more;
  }
  return refused != 0 ? -1 : static_cast<Py_ssize_t>(size);
}

// Twin: values.php_rules.array_key. Whether a PHP array turns the key `text` into an integer, because it is a canonical
// decimal.
inline bool is_int_key(PyObject* text) {
  if (!PyUnicode_IS_ASCII(text)) return false;
  const Py_UCS1* digit = PyUnicode_1BYTE_DATA(text);
  if (*digit > '9') return false;  // as in nearly all keys
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

// Twin: values.php_rules.is_ambiguous. Whether the keys of `map` are 0 … n-1 in order, each an int or its decimal.
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
    char digits[kDigits];
    const auto count = put_digits(digits, index) - digits;
    if (!PyUnicode_IS_ASCII(key) || PyUnicode_GET_LENGTH(key) != count) return false;
    if (std::memcmp(PyUnicode_1BYTE_DATA(key), digits, static_cast<std::size_t>(count)) != 0) return false;
  }
  return true;
}

}  // namespace envelope
