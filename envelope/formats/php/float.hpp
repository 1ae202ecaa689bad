// PHP's spelling of floats at serialize_precision=-1.
#pragma once

#include <cmath>
#include <cstddef>

#include "native/buffer.hpp"
#include "native/digits.hpp"
#include "native/shortest.hpp"

namespace envelope {

constexpr std::size_t kFloatRoom = kFixedRoom;  // with a sign; bytes after the number may be overwritten

// Writes a number of at most four decimals (like a price), which needs no search for its shortest digits; null for any
// other. If m/10^k is the number and m has at most 15 digits, no other decimal with as few digits is.
inline char* put_short_float(char* at, double number, bool point) {
  const double scaled = number * 10000;
  if (!(std::fabs(scaled) < 1e11)) return nullptr;
  auto digits = static_cast<long long>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  // The product rules out nearly all others; only the quotient, which is rounded once, is proof.
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

// Twin: php.numbers.float_text. Writes `number` into kFloatRoom bytes; an integral one in fixed notation gets ".0"
// if `point` says so. Fixed notation is for powers of ten from -4 to 16.
inline char* put_float(char* at, double number, bool point) {
  if (!std::isfinite(number)) {
    if (std::isnan(number)) return put(at, "NAN");
    return number < 0 ? put(at, "-INF") : put(at, "INF");
  }
  if (char* end = put_short_float(at, number, point)) return end;
  if (std::signbit(number)) {
    *at++ = '-';
    number = -number;
  }
  char room[kDigitsRoom] = {};
  const Shortest digits = shortest_digits(number, room);
  const int power = digits.power;
  if (power >= -4 && power <= 16) return put_fixed(at, digits, point);
  at = put_mantissa(at, digits);
  if (digits.count == 1) at = put(at, ".0");
  at = power < 0 ? put(at, "E-") : put(at, "E+");
  return put_digits(at, power < 0 ? -power : power);
}

}  // namespace envelope
