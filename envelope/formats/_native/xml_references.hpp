// References to characters, by name and by number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "text.hpp"
#include "xml_hex.hpp"
#include "xml_scan.hpp"

namespace envelope::xml {

// Char = #x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]
inline bool is_xml(std::uint32_t code) {
  if (code < 0x20) return code == '\t' || code == '\n' || code == '\r';
  return code <= 0x10FFFF && !is_surrogate(code) && (code & ~std::uint32_t{1}) != 0xFFFE;
}

// &#10; | &#xA; — writes the character, moves `out` on, and answers the place behind; nullptr where there is none.
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

// Writes a run without its references into `out`, which takes no more bytes than the run; the end of what is written,
// nullptr where one of them is none.
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

}  // namespace envelope::xml
