// The characters of XML: which it cannot hold at all, and how the others are written in text and in attributes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "json/escape.hpp"
#include "native/text.hpp"

namespace envelope::xml {

enum class Place { kText, kAttribute };

// Twin: xml.write._NOT_XML, for one character. XML holds it not even as a reference.
template <class Unit>
inline bool is_not_xml(Unit unit) {
  const std::uint32_t code = unit;
  return (code < 0x20 && code != '\t' && code != '\n' && code != '\r') || (code & ~std::uint32_t{1}) == 0xFFFE;
}

// Whether `units` are written in text as they are: nearly all are, so this has no branch inside.
template <class Unit>
inline bool is_plain(const Unit* units, std::size_t count) {
  bool odd = false;
  for (std::size_t index = 0; index < count; ++index) {
    const Unit unit = units[index];
    odd |= (unit < 0x20) | (unit == '&') | (unit == '<') | (unit == '>');
    if constexpr (sizeof(Unit) > 1) odd |= is_surrogate(unit) | ((unit & ~Unit{1}) == 0xFFFE);
  }
  return !odd;
}

template <class Unit>
inline bool holds_not_xml(const Unit* units, std::size_t count) {
  return std::any_of(units, units + count, is_not_xml<Unit>);
}

template <class Unit>
inline bool holds_surrogate(const Unit* units, std::size_t count) {
  return sizeof(Unit) > 1 && std::any_of(units, units + count, is_surrogate<Unit>);
}

// Twins: xml.write._IN_TEXT, xml.write._IN_ATTRIBUTE, for one character.
template <Place place, class Unit>
inline char* put_reference(char* at, Unit unit) {
  switch (unit) {
    case '&': return put(at, "&amp;");
    case '<': return put(at, "&lt;");
    case '>': return put(at, "&gt;");
    case '\r': return put(at, "&#13;");
  }
  if constexpr (place == Place::kAttribute) {
    switch (unit) {
      case '"': return put(at, "&quot;");
      case '\t': return put(at, "&#9;");
      case '\n': return put(at, "&#10;");
    }
  }
  return put_utf8(at, unit);
}

// Twin: xml.write._json_escaped, for one character, and then as put_reference.
template <Place place, class Unit>
inline char* put_json_escape(char* at, Unit unit) {
  if (unit == '"') {
    *at++ = '\\';
  } else if (unit == '\\' || unit == '\t' || unit == '\n' || unit == '\r' || is_not_xml(unit)) {
    return json::put_escape(at, unit);
  }
  return put_reference<place>(at, unit);
}

// Writes each of `units` by `put_one`, with one check of the buffer's room for many; false without memory.
template <class Unit, class PutOne>
inline bool put_each(Buffer& out, const Unit* units, std::size_t count, PutOne put_one) {
  constexpr std::size_t kMany = 1024;
  constexpr std::size_t kMost = 7;  // bytes of one character: \&quot;
  for (const Unit* const end = units + count; units < end;) {
    const Unit* const stop = units + std::min<std::size_t>(kMany, static_cast<std::size_t>(end - units));
    char* at = out.room(kMost * static_cast<std::size_t>(stop - units));
    if (at == nullptr) return false;
    while (units < stop) at = put_one(at, *units++);
    out.advance(at);
  }
  return true;
}

// Writes units that are plain.
template <class Unit>
inline bool put_plain(Buffer& out, const Unit* units, std::size_t count, bool is_ascii) {
  if (!is_ascii) return put_each(out, units, count, put_utf8<Unit>);
  char* const at = out.room(count);
  if (at == nullptr) return false;
  copy_text(at, units, count);
  out.advance(at + count);
  return true;
}

}  // namespace envelope::xml
