// What `serialize` writes, token by token. Each function returns false if there is no room, or a lone surrogate.
#pragma once

#include <cstddef>
#include <new>
#include <string>

#include "native/text.hpp"
#include "php/float.hpp"
#include "php/properties.hpp"

namespace envelope::serialize {

// N;
inline bool put_null(Buffer& out) { return put_literal(out, "N;"); }

// b:1; or b:0;
inline bool put_bool(Buffer& out, bool value) { return value ? put_literal(out, "b:1;") : put_literal(out, "b:0;"); }

// i:number;
inline bool put_int(Buffer& out, long long number) {
  char* at = out.room(kDigits + 3);
  if (at == nullptr) return false;
  out.advance(put(put_digits(put(at, "i:"), number), ";"));
  return true;
}

// d:number;
inline bool put_double(Buffer& out, double number) {
  char* at = out.room(kFloatRoom + 3);
  if (at == nullptr) return false;
  at = put_float(put(at, "d:"), number, false);
  out.advance(put(at, ";"));
  return true;
}

// An object or enum that was written before: r:slot;
inline bool put_reference(Buffer& out, Py_ssize_t slot) {
  char* at = out.room(kDigits + 3);
  if (at == nullptr) return false;
  out.advance(put(put_digits(put(at, "r:"), slot), ";"));
  return true;
}

// The head of a container: a:count:{ or O:8:"stdClass":count:{
inline bool put_head(Buffer& out, Py_ssize_t count, bool is_object) {
  char* at = out.room(16 + kDigits);
  if (at == nullptr) return false;
  at = is_object ? put(at, "O:8:\"stdClass\":") : put(at, "a:");
  out.advance(put(put_digits(at, count), ":{"));
  return true;
}

// The end of a container: }
inline bool put_close(Buffer& out) { return put_literal(out, "}"); }

// s:size:" before `size` bytes, with room after it for them and for what closes them.
inline char* open_string(Buffer& out, std::size_t size) {
  char* at = out.room(size + kDigits + 6);
  if (at == nullptr) return nullptr;
  return put(put_digits(put(at, "s:"), static_cast<long long>(size)), ":\"");
}

// s:size:"bytes"; of bytes, or of ASCII.
inline bool put_raw(Buffer& out, const void* bytes, Py_ssize_t count) {
  const auto size = static_cast<std::size_t>(count);
  char* at = open_string(out, size);
  if (at == nullptr) return false;
  copy_text(at, bytes, size);
  out.advance(put(at + size, "\";"));
  return true;
}

// s:size:"bytes"; of a str.
inline bool put_string(Buffer& out, PyObject* text) {
  std::size_t ready = 0;
  if (const char* bytes = ready_utf8(text, ready)) return put_raw(out, bytes, static_cast<Py_ssize_t>(ready));
  return with_units(text, [&](auto* units, std::size_t count) {
    const Py_ssize_t size = utf8_size(units, count);
    char* at = size < 0 ? nullptr : open_string(out, static_cast<std::size_t>(size));
    if (at == nullptr) return false;
    for (std::size_t index = 0; index < count; ++index) at = put_utf8(at, units[index]);
    out.advance(put(at, "\";"));
    return true;
  });
}

// i:number; of its decimal.
inline bool put_decimal(Buffer& out, const void* digits, std::size_t size) {
  char* at = out.room(size + 3);
  if (at == nullptr) return false;
  at = put(at, "i:");
  copy_text(at, digits, size);
  out.advance(put(at + size, ";"));
  return true;
}

// The key of an array: i:number; for the canonical decimal of an int64, else s:size:"bytes";
inline bool put_key(Buffer& out, PyObject* text) {
  if (!is_int_key(text)) return put_string(out, text);
  return put_decimal(out, PyUnicode_1BYTE_DATA(text), static_cast<std::size_t>(PyUnicode_GET_LENGTH(text)));
}

// The name of a property that is an index: s:size:"number";
inline bool put_index_name(Buffer& out, long long index) {
  char digits[kDigits];
  return put_raw(out, digits, put_digits(digits, index) - digits);
}

// The head of an object: O:size:"class":count:{
inline bool put_object_head(Buffer& out, PyObject* class_name, Py_ssize_t count) try {
  std::string name;
  if (!append_utf8(name, class_name)) return false;
  char* at = out.room(name.size() + 2 * kDigits + 8);
  if (at == nullptr) return false;
  at = put(put_digits(put(at, "O:"), static_cast<long long>(name.size())), ":\"");
  copy_text(at, name.data(), name.size());
  out.advance(put(put_digits(put(at + name.size(), "\":"), count), ":{"));
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

// The name of a property as PHP mangles it: s:size:"bytes"; or i:number; if the class wrote its state itself.
inline bool put_property_name(Buffer& out, PyObject* property) try {
  PyObject* const name = property_name(property);
  if (is_public(property) && PyUnicode_CheckExact(name)) return put_string(out, name);
  std::string mangled;
  if (!append_mangled(mangled, property)) return false;
  if (PyLong_CheckExact(name)) return put_decimal(out, mangled.data(), mangled.size());
  return put_raw(out, mangled.data(), static_cast<Py_ssize_t>(mangled.size()));
} catch (const std::bad_alloc&) {
  return false;
}

// A case of an enum: E:size:"Class:Case"; or, if it was written before, r:slot;
inline bool put_enum_case(Buffer& out, SlotsTaken& slots, PyObject* value) try {
  std::string name;
  // A colon, which can only be forced in, would make two cases one.
  if (!append_utf8(name, enum_class(value)) || name.find(':') != name.npos) return false;
  name += ':';
  if (!append_utf8(name, enum_label(value))) return false;
  if (const Py_ssize_t slot = slots.met(name)) return slot > 0 && put_reference(out, slot);
  char* at = out.room(name.size() + kDigits + 6);
  if (at == nullptr) return false;
  at = put(put_digits(put(at, "E:"), static_cast<long long>(name.size())), ":\"");
  copy_text(at, name.data(), name.size());
  out.advance(put(at + name.size(), "\";"));
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

}  // namespace envelope::serialize
