// JSON's escapes, which the typed dialect has for what XML cannot hold.
#pragma once

#include <Python.h>

#include <cstdint>

#include "text.hpp"
#include "xml_hex.hpp"

namespace envelope::xml {

// XXXX of \uXXXX; beyond any character where four hexadecimal digits do not stand here.
inline std::uint32_t read_unit(const char* at, const char* end) {
  constexpr std::uint32_t kNone = ~std::uint32_t{0};
  if (end - at < 4) return kNone;
  std::uint32_t unit = 0;
  for (int index = 0; index < 4; ++index) {
    const std::uint32_t digit = hex_digit(at[index]);
    if (digit == 16) return kNone;
    unit = 16 * unit + digit;
  }
  return unit;
}

// \uXXXX, two of them beyond U+FFFF; `at` is behind the u. Writes the character, moves `out` on, and answers
// the place behind; nullptr where there is none.
inline const char* unescape_unit(const char* at, const char* end, char** out) {
  std::uint32_t code = read_unit(at, end);
  at += 4;
  if (code > 0xFFFF) return nullptr;
  if (is_surrogate(code)) {
    if (code >= 0xDC00 || end - at < 6 || at[0] != '\\' || at[1] != 'u') return nullptr;
    const std::uint32_t low = read_unit(at + 2, end);
    if (low < 0xDC00 || low > 0xDFFF) return nullptr;
    code = 0x10000 + ((code - 0xD800) << 10 | (low - 0xDC00));
    at += 6;
  }
  *out = put_utf8(*out, code);
  return at;
}

// As _xml_rules.unescape, of `size` bytes in place; the end of what is left, nullptr where they are no such text.
inline char* unescape(char* bytes, Py_ssize_t size) {
  constexpr char kShort[] = "\"\"\\\\//b\bf\fn\nr\rt\t";  // in pairs: what stands behind the backslash, and for what
  const char* at = bytes;
  const char* const end = bytes + size;
  char* out = bytes;
  while (at < end) {
    if (*at == '"' || static_cast<unsigned char>(*at) < 0x20) return nullptr;
    if (*at != '\\') {
      *out++ = *at++;
      continue;
    }
    if (++at == end) return nullptr;
    if (*at == 'u') {
      at = unescape_unit(at + 1, end, &out);
      if (at == nullptr) return nullptr;
      continue;
    }
    const char* pair = kShort;
    while (*pair != *at && *pair != '\0') pair += 2;
    if (*pair == '\0') return nullptr;
    *out++ = pair[1];
    ++at;
  }
  return out;
}

}  // namespace envelope::xml
