// Numbers as the compiled readers take them: a subset of what php.numbers takes; nullptr for all else.
#pragma once

#include <Python.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "native/decimal.hpp"

namespace envelope {

inline bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

// -? digits, within 64 bits; returns the place after them. Digits that fit without a check are summed here.
inline const char* read_int(const char* at, const char* end, std::int64_t* number) {
  constexpr int kSureDigits = 18;
  const bool minus = *at == '-';
  const char* digit = at + minus;
  std::int64_t sum = 0;
  for (; is_digit(*digit); ++digit) {
    if (digit - at >= kSureDigits) {
      const auto [stop, error] = std::from_chars(at, end, *number);
      return error == std::errc{} ? stop : nullptr;
    }
    sum = sum * 10 + (*digit - '0');
  }
  *number = minus ? -sum : sum;
  return digit > at + minus ? digit : nullptr;
}

// 0 | [1-9] digits — a length or a count, no more than memory can hold; returns the place after it.
inline const char* read_length(const char* at, Py_ssize_t* length) {
  constexpr Py_ssize_t kMost = Py_ssize_t{1} << 48;
  if (!is_digit(*at)) return nullptr;
  *length = *at++ - '0';
  while (is_digit(*at) && *length > 0 && *length < kMost) {
    *length = *length * 10 + (*at++ - '0');
  }
  return at;  // still at a digit if it is not a length
}

// -? digits [. digits*] [(e|E) [+-]? digits], finite; returns the place after it.
inline const char* read_float(const char* at, const char* end, double* number) {
  if (!is_digit(at[*at == '-'])) {  // from_chars would take inf and nan
    return nullptr;
  }
  if (const char* const stop = read_decimal(at, end, number)) return stop;
  const auto [stop, error] = std::from_chars(at, end, *number);
  return error == std::errc{} && std::isfinite(*number) ? stop : nullptr;
}

// Twin: php.numbers.read_float, the part that only PHP's domain has: NAN | INF | -INF; returns the place after it.
inline const char* read_not_finite(const char* at, double* number) {
  const bool minus = *at == '-';
  if (!minus && at[0] == 'N' && at[1] == 'A' && at[2] == 'N') {
    *number = std::numeric_limits<double>::quiet_NaN();
    return at + 3;
  }
  at += minus;
  if (at[0] != 'I' || at[1] != 'N' || at[2] != 'F') return nullptr;
  *number = minus ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  return at + 3;
}

// Whether a float that ends at `stop` has no exponent, or one as PHP spells it, with `E` and a sign.
inline bool is_php_exponent(const char* point, const char* stop) {
  const char* exponent = point + 1;
  while (is_digit(*exponent)) ++exponent;
  return exponent == stop || (exponent[0] == 'E' && !is_digit(exponent[1]));
}

// Twin: var_export.read._NUMBER, the int or float: `-? (0 | [1-9] digits) (. digits (E [+-] digits)?)?` but -0, and
// PHP_INT_MIN as the difference that PHP prints; returns the place after it.
inline const char* read_literal(const char* at, const char* end, PyObject** value) {
  const char* const digits = at + (*at == '-');
  const char* point = digits;
  while (is_digit(*point)) ++point;
  if (point == digits || (*digits == '0' && point > digits + 1)) return nullptr;
  if (*point != '.') {
    std::int64_t number;
    if (read_int(at, end, &number) != point || (number == 0 && digits > at) || number == INT64_MIN) return nullptr;
    if (number == -INT64_MAX && point[0] == '-' && point[1] == '1') {
      number = INT64_MIN;
      point += 2;
    }
    *value = PyLong_FromLongLong(number);
    return point;
  }
  if (!is_digit(point[1])) return nullptr;
  double number;
  const char* stop = read_decimal(at, end, &number);
  if (!stop) {
    stop = read_float(at, end, &number);
    if (!stop || !is_php_exponent(point, stop)) return nullptr;
  }
  *value = PyFloat_FromDouble(number);
  return stop;
}

// Twin: values.php_rules.array_key. Whether `size` bytes are the canonical decimal of an int64, which a PHP array turns
// into an int.
inline bool canonical_int(const char* bytes, Py_ssize_t size, std::int64_t* number) {
  if (size == 0 || size > 20 || bytes[0] > '9') return false;
  const bool minus = bytes[0] == '-';
  if (minus + 1 > size || !is_digit(bytes[minus]) || (bytes[minus] == '0' && size > 1)) return false;
  return read_int(bytes, bytes + size, number) == bytes + size;
}

}  // namespace envelope
