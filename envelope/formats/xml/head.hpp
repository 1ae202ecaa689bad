// Tags. Each function returns the place after what it read, nullptr if that is irregular.
#pragma once

#include <Python.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "native/words.hpp"
#include "xml/scan.hpp"

namespace envelope::xml {

// Which bytes a name may have: 1 anywhere, 2 only after its start.
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

// The place after [A-Za-z_][A-Za-z0-9_.-]*; nullptr if none begins.
inline const char* skip_name(const char* at) {
  if (!starts_name(*at)) return nullptr;
  while (is_in_name(*at)) ++at;
  return at;
}

// What an element holds; kDocument is what the root is in.
enum Kind { kText, kInt, kFloat, kBool, kNull, kList, kMap, kDocument };

struct Head {
  const char* name;
  Py_ssize_t size;
  Kind kind;
  bool is_empty;  // <name/>
  bool has_key;
  bool is_escaped;
  bool is_key_escaped;
  Run key;
};

// Twin: xml.read._read_declaration. The declaration that our writer writes, if it is here, or others of UTF-8.
inline const char* skip_declaration(const char* at, const char* end) {
  const char* const label = skip(at, end, "<?xml version=\"1.0\" encoding=\"");
  if (label == nullptr) return at;
  const char* after = skip(label, end, "utf-8\"?>");
  if (after == nullptr) after = skip(label, end, "UTF-8\"?>");
  if (after == nullptr) after = skip(label, end, "utf8\"?>");
  return after != nullptr ? after : at;
}

// map | list | int | float | bool | null, and the quote after it
inline const char* read_kind(const char* at, const char* end, Kind* kind) {
  switch (*at) {
    case 'm': *kind = kMap; return skip(at, end, "map\"");
    case 'l': *kind = kList; return skip(at, end, "list\"");
    case 'i': *kind = kInt; return skip(at, end, "int\"");
    case 'f': *kind = kFloat; return skip(at, end, "float\"");
    case 'b': *kind = kBool; return skip(at, end, "bool\"");
    case 'n': *kind = kNull; return skip(at, end, "null\"");
    default: return nullptr;
  }
}

// type="…" | key="…" | escaped="true" | escaped-key="true", each once
inline const char* read_attribute(const char* at, const char* end, Head* head) {
  if (const char* const kind = skip(at, end, "type=\"")) {
    return head->kind == kText ? read_kind(kind, end, &head->kind) : nullptr;
  }
  if (const char* const key = skip(at, end, "key=\"")) {
    if (head->has_key) return nullptr;
    head->has_key = true;
    const char* const quote = read_quoted(key, end, &head->key);
    return quote != nullptr ? quote + 1 : nullptr;
  }
  bool* seen = &head->is_escaped;
  const char* after = skip(at, end, "escaped=\"true\"");
  if (after == nullptr) {
    seen = &head->is_key_escaped;
    after = skip(at, end, "escaped-key=\"true\"");
  }
  if (after == nullptr || *seen) return nullptr;
  *seen = true;
  return after;
}

// Twin: xml.rules.typed_head. < name (white+ attribute)* white* /? >. Inlined into both walks, like those of
// elements.hpp.
[[gnu::always_inline]] inline const char* read_head(const char* at, const char* end, Head* head) {
  if (*at != '<') return nullptr;
  *head = {at + 1, 0, kText, false, false, false, false, {}};
  at = skip_name(head->name);
  if (at == nullptr) return nullptr;
  head->size = at - head->name;
  while (*at != '>') {
    const char* const next = skip_white(at);
    if (*next == '/') {
      head->is_empty = true;
      at = next + 1;
      if (*at != '>') return nullptr;
    } else if (*next == '>') {
      at = next;
    } else {
      at = next > at ? read_attribute(next, end, head) : nullptr;
      if (at == nullptr) return nullptr;
    }
  }
  if ((head->is_escaped && head->kind != kText) || (head->is_key_escaped && !head->has_key)) return nullptr;
  return at + 1;
}

inline bool is_named(const Head& head, const char (&name)[5]) {
  return head.size == 4 && std::memcmp(head.name, name, 4) == 0;
}

// Whether it is the root element; whether it is a member of a list.
inline bool is_root(const Head& head) { return is_named(head, "root") && !head.has_key; }
inline bool is_member(const Head& head) { return is_named(head, "item") && !head.has_key; }

// Whether it is a member of a map: with a key beside it, it is named item.
inline bool is_entry(const Head& head) { return !head.has_key || is_named(head, "item"); }

// Whether it has no attribute but a key, as in the plain dialect.
inline bool is_plain(const Head& head) { return head.kind == kText && !head.is_escaped && !head.is_key_escaped; }

// Whether an element's own start tag is followed by another, and not by text.
inline bool holds_elements(const char* at) {
  at = skip_white(at);
  return at[0] == '<' && at[1] != '/';
}

// The place after the end tag, which must be here.
inline const char* skip_end_tag(const char* at, const char* end, const char* name, Py_ssize_t size) {
  if (end - at < size + 3 || at[0] != '<' || at[1] != '/' || at[size + 2] != '>') return nullptr;
  return std::memcmp(at + 2, name, static_cast<std::size_t>(size)) == 0 ? at + size + 3 : nullptr;
}

// The same after an element's content, if that was read.
inline const char* closed(const char* at, const char* end, const Head& head) {
  return at != nullptr ? skip_end_tag(at, end, head.name, head.size) : nullptr;
}

}  // namespace envelope::xml
