// Scanning bytes eight at a time, as words; literals of a known length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

// If a word's first byte is its lowest, one instruction tells which byte was found.
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ENVELOPE_FINDS_IN_WORDS
#endif

// Integers of 128 bits, if there are any: with them, digits are read and written fast.
#if defined(__SIZEOF_INT128__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ENVELOPE_WIDE_INTEGERS
#endif

namespace envelope {

#ifdef ENVELOPE_WIDE_INTEGERS
__extension__ typedef unsigned __int128 uint128;
#endif

inline std::uint64_t word_at(const void* at) {
  std::uint64_t word;
  std::memcpy(&word, at, 8);
  return word;
}

constexpr std::uint64_t each_byte(std::uint64_t byte) { return byte * 0x0101010101010101; }

constexpr std::uint64_t kHighBits = each_byte(0x80);

// The high bit of the first byte that is zero; bits of later bytes may be wrong.
constexpr std::uint64_t zeros(std::uint64_t word) { return (word - each_byte(1)) & ~word & kHighBits; }

// Bytes that are one of `marks`, which are ASCII.
template <char... marks>
struct Marks {
  static constexpr bool has(std::uint32_t character) { return (... || (character == marks)); }

  // The high bit of the first of them in a word, 0 if there is none; bits of later bytes may be wrong.
  static constexpr std::uint64_t in(std::uint64_t word) {
    return (... | zeros(word ^ each_byte(marks)));
  }
};

// Bytes that are a control character, beyond ASCII, or one of `marks`.
template <char... marks>
struct Odd {
  static constexpr bool has(unsigned char byte) { return byte < ' ' || byte >= 0x80 || Marks<marks...>::has(byte); }

  // As in Marks.
  static constexpr std::uint64_t in(std::uint64_t word) {
    return ((((word ^ each_byte(marks)) - each_byte(1)) | ...) | (word - each_byte(' ')) | word) & kHighBits;
  }
};

#ifdef ENVELOPE_FINDS_IN_WORDS

// How many bytes of a word precede the first that was found in it.
inline std::ptrdiff_t bytes_before(std::uint64_t found) { return __builtin_ctzll(found) / 8; }

#endif

// The place of the first byte that is in `Set`; one must be at `end`.
template <class Set>
inline const char* find(const char* at, const char* end) {
  for (; end - at >= 8; at += 8) {
    const std::uint64_t found = Set::in(word_at(at));
    if (found == 0) continue;
#ifdef ENVELOPE_FINDS_IN_WORDS
    return at + bytes_before(found);
#else
    break;
#endif
  }
  while (!Set::has(static_cast<unsigned char>(*at))) ++at;
  return at;
}

// The place after a literal at `at`; nullptr if it is not there.
template <std::size_t N>
inline const char* skip(const char* at, const char* end, const char (&literal)[N]) {
  return end - at >= static_cast<std::ptrdiff_t>(N - 1) && std::memcmp(at, literal, N - 1) == 0 ? at + N - 1 : nullptr;
}

}  // namespace envelope
