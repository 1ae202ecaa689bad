// JSON strings of bytes that are to be UTF-8, as orjson writes them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "buffer.hpp"
#include "json_escape.hpp"
#include "utf8.hpp"

namespace envelope::json {

// Copies bytes up to the first that is a quote, a backslash, a control character or beyond ASCII, and moves both places
// on. It goes by eight bytes: as many behind what it copies are overwritten, and read where they are not past `readable`.
inline void copy_plain(char*& at, const unsigned char*& from, const unsigned char* end, const unsigned char* readable) {
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  constexpr std::uint64_t kLowBits = 0x0101010101010101, kHighBits = kLowBits * 0x80;
  for (std::uint64_t word; from < end && readable - from >= 8;) {
    std::memcpy(&word, from, 8);
    std::memcpy(at, &word, 8);
    // The high bit of the first byte that is not plain; those of bytes behind it may be wrong.
    const std::uint64_t hits = (word | (word - kLowBits * ' ') | ((word ^ kLowBits * '"') - kLowBits) |
                                ((word ^ kLowBits * '\\') - kLowBits)) & kHighBits;
    const std::ptrdiff_t plain = std::min<std::ptrdiff_t>(hits ? __builtin_ctzll(hits) / 8 : 8, end - from);
    at += plain;
    from += plain;
    if (hits) return;
  }
#else
  static_cast<void>(readable);
#endif
  while (from < end && *from >= ' ' && *from < 0x80 && *from != '"' && *from != '\\') *at++ = static_cast<char>(*from++);
}

// \" \\ \b \f \n \r \t, or \u00XX of another control character.
inline char* put_short_escape(char* at, unsigned char byte) {
  switch (byte) {
    case '"': return put(at, "\\\"");
    case '\\': return put(at, "\\\\");
    case '\b': return put(at, "\\b");
    case '\f': return put(at, "\\f");
    case '\n': return put(at, "\\n");
    case '\r': return put(at, "\\r");
    case '\t': return put(at, "\\t");
    default: return put_escape(at, byte);
  }
}

// "text" of `size` bytes, behind which one of ASCII stands; false where they are not UTF-8, or there is no room.
inline bool put_string(Buffer& out, const char* bytes, Py_ssize_t size, const char* readable) {
  constexpr std::size_t kSlack = 16;  // for an escape and the quotes, and what is overwritten
  const auto* from = reinterpret_cast<const unsigned char*>(bytes);
  const auto* const end = from + size;
  char* at = out.room(static_cast<std::size_t>(size) + kSlack);
  if (at == nullptr) return false;
  *at++ = '"';
  while (true) {
    copy_plain(at, from, end, reinterpret_cast<const unsigned char*>(readable));
    if (from == end) break;
    if (*from >= 0x80) {
      do {
        const int length = character_size(from);
        if (length == 0) return false;
        std::memcpy(at, from, 4);
        at += length;
        from += length;
      } while (*from >= 0x80);
      continue;
    }
    out.advance(put_short_escape(at, *from++));
    at = out.room(static_cast<std::size_t>(end - from) + kSlack);
    if (at == nullptr) return false;
  }
  *at++ = '"';
  out.advance(at);
  return true;
}

}  // namespace envelope::json
