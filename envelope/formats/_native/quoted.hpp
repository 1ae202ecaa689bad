// The strings of var_export: '…' with \' and \\ escaped, NULs cut out as 'a' . "\0" . 'b'.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>

namespace envelope {

// The first quote, backslash or NUL, of which the input has one at its end; eight bytes at a time.
inline const char* plain_end(const char* at, const char* end) {
  constexpr std::uint64_t kLowBits = 0x0101010101010101, kHighBits = kLowBits * 0x80;
  // Sets the high bit of the first byte that is zero; those of bytes behind it may be wrong.
  const auto zeros = [](std::uint64_t word) { return (word - kLowBits) & ~word & kHighBits; };
  for (std::uint64_t word; end - at >= 8; at += 8) {
    std::memcpy(&word, at, 8);
    const std::uint64_t hits = zeros(word ^ kLowBits * '\'') | zeros(word ^ kLowBits * '\\') | zeros(word);
    if (hits) {
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
      return at + __builtin_ctzll(hits) / 8;
#else
      break;
#endif
    }
  }
  while (*at != '\'' && *at != '\\' && *at != '\0') ++at;
  return at;
}

// What a string stands for: its bytes in the input, or in a buffer of its own where they are spelled otherwise.
class Quoted {
 public:
  const char* bytes;
  Py_ssize_t size;

  // Twin: Reader.text. `'…'` at its quote; answers the place behind it, nullptr where it is none.
  const char* text(const char* at, const char* end) {
    const char* stop = plain_end(at + 1, end);
    if (*stop == '\'') {
      bytes = at + 1;
      size = stop - bytes;
      return stop + 1;
    }
    return *stop == '\\' ? escaped(at + 1, end) : nullptr;
  }

  // Twin: Reader.string. text (` . "\0" . ` text)*
  const char* string(const char* at, const char* end) {
    at = text(at, end);
    return at && at[0] == ' ' && at[1] == '.' ? joined(at, end) : at;
  }

 private:
  const char* escaped(const char* at, const char* end) try {
    std::string plain;
    while (true) {
      const char* const stop = plain_end(at, end);
      plain.append(at, stop);
      if (*stop == '\'') {
        own(plain);
        return stop + 1;
      }
      if (*stop == '\0' || (stop[1] != '\'' && stop[1] != '\\')) return nullptr;
      plain += stop[1];
      at = stop + 2;
    }
  } catch (const std::bad_alloc&) {
    return nullptr;
  }

  const char* joined(const char* at, const char* end) try {
    static constexpr char kNulBetweenTexts[] = " . \"\\0\" . '";
    constexpr Py_ssize_t kBeforeQuote = sizeof kNulBetweenTexts - 2;
    std::string whole(bytes, static_cast<std::size_t>(size));
    while (at && at[0] == ' ' && at[1] == '.') {
      if (end - at <= kBeforeQuote || std::memcmp(at, kNulBetweenTexts, kBeforeQuote + 1) != 0) return nullptr;
      at = text(at + kBeforeQuote, end);
      if (at) {
        whole += '\0';
        whole.append(bytes, static_cast<std::size_t>(size));
      }
    }
    own(whole);
    return at;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }

  void own(std::string& made) {
    buffer_.swap(made);
    bytes = buffer_.data();
    size = static_cast<Py_ssize_t>(buffer_.size());
  }

  std::string buffer_;
};

}  // namespace envelope
