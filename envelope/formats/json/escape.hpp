// JSON's escapes, and the ASCII form of a document.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/buffer.hpp"
#include "native/words.hpp"

namespace envelope::json {

// The two hexadecimal digits of each byte.
inline constexpr std::array<std::array<char, 2>, 256> kHex = [] {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t byte = 0; byte < 256; ++byte) pairs[byte] = {kDigits[byte >> 4], kDigits[byte & 15]};
  return pairs;
}();

// \uXXXX
inline char* put_unit(char* at, std::uint32_t unit) {
  at = put(at, "\\u");
  std::memcpy(at, kHex[unit >> 8].data(), 2);
  std::memcpy(at + 2, kHex[unit & 0xFF].data(), 2);
  return at + 4;
}

// \" \\ \b \f \n \r \t, or \uXXXX of any other unit of UTF-16.
inline char* put_escape(char* at, std::uint32_t unit) {
  switch (unit) {
    case '"': return put(at, "\\\"");
    case '\\': return put(at, "\\\\");
    case '\b': return put(at, "\\b");
    case '\f': return put(at, "\\f");
    case '\n': return put(at, "\\n");
    case '\r': return put(at, "\\r");
    case '\t': return put(at, "\\t");
    default: return put_unit(at, unit);
  }
}

// A character beyond ASCII: one escape, or a pair of them beyond U+FFFF.
inline char* put_character(char* at, std::uint32_t code) {
  if (code < 0x10000) return put_unit(at, code);
  at = put_unit(at, 0xD7C0 + (code >> 10));
  return put_unit(at, 0xDC00 | (code & 0x3FF));
}

// Reads one character beyond ASCII, of UTF-8 that is known to be valid.
inline std::uint32_t take_character(const unsigned char*& from) {
  const std::uint32_t first = *from++;
  const auto next = [&] { return *from++ & 0x3Fu; };
  std::uint32_t code = next();
  if (first < 0xE0) return (first & 0x1F) << 6 | code;
  code = code << 6 | next();
  if (first < 0xF0) return (first & 0xF) << 12 | code;
  code = code << 6 | next();
  return (first & 7) << 18 | code;
}

// Copies bytes up to the first beyond ASCII, and advances both pointers.
inline void copy_ascii(char*& at, const unsigned char*& from, const unsigned char* end) {
  for (; end - from >= 8; from += 8, at += 8) {
    const std::uint64_t word = word_at(from);
    if ((word & kHighBits) != 0) break;
    std::memcpy(at, &word, 8);
  }
  while (from < end && *from < 0x80) *at++ = static_cast<char>(*from++);
}

// Twin: json.write.escape_not_ascii. `body`, a JSON document that orjson wrote, with every character beyond ASCII as
// \uXXXX, in pairs beyond U+FFFF. A new reference; None if that is longer than `bound`, or memory runs out.
inline PyObject* escape_not_ascii(PyObject* body, Py_ssize_t bound) {
  constexpr std::size_t kSlack = 16;  // how much more than its own bytes a character may take
  const auto* from = reinterpret_cast<const unsigned char*>(PyBytes_AS_STRING(body));
  const auto* end = from + PyBytes_GET_SIZE(body);
  const auto left = [&] { return static_cast<std::size_t>(end - from); };
  Buffer out;
  out.start(bound);
  char* at = out.room(left() + kSlack);
  while (at != nullptr) {
    copy_ascii(at, from, end);
    out.advance(at);
    if (from == end) return out.finish();
    while (at != nullptr && from < end && *from >= 0x80) {
      out.advance(put_character(at, take_character(from)));
      at = out.room(left() + kSlack);
    }
  }
  return Py_NewRef(Py_None);
}

}  // namespace envelope::json
