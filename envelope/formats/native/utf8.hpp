// UTF-8, character by character.
#pragma once

#include <cstdint>

namespace envelope {

inline bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// How many bytes the character beyond ASCII at `at` takes; 0 if it is not one. The byte after the text must not be a
// continuation.
inline int character_size(const unsigned char* at) {
  const std::uint32_t lead = at[0];
  if ((lead & 0xF0) == 0xE0) {
    if (!is_continuation(at[1]) || !is_continuation(at[2])) return 0;
    const std::uint32_t high = (lead & 0x0F) << 6 | (at[1] & 0x3Fu);  // all but the last six bits
    return high < 0x20 || (high & 0x3E0) == 0x360 ? 0 : 3;  // overlong, or a surrogate
  }
  if ((lead & 0xE0) == 0xC0) return lead >= 0xC2 && is_continuation(at[1]) ? 2 : 0;
  if ((lead & 0xF8) != 0xF0 || !is_continuation(at[1]) || !is_continuation(at[2]) || !is_continuation(at[3])) return 0;
  const std::uint32_t high = (lead & 0x07) << 6 | (at[1] & 0x3Fu);  // all but the last twelve bits
  return high < 0x10 || high > 0x10F ? 0 : 4;
}

}  // namespace envelope
