// What the elements of both dialects have: a key that they stand under, and where they hold text, that text.
//
// Each of these is a part of two walks, and a large part of their time: they are always made a part of both.
#pragma once

#include <Python.h>

#include "key_cache.hpp"
#include "xml_decode.hpp"
#include "xml_head.hpp"
#include "xml_scan.hpp"

namespace envelope::xml {

// The key beside an element, else its name; a new reference, nullptr where it may have none.
[[gnu::always_inline]] inline PyObject* key_of(const Head& head) {
  if (!is_entry(head)) return nullptr;
  return head.has_key ? str_of(head.key, head.is_key_escaped) : key_cache.key(head.name, head.size);
}

// Characters and references, and the end tag; a new reference to their str comes with the place behind.
[[gnu::always_inline]] inline const char* text(const char* at, const char* end, const Head& head, PyObject** value) {
  Run run;
  at = closed(read_text(at, end, &run), end, head);
  if (at != nullptr) *value = str_of(run, head.is_escaped);
  return at;
}

}  // namespace envelope::xml
