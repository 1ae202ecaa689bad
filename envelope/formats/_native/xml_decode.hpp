// Character data to str: references resolved, escapes undone, UTF-8 checked and decoded.
#pragma once

#include <Python.h>

#include <cstddef>
#include <memory>
#include <new>

#include "xml_references.hpp"
#include "xml_scan.hpp"
#include "xml_unescape.hpp"
#include "xml_utf8.hpp"

namespace envelope::xml {

// The str of a run that is not all plain ASCII; nullptr where anything is wrong with it, or memory ends.
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

// The str of a run; nullptr where anything is wrong with it, or memory ends.
inline PyObject* str_of(const Run& run, bool escaped) {
  return run.is_ascii && !run.has_references && !escaped ? ascii_text(run.first, run.size) : odd_str(run, escaped);
}

}  // namespace envelope::xml
