// Hexadecimal digits, of either case.
#pragma once

#include <cstdint>

namespace envelope::xml {

// The value of a hexadecimal digit, 16 of all else.
inline std::uint32_t hex_digit(char byte) {
  if (byte >= '0' && byte <= '9') return static_cast<std::uint32_t>(byte - '0');
  const char lower = static_cast<char>(byte | 0x20);
  return lower >= 'a' && lower <= 'f' ? static_cast<std::uint32_t>(lower - 'a') + 10 : 16;
}

}  // namespace envelope::xml
