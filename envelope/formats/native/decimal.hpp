// Converts plain decimals of at most 19 digits, as most floats are, to the nearest double.
//
// The result is exact, or there is none: then std::from_chars reads the number. A decimal is w / 10^q with integers
// w < 2^64 and q <= 27. If both are small a division of doubles rounds once, so it is right (Clinger). Else w is
// multiplied by 2^n / 5^q, rounded down: the product is less than two units below the true value in its upper 128
// bits, so that rounding it to 53 bits goes wrong only within two units of the middle between two doubles.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/words.hpp"

namespace envelope {

#if defined(ENVELOPE_WIDE_INTEGERS)

constexpr int kMostPlaces = 27;  // 5^27 is the last that fits 64 bits

// 2^(126 + width) / 5^q, rounded down, where 5^q takes `width` bits: at least 2^126, at most 2^127.
struct Reciprocal {
  std::uint64_t high, low;
  int width;
};

constexpr std::array<Reciprocal, kMostPlaces + 1> make_reciprocals() {
  std::array<Reciprocal, kMostPlaces + 1> made{};
  std::uint64_t power = 1;
  for (auto& entry : made) {
    int width = 0;
    for (std::uint64_t rest = power; rest; rest >>= 1) ++width;
    // Long division by 64-bit digits, of which the highest of the quotient and the lowest of the dividend are 0.
    const uint128 second = uint128{1} << (62 + width);
    const uint128 third = second % power << 64;
    entry = {static_cast<std::uint64_t>(second / power), static_cast<std::uint64_t>(third / power), width};
    power *= 5;
  }
  return made;
}

inline constexpr auto kReciprocals = make_reciprocals();

// w / 10^places, for a w that is not 0; false if rounding is in doubt.
inline bool divide_exactly(std::uint64_t w, int places, double* number) {
  const Reciprocal& by = kReciprocals[static_cast<std::size_t>(places)];
  const int zeros = __builtin_clzll(w);
  w <<= zeros;
  // The upper 128 bits of the product of 64 and 127 bits.
  const uint128 upper = uint128{w} * by.high + static_cast<std::uint64_t>(uint128{w} * by.low >> 64);
  const auto high = static_cast<std::uint64_t>(upper >> 64);
  const int shift = high >> 62 ? 10 : 9;  // so that 53 bits are left
  const uint128 half = uint128{1} << (64 + shift - 1);
  const uint128 rest = upper & (2 * half - 1);
  if (rest == half || rest == half - 1) return false;
  const std::uint64_t mantissa = (high >> shift) + (rest > half);
  const int exponent = shift + 2 - by.width - zeros - places;
  // The mantissa's leading bit, which a double leaves out, adds one to the exponent; a carry one more.
  const std::uint64_t bits = mantissa + (static_cast<std::uint64_t>(exponent + 1074) << 52);
  std::memcpy(number, &bits, sizeof bits);
  return true;
}

inline bool is_eight_digits(std::uint64_t word) {
  constexpr std::uint64_t kZeros = 0x3030303030303030, kHighHalves = 0xF0F0F0F0F0F0F0F0;
  return (word & kHighHalves) == kZeros && ((word + 0x0606060606060606) & kHighHalves) == kZeros;
}

// The value of eight digits, the first of them in the lowest byte: neighbours are joined to pairs, fours, eight.
inline std::uint64_t eight_digits(std::uint64_t word) {
  word &= 0x0F0F0F0F0F0F0F0F;
  word = (word * 10 + (word >> 8)) & 0x00FF00FF00FF00FF;
  word = (word * 100 + (word >> 16)) & 0x0000FFFF0000FFFF;
  return (word * 10000 + (word >> 32)) & 0xFFFFFFFF;
}

// -? digits (. digits)?, no exponent; returns the place after it, nullptr if it is not one of these.
inline const char* read_decimal(const char* at, const char* end, double* number) {
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  constexpr std::uint64_t kRoomForOne = 1000000000000000000, kRoomForEight = 100000000000;
  const bool minus = *at == '-';
  at += minus;
  std::uint64_t w = 0;
  const char* point = nullptr;
  for (;; ++at) {
    if (*at >= '0' && *at <= '9') {
      if (w >= kRoomForOne) return nullptr;
      w = w * 10 + static_cast<std::uint64_t>(*at - '0');
    } else if (*at == '.' && !point) {
      point = at;
      for (std::uint64_t word; end - at > 8 && w < kRoomForEight; at += 8) {
        std::memcpy(&word, at + 1, 8);
        if (!is_eight_digits(word)) break;
        w = w * 100000000 + eight_digits(word);
      }
    } else {
      break;
    }
  }
  const auto places = point ? at - point - 1 : 0;
  if (*at == 'e' || *at == 'E' || places > kMostPlaces) return nullptr;
  if (w == 0) {
    *number = 0;
  } else if (w <= std::uint64_t{1} << 53 && places <= 22) {
    *number = static_cast<double>(w) / kPowers[places];
  } else if (!divide_exactly(w, static_cast<int>(places), number)) {
    return nullptr;
  }
  if (minus) {
    *number = -*number;
  }
  return at;
}

#else

inline const char* read_decimal(const char*, const char*, double*) { return nullptr; }

#endif

}  // namespace envelope
