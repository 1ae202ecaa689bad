// orjson's spelling of floats.
#pragma once

#include <cmath>
#include <cstddef>

#include "buffer.hpp"
#include "digits.hpp"
#include "shortest.hpp"

namespace envelope::json {

constexpr std::size_t kFloatRoom = kFixedRoom;  // with a sign; what is behind the number may be spoilt

// Writes a finite `number` into kFloatRoom bytes: in fixed notation for powers of ten from -5 to 15, else as 1e+16,
// 1.5e-7.
inline char* put_float(char* at, double number) {
  if (std::signbit(number)) {
    *at++ = '-';
    number = -number;
  }
  char room[kDigitsRoom] = {};
  const Shortest digits = shortest_digits(number, room);
  const int power = digits.power;
  if (power >= -5 && power <= 15) return put_fixed(at, digits, true);
  at = put_mantissa(at, digits);
  at = power < 0 ? put(at, "e-") : put(at, "e+");
  return put_digits(at, power < 0 ? -power : power);
}

}  // namespace envelope::json
