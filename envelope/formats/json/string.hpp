// JSON strings, as orjson writes them, of bytes that must be UTF-8.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "json/escape.hpp"
#include "native/buffer.hpp"
#include "native/utf8.hpp"
#include "native/words.hpp"

namespace envelope::json {

// What a string does not hold as it is.
using NotPlain = Odd<'"', '\\'>;

// Copies bytes up to the first that is not copied as it is, and advances both pointers. It moves eight bytes at a time:
// up to eight after the copy are overwritten, and read if they are not past `readable`.
inline void copy_plain(char*& at, const unsigned char*& from, const unsigned char* end, const unsigned char* readable) {
#ifdef ENVELOPE_FINDS_IN_WORDS
  while (from < end && readable - from >= 8) {
    const std::uint64_t word = word_at(from), odd = NotPlain::in(word);
    std::memcpy(at, &word, 8);
    const std::ptrdiff_t plain = std::min<std::ptrdiff_t>(odd ? bytes_before(odd) : 8, end - from);
    at += plain;
    from += plain;
    if (odd) return;
  }
#else
  static_cast<void>(readable);
#endif
  while (from < end && !NotPlain::has(*from)) *at++ = static_cast<char>(*from++);
}

// "text" of `size` bytes, which an ASCII byte follows; false if they are not UTF-8, or there is no room.
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
    out.advance(put_escape(at, *from++));
    at = out.room(static_cast<std::size_t>(end - from) + kSlack);
    if (at == nullptr) return false;
  }
  *at++ = '"';
  out.advance(at);
  return true;
}

}  // namespace envelope::json
