// The scalars of the typed dialect. nullptr stands for all that is none, or beyond 64 bits.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>

#include "xml_head.hpp"

namespace envelope::xml {

// As _read_bool: true | false
inline const char* read_bool(const char* at, const char* end, int* truth) {
  const char* after = behind(at, end, "true");
  *truth = after != nullptr;
  return after != nullptr ? after : behind(at, end, "false");
}

inline bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

// The place behind [0-9]+
inline const char* behind_digits(const char* at) {
  if (!is_digit(*at)) return nullptr;
  while (is_digit(*at)) ++at;
  return at;
}

// The place behind 0 | [1-9][0-9]*
inline const char* behind_whole(const char* at) { return *at == '0' ? at + 1 : behind_digits(at); }

// As _INT: 0 | -?[1-9][0-9]*
inline const char* read_int(const char* at, std::int64_t* number) {
  if (*at == '-' && at[1] == '0') return nullptr;
  const char* const end = behind_whole(at + (*at == '-'));
  if (end == nullptr) return nullptr;
  return std::from_chars(at, end, *number).ec == std::errc{} ? end : nullptr;
}

// As _FLOAT: -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
inline const char* read_float(const char* at, double* number) {
  const char* end = behind_whole(at + (*at == '-'));
  if (end != nullptr && *end == '.') end = behind_digits(end + 1);
  if (end != nullptr && (*end | 0x20) == 'e') end = behind_digits(end + 1 + (end[1] == '+' || end[1] == '-'));
  if (end == nullptr) return nullptr;
  return std::from_chars(at, end, *number).ec == std::errc{} && std::isfinite(*number) ? end : nullptr;
}

}  // namespace envelope::xml
