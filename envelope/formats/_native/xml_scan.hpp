// What stands between two marks of a document, found eight bytes at a time.
//
// All of it reads a Python bytes, which ends in a NUL. XML has no NUL, so a scan ends there at the latest.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace envelope::xml {

// A stretch of character data as it stands in the document.
struct Run {
  const char* first;
  Py_ssize_t size;
  bool is_ascii;
  bool has_references;
};

constexpr std::uint64_t each_byte(std::uint64_t byte) { return byte * 0x0101010101010101; }

// Whether one of eight bytes is `wanted`.
constexpr bool has_byte(std::uint64_t word, unsigned char wanted) {
  const std::uint64_t other = word ^ each_byte(wanted);
  return ((other - each_byte(1)) & ~other & each_byte(0x80)) != 0;
}

// Whether eight bytes are ASCII without control characters.
constexpr bool is_printable(std::uint64_t word) {
  return (word & each_byte(0x80)) == 0 && ((word - each_byte(0x20)) & each_byte(0x80)) == 0;
}

// The place of the first byte that is `stop`, &, `odd`, a control character or beyond ASCII.
template <char stop, char odd>
inline const char* behind_plain(const char* at, const char* end) {
  for (std::uint64_t word; end - at >= 8; at += 8) {
    std::memcpy(&word, at, 8);
    if (!is_printable(word) || has_byte(word, stop) || has_byte(word, '&') || has_byte(word, odd)) break;
  }
  while (static_cast<unsigned char>(*at) >= 0x20 && static_cast<signed char>(*at) >= 0 && *at != stop && *at != '&' &&
         *at != odd) {
    ++at;
  }
  return at;
}

// Reads up to `stop`; nullptr where anything stands there that XML forbids or its parsers change.
template <char stop, char odd>
inline const char* read_run(const char* at, const char* end, Run* run) {
  *run = {at, 0, true, false};
  for (;; ++at) {
    at = behind_plain<stop, odd>(at, end);
    if (*at == stop) break;
    if (static_cast<signed char>(*at) < 0) {
      run->is_ascii = false;
      while (static_cast<signed char>(at[1]) < 0) ++at;
    } else if (*at == '&') {
      run->has_references = true;
    } else if (stop == '<' && *at == ']') {
      if (at[1] == ']' && at[2] == '>') return nullptr;
    } else if (stop != '<' || (*at != '\t' && *at != '\n')) {
      return nullptr;
    }
  }
  run->size = at - run->first;
  return at;
}

// text: no `<`, no `]]>`, no return, which a parser would change.
inline const char* read_text(const char* at, const char* end, Run* run) { return read_run<'<', ']'>(at, end, run); }

// An attribute's value: no quote, no `<`, and no white space but spaces, which a parser would change.
inline const char* read_quoted(const char* at, const char* end, Run* run) { return read_run<'"', '<'>(at, end, run); }

inline bool is_white(char byte) { return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r'; }

inline const char* behind_white(const char* at) {
  while (is_white(*at)) ++at;
  return at;
}

}  // namespace envelope::xml
