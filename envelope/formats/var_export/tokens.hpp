// What `var_export` prints, token by token; each value with the comma and line feed that follow it inside a container.
// Each function returns false if there is no room, or a lone surrogate.
#pragma once

#include <cstddef>
#include <new>
#include <string>

#include "native/text.hpp"
#include "php/float.hpp"
#include "php/properties.hpp"
#include "var_export/quoted.hpp"

namespace envelope::var_export {

constexpr std::size_t kSlack = 24;  // for what is around a text, or replaces one character of it

inline bool put_null(Buffer& out) { return put_literal(out, "NULL,\n"); }

inline bool put_bool(Buffer& out, bool value) {
  return value ? put_literal(out, "true,\n") : put_literal(out, "false,\n");
}

// PHP has no literal for the smallest int64.
inline bool put_int(Buffer& out, long long number) {
  if (number == INT64_MIN) return put_literal(out, "-9223372036854775807-1,\n");
  char* at = out.room(kDigits + 2);
  if (at == nullptr) return false;
  out.advance(put(put_digits(at, number), ",\n"));
  return true;
}

inline bool put_double(Buffer& out, double number) {
  char* at = out.room(kFloatRoom + 2);
  if (at == nullptr) return false;
  out.advance(put(put_float(at, number, true), ",\n"));
  return true;
}

// Writes `indent` spaces, eight at a time: up to seven bytes after them are overwritten, which kSlack allows for.
inline char* put_indent(char* at, std::size_t indent) {
  for (std::size_t done = 0; done < indent; done += 8) std::memcpy(at + done, "        ", 8);
  return at + indent;
}

inline char* put_special(char* at, std::uint32_t code) {
  if (code == 0) return put(at, "' . \"\\0\" . '");
  return code == '\'' ? put(at, "\\'") : put(at, "\\\\");
}

// Whether all of `count` bytes are plain; checked in words, of which the last may overlap.
inline bool is_plain(const char* from, std::size_t count) {
  if (count >= 8) {
    for (std::size_t index = 0; index < count - 8; index += 8) {
      if (Special::in(word_at(from + index)) != 0) return false;
    }
    return Special::in(word_at(from + count - 8)) == 0;
  }
  if (count >= 4) {
    char both[8];
    std::memcpy(both, from, 4);
    std::memcpy(both + 4, from + count - 4, 4);
    return Special::in(word_at(both)) == 0;
  }
  for (std::size_t index = 0; index < count; ++index) {
    if (Special::has(static_cast<unsigned char>(from[index]))) return false;
  }
  return true;
}

// The inside of '…', of bytes. `at` has room for it and kSlack, and the place returned has room for kSlack; null if
// there is no room for the escapes.
inline char* put_inside(Buffer& out, char* at, const char* from, std::size_t count) {
  while (!is_plain(from, count)) {
    for (; !Special::has(static_cast<unsigned char>(*from)); --count) *at++ = *from++;
    out.advance(put_special(at, static_cast<unsigned char>(*from++)));
    at = out.room(--count + kSlack);
    if (at == nullptr) return nullptr;
  }
  copy_text(at, from, count);
  return at + count;
}

// The same for a str's characters; null also if one is a surrogate.
template <class Unit>
inline char* put_inside(Buffer& out, char* at, const Unit* from, std::size_t count) {
  for (const Unit* end = from + count; from < end; ++from) {
    if (is_surrogate(*from)) return nullptr;
    if (!Special::has(*from)) {
      at = put_utf8(at, *from);
      continue;
    }
    out.advance(put_special(at, *from));
    at = out.room(static_cast<std::size_t>(end - from) * kWidest<Unit> + kSlack);
    if (at == nullptr) return nullptr;
  }
  return at;
}

// indent '…' tail, of bytes or of characters that take at most `widest` bytes each.
template <class Unit, std::size_t N>
inline bool put_quoted(Buffer& out, std::size_t indent, const Unit* from, std::size_t count, std::size_t widest,
                       const char (&tail)[N]) {
  char* at = out.room(indent + count * widest + kSlack);
  if (at == nullptr) return false;
  at = put_inside(out, put(put_indent(at, indent), "'"), from, count);
  if (at == nullptr) return false;
  out.advance(put(put(at, "'"), tail));
  return true;
}

template <std::size_t N>
inline bool put_text(Buffer& out, std::size_t indent, PyObject* text, const char (&tail)[N]) {
  std::size_t size = 0;
  if (const char* bytes = ready_utf8(text, size)) return put_quoted(out, indent, bytes, size, 1, tail);
  return with_units(text, [&](auto* units, std::size_t count) {
    return put_quoted(out, indent, units, count, kWidest<std::decay_t<decltype(*units)>>, tail);
  });
}

inline bool put_string(Buffer& out, PyObject* text) { return put_text(out, 0, text, ",\n"); }

inline bool put_raw(Buffer& out, const char* bytes, Py_ssize_t count) {
  return put_quoted(out, 0, bytes, static_cast<std::size_t>(count), 1, ",\n");
}

// The name of a property, after its indent.
inline bool put_name(Buffer& out, std::size_t indent, PyObject* text) { return put_text(out, indent, text, " => "); }

inline bool put_index_key(Buffer& out, std::size_t indent, long long index) {
  char* at = out.room(indent + kDigits + kSlack);
  if (at == nullptr) return false;
  at = put_indent(at, indent);
  out.advance(put(put_digits(at, index), " => "));
  return true;
}

inline bool put_index_name(Buffer& out, std::size_t indent, long long index) {
  char digits[kDigits];
  const char* end = put_digits(digits, index);
  return put_quoted(out, indent, static_cast<const char*>(digits), static_cast<std::size_t>(end - digits), 1, " => ");
}

// The name of a property of any object; an int is bare. NULs would stay as they are: such names are left to Python.
inline bool put_property_name(Buffer& out, std::size_t indent, PyObject* property) {
  PyObject* const name = property_name(property);
  int overflow = 0;
  if (PyLong_CheckExact(name)) {
    return put_index_key(out, indent, PyLong_AsLongLongAndOverflow(name, &overflow)) && overflow == 0;
  }
  if (PyBytes_CheckExact(name)) {
    const auto size = static_cast<std::size_t>(PyBytes_GET_SIZE(name));
    const char* const bytes = PyBytes_AS_STRING(name);
    return std::memchr(bytes, 0, size) == nullptr && put_quoted(out, indent, bytes, size, 1, " => ");
  }
  if (!PyUnicode_CheckExact(name) || PyUnicode_FindChar(name, 0, 0, PyUnicode_GET_LENGTH(name), 1) >= 0) return false;
  return put_name(out, indent, name);
}

// The key of an array, after its indent: bare for the canonical decimal of an int64.
inline bool put_key(Buffer& out, std::size_t indent, PyObject* text) {
  if (!is_int_key(text)) return put_text(out, indent, text, " => ");
  const auto size = static_cast<std::size_t>(PyUnicode_GET_LENGTH(text));
  char* at = out.room(indent + size + kSlack);
  if (at == nullptr) return false;
  at = put_indent(at, indent);
  copy_text(at, PyUnicode_1BYTE_DATA(text), size);
  out.advance(put(at + size, " => "));
  return true;
}

// The head of a container, on a line of its own unless it is the root, which has no indent.
inline bool put_head(Buffer& out, std::size_t indent, bool is_object) {
  char* at = out.room(indent + kSlack);
  if (at == nullptr) return false;
  if (indent != 0) at = put_indent(put(at, "\n"), indent);
  out.advance(is_object ? put(at, "(object) array(\n") : put(at, "array (\n"));
  return true;
}

inline bool put_close(Buffer& out, std::size_t indent) {
  char* at = out.room(indent + kSlack);
  if (at == nullptr) return false;
  out.advance(put(put_indent(at, indent), "),\n"));
  return true;
}

// A class and what follows it, on their own line unless they are the root.
template <std::size_t N>
inline bool put_class(Buffer& out, std::size_t indent, const std::string& name, const char (&tail)[N]) {
  char* at = out.room(indent + name.size() + N + kSlack);
  if (at == nullptr) return false;
  if (indent != 0) at = put_indent(put(at, "\n"), indent);
  at = put(at, "\\");
  copy_text(at, name.data(), name.size());
  out.advance(put(at + name.size(), tail));
  return true;
}

inline bool is_std_class(PyObject* class_name) {
  return PyUnicode_CompareWithASCIIString(class_name, "stdClass") == 0;
}

// The head of an object: (object) array( of an stdClass, else \Class::__set_state(array(
inline bool put_object_head(Buffer& out, std::size_t indent, PyObject* class_name) try {
  if (is_std_class(class_name)) return put_head(out, indent, true);
  std::string name;
  return append_utf8(name, class_name) && put_class(out, indent, name, "::__set_state(array(\n");
} catch (const std::bad_alloc&) {
  return false;
}

// The end of an object: one parenthesis, or the two of __set_state(array(
inline bool put_object_close(Buffer& out, std::size_t indent, PyObject* class_name) {
  if (is_std_class(class_name)) return put_close(out, indent);
  char* at = out.room(indent + kSlack);
  if (at == nullptr) return false;
  out.advance(put(put_indent(at, indent), ")),\n"));
  return true;
}

// A case of an enum: \Class::Case
inline bool put_enum_case(Buffer& out, std::size_t indent, PyObject* value) try {
  std::string name;
  if (!append_utf8(name, enum_class(value))) return false;
  name += "::";
  return append_utf8(name, enum_label(value)) && put_class(out, indent, name, ",\n");
} catch (const std::bad_alloc&) {
  return false;
}

}  // namespace envelope::var_export
