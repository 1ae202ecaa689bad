// What the elements of both dialects have: a key, and the text in those that hold text.
//
// Each of these is a large part of the time of two walks, so it is always inlined into both.
#pragma once

#include <Python.h>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "native/key_cache.hpp"
#include "xml/head.hpp"
#include "xml/references.hpp"
#include "xml/scan.hpp"
#include "xml/utf8.hpp"

namespace envelope::xml {

// The str of a run that is not all plain ASCII; nullptr if anything is wrong with it, or memory runs out.
[[gnu::noinline]] inline PyObject* odd_str(const Run& run, bool escaped) {
  constexpr Py_ssize_t kSmall = 512;
  if (!run.has_references && !escaped) return wide_str(run.first, run.size);
  char small[kSmall];
  std::unique_ptr<char[]> large;
  char* text = small;
  if (run.size >= kSmall) {
    large.reset(new (std::nothrow) char[static_cast<std::size_t>(run.size) + 1]);
    text = large.get();
    if (text == nullptr) return nullptr;
  }
  char* end = resolve(run, text);
  if (end == nullptr) return nullptr;
  *end = '\0';
  if (!escaped) return wide_str(text, end - text);
  Measure found;
  if (!measure(text, end - text, &found)) return nullptr;
  end = unescape(text, end - text);
  return end != nullptr ? PyUnicode_DecodeUTF8(text, end - text, nullptr) : nullptr;
}

// The str of a run; nullptr if anything is wrong with it, or memory runs out.
inline PyObject* str_of(const Run& run, bool escaped) {
  return run.is_ascii && !run.has_references && !escaped ? ascii_text(run.first, run.size) : odd_str(run, escaped);
}

// The key beside an element, else its name; a new reference, nullptr if it may have none.
[[gnu::always_inline]] inline PyObject* key_of(const Head& head) {
  if (!is_entry(head)) return nullptr;
  return head.has_key ? str_of(head.key, head.is_key_escaped) : key_cache.key(head.name, head.size);
}

// Characters and references, and the end tag; a new reference to their str comes with the place after.
[[gnu::always_inline]] inline const char* text(const char* at, const char* end, const Head& head, PyObject** value) {
  Run run;
  at = closed(read_text(at, end, &run), end, head);
  if (at != nullptr) *value = str_of(run, head.is_escaped);
  return at;
}

// Twin: xml.rules._read_bool. true | false
inline const char* read_bool(const char* at, const char* end, int* truth) {
  const char* after = skip(at, end, "true");
  *truth = after != nullptr;
  return after != nullptr ? after : skip(at, end, "false");
}

inline bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

// The place after [0-9]+
inline const char* skip_digits(const char* at) {
  if (!is_digit(*at)) return nullptr;
  while (is_digit(*at)) ++at;
  return at;
}

// The place after 0 | [1-9][0-9]*
inline const char* skip_whole(const char* at) { return *at == '0' ? at + 1 : skip_digits(at); }

// Twin: xml.rules._INT. 0 | -?[1-9][0-9]*
inline const char* read_int(const char* at, std::int64_t* number) {
  if (*at == '-' && at[1] == '0') return nullptr;
  const char* const end = skip_whole(at + (*at == '-'));
  if (end == nullptr) return nullptr;
  return std::from_chars(at, end, *number).ec == std::errc{} ? end : nullptr;
}

// Twin: xml.rules._FLOAT. -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
inline const char* read_float(const char* at, double* number) {
  const char* end = skip_whole(at + (*at == '-'));
  if (end != nullptr && *end == '.') end = skip_digits(end + 1);
  if (end != nullptr && (*end | 0x20) == 'e') end = skip_digits(end + 1 + (end[1] == '+' || end[1] == '-'));
  if (end == nullptr) return nullptr;
  return std::from_chars(at, end, *number).ec == std::errc{} && std::isfinite(*number) ? end : nullptr;
}

}  // namespace envelope::xml
