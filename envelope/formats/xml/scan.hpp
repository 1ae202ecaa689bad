// Scans what is between two marks of a document, eight bytes at a time.
//
// All of it reads a Python bytes, which ends in a NUL. XML has no NUL, so a scan ends there at the latest.
#pragma once

#include <Python.h>

#include <cstddef>

#include "native/words.hpp"

namespace envelope::xml {

// A stretch of character data as it is in the document.
struct Run {
  const char* first;
  Py_ssize_t size;
  bool is_ascii;
  bool has_references;
};

// Reads up to `stop`; nullptr if anything there is forbidden by XML or changed by its parsers.
template <char stop, char odd>
inline const char* read_run(const char* at, const char* end, Run* run) {
  *run = {at, 0, true, false};
  for (;; ++at) {
    at = find<Odd<stop, '&', odd>>(at, end);
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

// text: no `<`, no `]]>`, no carriage return, which a parser would change.
inline const char* read_text(const char* at, const char* end, Run* run) { return read_run<'<', ']'>(at, end, run); }

// An attribute's value: no quote, no `<`, and no white space but spaces: a parser would change the rest.
inline const char* read_quoted(const char* at, const char* end, Run* run) { return read_run<'"', '<'>(at, end, run); }

inline bool is_white(char byte) { return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r'; }

inline const char* skip_white(const char* at) {
  while (is_white(*at)) ++at;
  return at;
}

}  // namespace envelope::xml
