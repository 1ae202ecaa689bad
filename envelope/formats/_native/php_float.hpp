// PHP's spelling of floats at serialize_precision=-1, over the shortest digits of std::to_chars.
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "buffer.hpp"

namespace envelope {

// The longest spellings: -1.7976931348623157E+308, -0.00012345678901234567, -12345678901234567.0
constexpr std::size_t kFloatRoom = 32;

// As _php_numbers.float_text: writes `number` into kFloatRoom bytes; an integral one in fixed notation gets ".0" where
// `point` says so. Fixed notation is for powers of ten from -4 to 16.
inline char* put_float(char* at, double number, bool point) {
  if (!std::isfinite(number)) {
    if (std::isnan(number)) return put(at, "NAN");
    return number < 0 ? put(at, "-INF") : put(at, "INF");
  }
  // "-d.ddde-ddd", or "-de-ddd" for one digit alone.
  char text[32];
  const char* end = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific).ptr;
  const char* first = text;
  if (*first == '-') *at++ = *first++;
  const char* mark = end - 4;  // an exponent has two digits or three
  if (*mark != 'e') --mark;
  int power = 0;
  for (const char* digit = mark + 2; digit < end; ++digit) power = 10 * power + (*digit - '0');
  if (mark[1] == '-') power = -power;

  const char* more = first + 2;  // the digits behind the point
  const int count = mark > more ? static_cast<int>(mark - more) : 0;
  if (power < -4 || power > 16) {
    *at++ = *first;
    *at++ = '.';
    if (count == 0) *at++ = '0';
    std::memcpy(at, more, static_cast<std::size_t>(count));
    at = put(at + count, "E");
    *at++ = power < 0 ? '-' : '+';
    return std::to_chars(at, at + 3, power < 0 ? -power : power).ptr;
  }
  if (power < 0) {
    at = put(at, "0.000");
    at += -power - 4;  // 0.0001 has three zeros, 0.1 none
    *at++ = *first;
    std::memcpy(at, more, static_cast<std::size_t>(count));
    return at + count;
  }
  *at++ = *first;
  if (count <= power) {
    std::memcpy(at, more, static_cast<std::size_t>(count));
    std::memset(at + count, '0', static_cast<std::size_t>(power - count));
    at += power;
    return point ? put(at, ".0") : at;
  }
  std::memcpy(at, more, static_cast<std::size_t>(power));
  at[power] = '.';
  std::memcpy(at + power + 1, more + power, static_cast<std::size_t>(count - power));
  return at + count + 1;
}

}  // namespace envelope
