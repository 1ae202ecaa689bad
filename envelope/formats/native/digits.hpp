// Integers in decimal. Most are small (indexes, lengths), and are copied from a table.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/words.hpp"

namespace envelope {

constexpr std::size_t kDigits = 20;  // of an int64, with its sign; put_digits() may overwrite the rest of them

struct Decimal {
  char digits[3];
  unsigned char count;
};

inline constexpr std::array<Decimal, 1000> kDecimals = [] {
  std::array<Decimal, 1000> decimals{};
  for (unsigned number = 0; number < 1000; ++number) {
    Decimal& entry = decimals[number];
    entry.count = number < 10 ? 1 : number < 100 ? 2 : 3;
    unsigned rest = number;
    for (unsigned place = entry.count; place-- > 0; rest /= 10) entry.digits[place] = static_cast<char>('0' + rest % 10);
  }
  return decimals;
}();

#if defined(ENVELOPE_WIDE_INTEGERS)

// Writes a number below 10^8 as eight digits: it is split into fours, pairs, digits, all parts of a step at a time.
inline char* put_eight(char* at, std::uint64_t number) {
  const std::uint64_t fours = number / 10000 + (number % 10000 << 32);
  const std::uint64_t hundreds = (fours * 5243 >> 19) & 0x0000007F0000007F;  // 5243 / 2^19 is 1/100, nearly
  const std::uint64_t pairs = hundreds + ((fours - 100 * hundreds) << 16);
  const std::uint64_t tens = (pairs * 103 >> 10) & 0x000F000F000F000F;  // 103 / 2^10 is 1/10, nearly
  const std::uint64_t digits = (tens + ((pairs - 10 * tens) << 8)) | 0x3030303030303030;
  std::memcpy(at, &digits, sizeof digits);
  return at + sizeof digits;
}

#endif

// Writes `number` into kDigits bytes.
inline char* put_digits(char* at, long long number) {
#if defined(ENVELOPE_WIDE_INTEGERS)
  if (number >= 100'000'000) {
    at = put_digits(at, number / 100'000'000);
    return put_eight(at, static_cast<std::uint64_t>(number % 100'000'000));
  }
#endif
  if (number < 0 || number >= 1'000'000) return std::to_chars(at, at + kDigits, number).ptr;
  if (number >= 1000) {
    at = put_digits(at, number / 1000);
    number %= 1000;
    *at++ = static_cast<char>('0' + number / 100);
    *at++ = static_cast<char>('0' + number / 10 % 10);
    *at++ = static_cast<char>('0' + number % 10);
    return at;
  }
  const Decimal& entry = kDecimals[static_cast<std::size_t>(number)];
  std::memcpy(at, entry.digits, sizeof entry.digits);
  return at + entry.count;
}

}  // namespace envelope
