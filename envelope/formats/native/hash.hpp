// A hash of short names like keys.
#pragma once

#include <Python.h>

#include <cstdint>
#include <cstring>

#include "native/words.hpp"

namespace envelope {

// It need not be strong: a collision only costs a second look.
inline std::uint64_t hash_bytes(const char* bytes, Py_ssize_t size) {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15;
  std::uint64_t hash = static_cast<std::uint64_t>(size) * kOdd, word = 0;
  if (size >= 8) {
    for (Py_ssize_t at = 0; at + 8 < size; at += 8) {
      hash = (hash ^ word_at(bytes + at)) * kOdd;
      hash ^= hash >> 32;
    }
    word = word_at(bytes + size - 8);
  } else if (size >= 4) {
    std::uint32_t head, tail;
    std::memcpy(&head, bytes, 4);
    std::memcpy(&tail, bytes + size - 4, 4);
    word = static_cast<std::uint64_t>(head) << 32 | tail;
  } else if (size > 0) {
    word = static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[0])) << 16 |
           static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[size / 2])) << 8 |
           static_cast<unsigned char>(bytes[size - 1]);
  }
  hash = (hash ^ word) * kOdd;
  return hash ^ hash >> 32;
}

}  // namespace envelope
