// The JSON containers being written, outermost first: each a list or an object, which its first key decides.
#pragma once

#include <Python.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <vector>

#include "json/string.hpp"
#include "native/buffer.hpp"
#include "native/digits.hpp"
#include "native/hash.hpp"
#include "native/number.hpp"

namespace envelope::json {

// What a PHP array turns out to be; an stdClass is never a list.
enum class Shape : char { kEmptyArray, kEmptyObject, kList, kMap, kObject };

struct Open {
  Py_ssize_t left;   // how many members are to come
  Py_ssize_t next;   // the index of a list's next member
  std::size_t keys;  // where a map's keys begin among all keys
  Shape shape;
};

// False: the document is not plain, or memory runs out. Drop it.
class Containers {
 public:
  static constexpr Py_ssize_t kDeepest = 254;  // orjson's own limit

  Py_ssize_t depth() const { return depth_; }

  // Whether the innermost container has all its members.
  bool is_complete() const { return open_[depth_ - 1].left == 0; }

  // Whether it is an object, whose names are not array keys.
  bool in_object() const {
    const Shape shape = open_[depth_ - 1].shape;
    return shape == Shape::kEmptyObject || shape == Shape::kObject;
  }

  // Opens a container with `left` members to come; false if it is deeper than orjson goes.
  bool open(Py_ssize_t left, bool is_object) {
    if (depth_ == kDeepest) return false;
    open_[depth_++] = {left, 0, keys_.size(), is_object ? Shape::kEmptyObject : Shape::kEmptyArray};
    return true;
  }

  // Sets the next member's key to an integer.
  bool name(Buffer& out, std::int64_t key) {
    Open& open = open_[depth_ - 1];
    if (open.shape == Shape::kEmptyArray && key == 0) {
      open.shape = Shape::kList;
      return next(out, open, '[');
    }
    if (open.shape == Shape::kList) return key == open.next && next(out, open, ',');
    char digits[kDigits];
    return key_text(out, open, digits, put_digits(digits, key) - digits, digits);
  }

  // Sets the next member's key to these bytes, which an ASCII byte follows.
  bool name(Buffer& out, const char* bytes, Py_ssize_t size, const char* readable) {
    Open& open = open_[depth_ - 1];
    std::int64_t number;
    if (!in_object() && canonical_int(bytes, size, &number)) return name(out, number);
    return open.shape != Shape::kList && key_text(out, open, bytes, size, readable);
  }

  // Ends the innermost container; false if two of its keys have the same hash, so that one may be repeated.
  bool close(Buffer& out) {
    const Open& open = open_[--depth_];
    switch (open.shape) {
      case Shape::kEmptyArray: return put_literal(out, "[]");
      case Shape::kEmptyObject: return put_literal(out, "{}");
      case Shape::kList: return put_literal(out, "]");
      default: break;
    }
    const auto first = keys_.begin() + static_cast<std::ptrdiff_t>(open.keys);
    if (!all_differ(first, keys_.end())) return false;
    keys_.erase(first, keys_.end());
    return put_literal(out, "}");
  }

 private:
  using Hashes = std::vector<std::uint64_t>;

  static bool next(Buffer& out, Open& open, char mark) {
    --open.left;
    ++open.next;
    return put_mark(out, mark);
  }

  static bool put_mark(Buffer& out, char mark) {
    char* const at = out.room(1);
    if (at == nullptr) return false;
    *at = mark;
    out.advance(at + 1);
    return true;
  }

  bool key_text(Buffer& out, Open& open, const char* bytes, Py_ssize_t size, const char* readable) try {
    const bool is_first = open.shape == Shape::kEmptyArray || open.shape == Shape::kEmptyObject;
    if (is_first) open.shape = open.shape == Shape::kEmptyObject ? Shape::kObject : Shape::kMap;
    --open.left;
    keys_.push_back(hash_bytes(bytes, size));
    return put_mark(out, is_first ? '{' : ',') && put_string(out, bytes, size, readable) && put_mark(out, ':');
  } catch (const std::bad_alloc&) {
    return false;
  }

  static bool all_differ(Hashes::iterator first, Hashes::iterator last) {
    constexpr std::ptrdiff_t kFew = 16;
    if (last - first > kFew) {
      std::sort(first, last);
      return std::adjacent_find(first, last) == last;
    }
    bool same = false;
    for (; first < last; ++first) {
      for (auto other = first + 1; other < last; ++other) same |= *first == *other;
    }
    return !same;
  }

  Hashes keys_;
  Py_ssize_t depth_ = 0;
  Open open_[kDeepest];
};

}  // namespace envelope::json
