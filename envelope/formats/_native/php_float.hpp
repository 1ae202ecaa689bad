// PHP's spelling of floats at serialize_precision=-1, over the shortest digits of std::to_chars.
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "buffer.hpp"
#include "digits.hpp"

namespace envelope {

// The longest spellings are -1.7976931348623157E+308 and -0.00012345678901234567; what is behind them may be spoilt.
constexpr std::size_t kFloatRoom = 32;
constexpr std::size_t kMostDigits = 16;  // behind the first one

// Writes a number of no more than four decimals (a price, say), which needs no search for its shortest digits; null for
// any other. Where m/10^k is the number, and m has at most 15 digits, no other decimal of so few digits is.
inline char* put_short_float(char* at, double number, bool point) {
  const double scaled = number * 10000;
  if (!(std::fabs(scaled) < 1e11)) return nullptr;
  auto digits = static_cast<long long>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  // A look at the product turns nearly all others away; only the quotient, which is rounded once, is proof.
  if (std::fabs(scaled - static_cast<double>(digits)) > 1e-4 || digits == 0) return nullptr;
  if (static_cast<double>(digits) / 10000 != number) return nullptr;
  if (digits < 0) {
    *at++ = '-';
    digits = -digits;
  }
  at = put_digits(at, digits / 10000);
  auto rest = static_cast<int>(digits % 10000);
  if (rest == 0) return point ? put(at, ".0") : at;
  *at++ = '.';
  for (int unit = 1000; rest > 0; unit /= 10) {
    *at++ = static_cast<char>('0' + rest / unit);
    rest %= unit;
  }
  return at;
}

// As _php_numbers.float_text: writes `number` into kFloatRoom bytes; an integral one in fixed notation gets ".0" where
// `point` says so. Fixed notation is for powers of ten from -4 to 16.
inline char* put_float(char* at, double number, bool point) {
  if (!std::isfinite(number)) {
    if (std::isnan(number)) return put(at, "NAN");
    return number < 0 ? put(at, "-INF") : put(at, "INF");
  }
  if (char* end = put_short_float(at, number, point)) return end;
  // "-d.ddde-ddd", or "-de-ddd" for one digit alone. Digits are moved kMostDigits at a time, for that takes no loop.
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
    *at = '0';
    if (count > 0) std::memcpy(at, more, kMostDigits);
    at = put(at + (count > 0 ? count : 1), "E");
    *at++ = power < 0 ? '-' : '+';
    return std::to_chars(at, at + 3, power < 0 ? -power : power).ptr;
  }
  if (power < 0) {
    put(at, "0.000");
    at += 1 - power;  // 0.0001 has three zeros, 0.1 none
    *at++ = *first;
    std::memcpy(at, more, kMostDigits);
    return at + count;
  }
  *at++ = *first;
  if (count <= power) {
    std::memset(at, '0', kMostDigits);
    std::memcpy(at, more, static_cast<std::size_t>(count));
    at += power;
    return point ? put(at, ".0") : at;
  }
  std::memcpy(at, more, kMostDigits);
  at[power] = '.';
  std::memcpy(at + power + 1, more + power, static_cast<std::size_t>(count - power));
  return at + count + 1;
}

}  // namespace envelope
