// The strings of var_export: '…' with \' and \\ escaped, NULs cut out as 'a' . "\0" . 'b'.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <string>

#include "native/words.hpp"

namespace envelope {

// What is not spelled as it is: quote and backslash are escaped, NUL is cut out.
using Special = Marks<'\'', '\\', '\0'>;

// What a string stands for: its bytes in the input, or in its own buffer if they are spelled otherwise.
class Quoted {
 public:
  const char* bytes;
  Py_ssize_t size;

  // Twin: var_export.read._Reader.quoted. `'…'` at its quote; returns the place after it, nullptr if it is not one.
  const char* text(const char* at, const char* end) {
    const char* const stop = find<Special>(at + 1, end);
    if (*stop == '\'') {
      bytes = at + 1;
      size = stop - bytes;
      return stop + 1;
    }
    return *stop == '\\' ? escaped(at + 1, end) : nullptr;
  }

  // Twin: var_export.read._Reader.string. text (` . "\0" . ` text)*
  const char* string(const char* at, const char* end) {
    at = text(at, end);
    return at && at[0] == ' ' && at[1] == '.' ? joined(at, end) : at;
  }

 private:
  const char* escaped(const char* at, const char* end) try {
    std::string plain;
    while (true) {
      const char* const stop = find<Special>(at, end);
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
