// The tokens of both dialects: tags, and the elements that are not containers.
#pragma once

#include <cstddef>
#include <type_traits>

#include "json/tokens.hpp"
#include "xml/escape.hpp"
#include "xml/head.hpp"

namespace envelope::xml {

// A document being written: in the typed dialect, its elements have types.
struct Document : Buffer {
  bool typed = true;
};

// What an element is called: its name, and the key beside it if that is not a name.
struct Tag {
  const char* name;
  std::size_t size;
  PyObject* key;
};

constexpr std::size_t kLongestName = 64;
inline const Tag kRoot{"root", 4, nullptr};
inline const Tag kMember{"item", 4, nullptr};

// Twin: xml.write._NAME. (?!xml)[A-Za-z_][A-Za-z0-9_.-]{0,63}, xml in any case.
inline bool is_name(PyObject* key) {
  const auto size = static_cast<std::size_t>(PyUnicode_GET_LENGTH(key));
  if (!PyUnicode_IS_ASCII(key) || size == 0 || size > kLongestName) return false;
  const auto* const text = static_cast<const char*>(PyUnicode_DATA(key));
  if (skip_name(text) != text + size) return false;
  return size < 3 || (text[0] | 0x20) != 'x' || (text[1] | 0x20) != 'm' || (text[2] | 0x20) != 'l';
}

// Twin: xml.write._Tags. The tag of the element under `key`.
inline Tag tag_of(PyObject* key) {
  if (!is_name(key)) return {kMember.name, kMember.size, key};
  return {static_cast<const char*>(PyUnicode_DATA(key)), static_cast<std::size_t>(PyUnicode_GET_LENGTH(key)), nullptr};
}

// ` key="…"`, and whether it is escaped; false if it cannot be written, or without memory.
inline bool put_key(Document& out, PyObject* key) {
  return with_units(key, [&](const auto* units, std::size_t count) {
    using Unit = std::remove_cv_t<std::remove_reference_t<decltype(*units)>>;
    if (holds_surrogate(units, count) || !put_literal(out, " key=\"")) return false;
    if (holds_not_xml(units, count)) {
      return out.typed && put_each(out, units, count, put_json_escape<Place::kAttribute, Unit>) &&
             put_literal(out, "\" escaped-key=\"true\"");
    }
    return put_each(out, units, count, put_reference<Place::kAttribute, Unit>) && put_literal(out, "\"");
  });
}

// `<name key="…"`, the type in the typed dialect, and the `rest` of the tag; false as in put_key.
template <std::size_t M, std::size_t N>
inline bool put_head(Document& out, const Tag& tag, const char (&type)[M], const char (&rest)[N]) {
  char* at = out.room(1 + kLongestName + M + N);
  if (at == nullptr) return false;
  *at++ = '<';
  copy_text(at, tag.name, tag.size);
  at += tag.size;
  if (tag.key != nullptr) {
    out.advance(at);
    if (!put_key(out, tag.key)) return false;
    at = out.room(M + N);
    if (at == nullptr) return false;
  }
  if (out.typed) at = put(at, type);
  out.advance(put(at, rest));
  return true;
}

// `</name>`
inline bool put_tail(Buffer& out, const Tag& tag) {
  char* at = out.room(3 + kLongestName);
  if (at == nullptr) return false;
  at = put(at, "</");
  copy_text(at, tag.name, tag.size);
  out.advance(put(at + tag.size, ">"));
  return true;
}

inline bool put_declaration(Buffer& out) { return put_literal(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>"); }

inline bool put_null(Document& out, const Tag& tag) { return put_head(out, tag, " type=\"null\"", "/>"); }

inline bool put_bool(Document& out, const Tag& tag, bool value) {
  return (value ? put_head(out, tag, " type=\"bool\"", ">true") : put_head(out, tag, " type=\"bool\"", ">false")) &&
         put_tail(out, tag);
}

inline bool put_int(Document& out, const Tag& tag, long long number) {
  if (!put_head(out, tag, " type=\"int\"", ">")) return false;
  char* const at = out.room(kDigits);
  if (at == nullptr) return false;
  out.advance(put_digits(at, number));
  return put_tail(out, tag);
}

inline bool put_float(Document& out, const Tag& tag, double number) {
  if (!put_head(out, tag, " type=\"float\"", ">")) return false;
  char* const at = out.room(json::kFloatRoom);
  if (at == nullptr) return false;
  out.advance(json::put_float(at, number));
  return put_tail(out, tag);
}

// The element of a text; false if it cannot be written, or without memory.
inline bool put_text(Document& out, const Tag& tag, PyObject* text) {
  return with_units(text, [&](const auto* units, std::size_t count) {
    using Unit = std::remove_cv_t<std::remove_reference_t<decltype(*units)>>;
    if (count == 0) return put_head(out, tag, "", "/>");
    if (is_plain(units, count)) {
      return put_head(out, tag, "", ">") && put_plain(out, units, count, PyUnicode_IS_ASCII(text)) &&
             put_tail(out, tag);
    }
    if (holds_surrogate(units, count)) return false;
    if (holds_not_xml(units, count)) {
      return out.typed && put_head(out, tag, " escaped=\"true\"", ">") &&
             put_each(out, units, count, put_json_escape<Place::kText, Unit>) && put_tail(out, tag);
    }
    return put_head(out, tag, "", ">") && put_each(out, units, count, put_reference<Place::kText, Unit>) &&
           put_tail(out, tag);
  });
}

// `<name type="list">`, closed at once if it has no children.
inline bool put_list_head(Document& out, const Tag& tag, bool has_children) {
  return has_children ? put_head(out, tag, " type=\"list\"", ">") : put_head(out, tag, " type=\"list\"", "/>");
}

inline bool put_map_head(Document& out, const Tag& tag, bool has_children) {
  return has_children ? put_head(out, tag, " type=\"map\"", ">") : put_head(out, tag, " type=\"map\"", "/>");
}

}  // namespace envelope::xml
