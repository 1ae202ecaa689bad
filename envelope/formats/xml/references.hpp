// References to characters, by name and by number.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/text.hpp"
#include "xml/scan.hpp"

namespace envelope::xml {

// The value of a hexadecimal digit, 16 for all else.
inline std::uint32_t hex_digit(char byte) {
  if (byte >= '0' && byte <= '9') return static_cast<std::uint32_t>(byte - '0');
  const char lower = static_cast<char>(byte | 0x20);
  return lower >= 'a' && lower <= 'f' ? static_cast<std::uint32_t>(lower - 'a') + 10 : 16;
}

// Char = #x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]
inline bool is_xml(std::uint32_t code) {
  if (code < 0x20) return code == '\t' || code == '\n' || code == '\r';
  return code <= 0x10FFFF && !is_surrogate(code) && (code & ~std::uint32_t{1}) != 0xFFFE;
}

// &#10; | &#xA; — writes the character, advances `out`, and returns the place after; nullptr if there is none.
inline const char* resolve_number(const char* at, char** out) {
  constexpr int kMostDigits = 8;
  at += 2;
  const std::uint32_t base = *at == 'x' ? 16 : 10;
  at += base == 16;
  const char* const digits = at;
  std::uint32_t code = 0;
  for (; *at != ';'; ++at) {
    const std::uint32_t digit = hex_digit(*at);
    if (digit >= base || at - digits == kMostDigits) return nullptr;
    code = base * code + digit;
  }
  if (at == digits || !is_xml(code)) return nullptr;
  *out = put_utf8(*out, code);
  return at + 1;
}

// &amp; | &lt; | &gt; | &quot; | &apos; | a number
inline const char* resolve_reference(const char* at, const char* end, char** out) {
  struct Entity {
    char name[7];
    Py_ssize_t size;
    char character;
  };
  constexpr Entity kEntities[] = {
      {"&amp;", 5, '&'}, {"&lt;", 4, '<'}, {"&gt;", 4, '>'}, {"&quot;", 6, '"'}, {"&apos;", 6, '\''}};
  if (at[1] == '#') return resolve_number(at, out);
  for (const Entity& entity : kEntities) {
    if (end - at >= entity.size && std::memcmp(at, entity.name, static_cast<std::size_t>(entity.size)) == 0) {
      *(*out)++ = entity.character;
      return at + entity.size;
    }
  }
  return nullptr;
}

// Writes a run into `out` with its references resolved, which takes no more bytes than the run; returns the end of what
// is written, nullptr if a reference is not one.
inline char* resolve(const Run& run, char* out) {
  const char* at = run.first;
  const char* const end = at + run.size;
  while (at < end) {
    const void* const mark = std::memchr(at, '&', static_cast<std::size_t>(end - at));
    const char* const stop = mark != nullptr ? static_cast<const char*>(mark) : end;
    std::memcpy(out, at, static_cast<std::size_t>(stop - at));
    out += stop - at;
    at = stop < end ? resolve_reference(stop, end, &out) : end;
    if (at == nullptr) return nullptr;
  }
  return out;
}

// XXXX of \uXXXX; beyond any character if four hexadecimal digits are not here.
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

// \uXXXX, two of them beyond U+FFFF; `at` is after the u. Writes the character, advances `out`, and returns the place
// after; nullptr if there is none.
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

// Twin: xml.rules.unescape, of `size` bytes in place; the end of what is left, nullptr if they are not such a text.
inline char* unescape(char* bytes, Py_ssize_t size) {
  constexpr char kShort[] = "\"\"\\\\//b\bf\fn\nr\rt\t";  // in pairs: what follows the backslash, and its meaning
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
