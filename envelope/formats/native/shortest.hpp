// The shortest digits that read back as the same double; if there are several, the nearest to it.
//
// From 2^-73 to 2^53, where most floats are, they are found here, in integers (Schubfach, by Raffaello Giulietti): the
// double and the midpoints between it and its neighbours are multiplied by a power of ten that gives them 16 or 17
// digits. Powers up to 10^38 fit 128 bits, so that all of it is exact. std::to_chars finds the digits of all others.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/buffer.hpp"
#include "native/digits.hpp"

namespace envelope {

constexpr int kMostDigits = 17;          // the most that a double can need
constexpr std::size_t kDigitsRoom = 40;  // for them, whichever way they are found
constexpr std::size_t kFixedRoom = 40;   // for a number of 17 digits, or less, in fixed notation

// The digits of a number: `count` of them at `first`, the first in units of 10^power.
struct Shortest {
  const char* first;
  int count;
  int power;
};

#if defined(ENVELOPE_WIDE_INTEGERS)

// 10^n times the power of two that makes 128 bits of it; 10^n itself takes `width` bits.
struct PowerOfTen {
  std::uint64_t high, low;
  int width;
};

inline constexpr std::array<PowerOfTen, 39> kPowersOfTen = [] {
  std::array<PowerOfTen, 39> powers{};
  uint128 power = 1;
  for (PowerOfTen& entry : powers) {
    int width = 0;
    for (uint128 rest = power; rest != 0; rest >>= 1) ++width;
    const uint128 moved = power << (128 - width);
    entry = {static_cast<std::uint64_t>(moved >> 64), static_cast<std::uint64_t>(moved), width};
    power *= 10;
  }
  return powers;
}();

// factor × power / 2^128, rounded to odd: down, but the last bit is set if anything was cut off.
inline std::uint64_t times_power(std::uint64_t factor, const PowerOfTen& power) {
  const uint128 low = uint128{factor} * power.low;
  const uint128 high = uint128{factor} * power.high + static_cast<std::uint64_t>(low >> 64);
  const bool rest = (static_cast<std::uint64_t>(high) | static_cast<std::uint64_t>(low)) != 0;
  return static_cast<std::uint64_t>(high >> 64) | rest;
}

// The shortest decimal, digits × 10^power, that rounds to mantissa × 2^exponent, a double in the range above. If the
// mantissa has a single bit, its lower neighbour is at half the distance.
inline std::uint64_t shortest_decimal(std::uint64_t mantissa, int exponent, int* power) {
  const bool near_below = mantissa == std::uint64_t{1} << 52;
  // ⌊log10(2^exponent)⌋, or of three quarters of it: of the distance between its neighbours.
  const int place = (exponent * 1262611 - (near_below ? 524031 : 0)) >> 22;
  const PowerOfTen& scale = kPowersOfTen[static_cast<std::size_t>(-place)];
  const int shift = exponent + scale.width;
  // All in quarters of 10^place.
  const std::uint64_t odd = mantissa & 1;  // midpoints round to the even one of two mantissas
  const std::uint64_t lower = times_power((4 * mantissa - (near_below ? 1 : 2)) << shift, scale) + odd;
  const std::uint64_t exact = times_power((4 * mantissa) << shift, scale);
  const std::uint64_t upper = times_power((4 * mantissa + 2) << shift, scale) - odd;
  const std::uint64_t units = exact / 4;

  // Is there one with one digit less?
  const std::uint64_t tens = units / 10;
  const bool ten_below = lower <= 40 * tens;
  const bool ten_above = 40 * (tens + 1) <= upper;
  if (ten_below != ten_above) {
    *power = place + 1;
    return tens + ten_above;
  }
  *power = place;
  const bool one_below = lower <= 4 * units;
  const bool one_above = 4 * (units + 1) <= upper;
  if (one_below != one_above) return units + one_above;
  const std::uint64_t middle = 4 * units + 2;
  return units + (exact > middle || (exact == middle && (units & 1) != 0));
}

// The digits of a positive number in the range above; a count of 0 for any other.
inline Shortest find_shortest(double number, char* room) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  const int exponent = static_cast<int>(bits >> 52) - 1075;
  if (exponent < -125 || exponent > 0) return {room, 0, 0};
  int power = 0;
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
  const std::uint64_t digits = shortest_decimal(fraction | std::uint64_t{1} << 52, exponent, &power);
  // One digit and twice eight, without leading and trailing zeros.
  *room = static_cast<char>('0' + digits / 10'000'000'000'000'000);
  put_eight(room + 1, digits / 100'000'000 % 100'000'000);
  char* end = put_eight(room + 9, digits % 100'000'000);
  const char* first = room;
  while (*first == '0') ++first;
  power += static_cast<int>(end - first) - 1;
  while (end[-1] == '0') --end;
  return {first, static_cast<int>(end - first), power};
}

#else

inline Shortest find_shortest(double, char* room) { return {room, 0, 0}; }

#endif

// The digits of a finite number that is not negative, in `room` for kDigitsRoom bytes.
inline Shortest shortest_digits(double number, char* room) {
  const Shortest found = find_shortest(number, room);
  if (found.count > 0) return found;
  // d.ddde±dd: the first digit is moved over the point, so that the digits are contiguous.
  const char* const end = std::to_chars(room, room + kDigitsRoom, number, std::chars_format::scientific).ptr;
  const char* mark = end - 4;  // an exponent has two digits or three
  if (*mark != 'e') --mark;
  int power = 0;
  std::from_chars(mark + 2, end, power);
  if (mark[1] == '-') power = -power;
  if (mark == room + 1) return {room, 1, power};
  room[1] = room[0];
  return {room + 1, static_cast<int>(mark - room) - 1, power};
}

// Writes digits in fixed notation, for powers from -5 to 16: 0.00001, 1.5, and if they have no fraction 10.0, or 10
// without the point. They are copied kMostDigits at a time, which takes no loop.
inline char* put_fixed(char* at, const Shortest& digits, bool point) {
  const auto [first, count, power] = digits;
  if (power < 0) {
    put(at, "0.0000");
    at += 1 - power;  // 0.0001 has three zeros, 0.1 none
    std::memcpy(at, first, kMostDigits);
    return at + count;
  }
  const int whole = power + 1;
  if (count <= whole) {
    std::memset(at, '0', kMostDigits);
    std::memcpy(at, first, static_cast<std::size_t>(count));
    return point ? put(at + whole, ".0") : at + whole;
  }
  std::memcpy(at, first, kMostDigits);
  at[whole] = '.';
  std::memcpy(at + whole + 1, first + whole, kMostDigits);
  return at + count + 1;
}

// Writes digits as d.ddd; a single digit has no point.
inline char* put_mantissa(char* at, const Shortest& digits) {
  at[0] = digits.first[0];
  at[1] = '.';
  std::memcpy(at + 2, digits.first + 1, kMostDigits);
  return at + digits.count + (digits.count > 1);
}

}  // namespace envelope
