// Scalars in JSON, as orjson writes them, and what separates documents. Functions return false if there is no room.
#pragma once

#include <cmath>
#include <cstddef>

#include "native/buffer.hpp"
#include "native/digits.hpp"
#include "native/shortest.hpp"

namespace envelope::json {

constexpr std::size_t kFloatRoom = kFixedRoom;  // with a sign; bytes after the number may be overwritten

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

inline bool put_null(Buffer& out) { return put_literal(out, "null"); }

inline bool put_bool(Buffer& out, bool value) { return value ? put_literal(out, "true") : put_literal(out, "false"); }

inline bool put_int(Buffer& out, long long number) {
  char* const at = out.room(kDigits);
  if (at == nullptr) return false;
  out.advance(put_digits(at, number));
  return true;
}

inline bool put_double(Buffer& out, double number) {
  char* const at = out.room(kFloatRoom);
  if (at == nullptr) return false;
  out.advance(put_float(at, number));
  return true;
}

// What ends a line: no JSON document of ours holds it.
inline bool put_line_end(Buffer& out) { return put_literal(out, "\n"); }

}  // namespace envelope::json
