// Names of elements in ASCII.
#pragma once

#include <array>

namespace envelope::xml {

// Which bytes stand in a name: 1 anywhere, 2 behind its start only.
inline constexpr std::array<unsigned char, 256> kNameBytes = [] {
  std::array<unsigned char, 256> kinds{};
  for (unsigned char letter = 'a'; letter <= 'z'; ++letter) kinds[letter] = kinds[letter - 'a' + 'A'] = 1;
  for (unsigned char digit = '0'; digit <= '9'; ++digit) kinds[digit] = 2;
  kinds['_'] = 1;
  kinds['.'] = kinds['-'] = 2;
  return kinds;
}();

inline bool starts_name(char byte) { return kNameBytes[static_cast<unsigned char>(byte)] == 1; }

inline bool is_in_name(char byte) { return kNameBytes[static_cast<unsigned char>(byte)] != 0; }

// The place behind [A-Za-z_][A-Za-z0-9_.-]*; nullptr where none begins.
inline const char* behind_name(const char* at) {
  if (!starts_name(*at)) return nullptr;
  while (is_in_name(*at)) ++at;
  return at;
}

}  // namespace envelope::xml
