// A string literal that must stand at some place of a document.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstring>

namespace envelope {

// The place behind it; nullptr where it does not stand there.
template <std::size_t N>
inline const char* behind(const char* at, const char* end, const char (&literal)[N]) {
  return end - at >= static_cast<Py_ssize_t>(N - 1) && std::memcmp(at, literal, N - 1) == 0 ? at + N - 1 : nullptr;
}

}  // namespace envelope
