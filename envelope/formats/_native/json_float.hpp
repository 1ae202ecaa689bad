// orjson's spelling of floats, over the shortest digits of std::to_chars.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstring>

#include "buffer.hpp"

namespace envelope::json {

// The longest spellings: -1.7976931348623157e+308, -0.000012345678901234567
constexpr std::size_t kFloatRoom = 32;

// d e±power, the digits from `digits`: 1e+16, 1.5e-7
inline char* put_scientific(char* at, const char* digits, int count, int power) {
  *at++ = digits[0];
  if (count > 1) {
    *at++ = '.';
    std::memcpy(at, digits + 1, static_cast<std::size_t>(count - 1));
    at += count - 1;
  }
  at = power < 0 ? put(at, "e-") : put(at, "e+");
  return std::to_chars(at, at + 3, power < 0 ? -power : power).ptr;
}

// 0.00001, 1.5, 10000000000000.0
inline char* put_positional(char* at, const char* digits, int count, int power) {
  const auto size = static_cast<std::size_t>(count);
  if (power < 0) {
    at = put(at, "0.0000") - (5 + power);  // 0.1 has no zero behind the point
    std::memcpy(at, digits, size);
    return at + count;
  }
  const int whole = power + 1;
  if (count <= whole) {
    std::memcpy(at, digits, size);
    std::memset(at + count, '0', static_cast<std::size_t>(whole - count));
    return put(at + whole, ".0");
  }
  std::memcpy(at, digits, static_cast<std::size_t>(whole));
  at[whole] = '.';
  std::memcpy(at + whole + 1, digits + whole, static_cast<std::size_t>(count - whole));
  return at + count + 1;
}

// Writes a finite `number` into kFloatRoom bytes: positional for powers of ten from -5 to 15.
inline char* put_float(char* at, double number) {
  char text[kFloatRoom];  // -d.ddde±dd
  const char* const end = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific).ptr;
  char* first = text;
  if (*first == '-') *at++ = *first++;
  const char* mark = end - 4;  // an exponent has two digits or three
  if (*mark != 'e') --mark;
  int power = 0;
  std::from_chars(mark + 2, end, power);
  if (mark[1] == '-') power = -power;
  int count = 1;
  if (mark > first + 1) {
    first[1] = first[0];  // over the point, so that the digits stand in a row
    ++first;
    count = static_cast<int>(mark - first);
  }
  return power < -5 || power > 15 ? put_scientific(at, first, count, power) : put_positional(at, first, count, power);
}

}  // namespace envelope::json
