// Integers in decimal. Most are small (indexes, lengths), and are copied from a table.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>

namespace envelope {

constexpr std::size_t kDigits = 20;  // of an int64, with its sign; put_digits() may spoil what it does not use of them

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

// Writes `number` into kDigits bytes.
inline char* put_digits(char* at, long long number) {
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
