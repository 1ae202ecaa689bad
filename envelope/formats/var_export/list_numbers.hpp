// Runs of numbers in the lists of var_export, like embeddings.
#pragma once

#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "native/digits.hpp"
#include "native/number.hpp"
#include "native/words.hpp"
#include "php/containers.hpp"

namespace envelope {

// What is between one element of a list and the next, `,⏎ indent index => `: known before it is read, so it is
// compared, not parsed.
class NextElement {
 public:
  // Before the element at `index`; false if the list's elements are indented too far to keep.
  bool begin(Py_ssize_t indent, Py_ssize_t index) {
    if (indent > kWidestIndent) return false;
    indent_ = indent;
    index_ = index;
    std::memcpy(text_, ",\n", 2);
    std::memset(text_ + 2, ' ', kWidestIndent);
    put_index();
    return true;
  }

  // The place after it; nullptr if something else is here. Compares eight bytes at a time, the last eight overlapping
  // those before: even the shallowest list has that many.
  const char* skip(const char* at, const char* end) const {
    if (end - at < size_) return nullptr;
    std::uint64_t differences = word_at(at + size_ - 8) ^ word_at(text_ + size_ - 8);
    for (Py_ssize_t from = 0; from + 8 < size_; from += 8) differences |= word_at(at + from) ^ word_at(text_ + from);
    return differences == 0 ? at + size_ : nullptr;
  }

  // Increments the index.
  void advance() {
    ++index_;
    char* digit = text_ + size_ - sizeof kArrow;
    for (; *digit == '9'; --digit) *digit = '0';
    if (*digit == ' ') {
      put_index();  // it has one more digit
    } else {
      ++*digit;
    }
  }

 private:
  static constexpr Py_ssize_t kWidestIndent = 64;
  static constexpr char kArrow[] = " => ";

  void put_index() {
    char* const stop = put_digits(text_ + 2 + indent_, index_);
    std::memcpy(stop, kArrow, 4);
    size_ = stop + 4 - text_;
  }

  Py_ssize_t indent_, index_, size_;
  char text_[2 + kWidestIndent + kDigits + 4];
};

// Twin: var_export.read._Reader.read. (`,⏎` indent index ` => ` number)*, after a number in a list; returns the place
// after the last.
[[gnu::noinline]] inline const char* read_numbers(const char* at, const char* end, Containers& opened,
                                                  Py_ssize_t* items, Py_ssize_t max_items) {
  NextElement next;
  if (!next.begin(2 * opened.depth(), opened.list_size())) return at;
  for (; *items < max_items; ++*items, next.advance()) {
    const char* const element = next.skip(at, end);
    PyObject* value = nullptr;
    const char* const stop = element ? read_literal(element, end, &value) : nullptr;
    if (!stop) return at;
    if (!value || !opened.put(value)) return nullptr;
    at = stop;
  }
  return at;
}

}  // namespace envelope
