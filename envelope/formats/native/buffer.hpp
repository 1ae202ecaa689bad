// One growing byte buffer that ends as a Python bytes.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace envelope {

// Asks for a long document's memory in large pages, if the system has them: most of it is new memory, whose first use,
// one fault for each small page, can take as long as writing the document. It is only a hint: if the system refuses,
// as it may if its pages are larger than kPage, nothing changes.
inline void prefer_large_pages([[maybe_unused]] PyObject* bytes, [[maybe_unused]] Py_ssize_t size) {
#ifdef MADV_HUGEPAGE
  constexpr Py_ssize_t kLong = Py_ssize_t{4} << 20;
  constexpr std::uintptr_t kPage = 4096;
  if (size < kLong) return;
  // Whole pages, including the object's head: memory with parts of different kinds could only grow by a copy.
  const auto first = reinterpret_cast<std::uintptr_t>(bytes) & ~(kPage - 1);
  const auto end = reinterpret_cast<std::uintptr_t>(PyBytes_AS_STRING(bytes)) + static_cast<std::uintptr_t>(size);
  madvise(reinterpret_cast<void*>(first), ((end + kPage) & ~(kPage - 1)) - first, MADV_HUGEPAGE);
#endif
}

// Short documents are written inside the buffer itself and copied once; longer ones into a Python bytes that grows, and
// is handed over without a copy.
class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { Py_XDECREF(bytes_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  // Begins a document of no more than `bound` bytes.
  void start(Py_ssize_t bound) { bound_ = bound < kMost ? bound : kMost; }

  // Where the next `size` bytes can be written; null if there is no memory, or too much is written already.
  // The bound is checked when the buffer grows, and in finish(): a token may ask for more than it then takes.
  char* room(std::size_t size) {
    return static_cast<std::size_t>(end_ - at_) >= size || grow(size) ? at_ : nullptr;
  }

  // Marks everything before `at`, a place in room()'s bytes, as written.
  void advance(char* at) { at_ = at; }

  // How many bytes are written.
  Py_ssize_t written() const { return at_ - begin_; }

  // Takes the last `size` bytes back.
  void drop(std::size_t size) { at_ -= size; }

  // The document, a new reference; None if it is longer than the bound, or memory runs out.
  PyObject* finish() {
    PyObject* document = nullptr;
    if (written() > bound_) return Py_NewRef(Py_None);
    if (bytes_ == nullptr) {
      document = PyBytes_FromStringAndSize(begin_, written());
    } else if (_PyBytes_Resize(&bytes_, written()) == 0) {
      document = bytes_;
      bytes_ = nullptr;
    }
    if (document != nullptr) return document;
    PyErr_Clear();
    return Py_NewRef(Py_None);
  }

 private:
  // Without limits, a value that shares its parts can unfold beyond any memory. Anything longer than this is left to
  // the Python twin, which detects such values if it must.
  static constexpr Py_ssize_t kMost = Py_ssize_t{1} << 30;

  bool grow(std::size_t size) {
    const Py_ssize_t used = written();
    if (used > bound_ || size > PY_SSIZE_T_MAX / 4) return false;
    const Py_ssize_t needed = used + static_cast<Py_ssize_t>(size);
    const Py_ssize_t twice = 2 * (end_ - begin_);
    const Py_ssize_t wanted = needed > twice ? needed : twice;
    if (bytes_ != nullptr) {
      _PyBytes_Resize(&bytes_, wanted);
    } else if ((bytes_ = PyBytes_FromStringAndSize(nullptr, wanted)) != nullptr) {
      std::memcpy(PyBytes_AS_STRING(bytes_), begin_, static_cast<std::size_t>(used));
    }
    if (bytes_ == nullptr) {
      PyErr_Clear();
      return false;
    }
    begin_ = PyBytes_AS_STRING(bytes_);
    prefer_large_pages(bytes_, wanted);
    at_ = begin_ + used;
    end_ = begin_ + wanted;
    return true;
  }

  char first_[2048];
  char* begin_ = first_;
  char* at_ = first_;
  char* end_ = first_ + sizeof first_;
  PyObject* bytes_ = nullptr;
  Py_ssize_t bound_ = 0;
};

// Writes a string literal.
template <std::size_t N>
inline char* put(char* at, const char (&literal)[N]) {
  std::memcpy(at, literal, N - 1);
  return at + N - 1;
}

// The same at the end of a document; false if there is no room.
template <std::size_t N>
inline bool put_literal(Buffer& out, const char (&literal)[N]) {
  char* const at = out.room(N);
  if (at == nullptr) return false;
  out.advance(put(at, literal));
  return true;
}

}  // namespace envelope
