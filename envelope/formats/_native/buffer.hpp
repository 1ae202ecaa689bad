// One growing byte buffer, which is a Python bytes from the start: what it hands over is not copied.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstddef>
#include <cstring>

namespace envelope {

class Buffer {
 public:
  Buffer() = default;
  ~Buffer() { Py_XDECREF(bytes_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  // Begins a document of no more than `bound` bytes, with room for `first`; false without memory for these.
  bool start(Py_ssize_t bound, Py_ssize_t first) {
    bound_ = bound < kMost ? bound : kMost;
    bytes_ = PyBytes_FromStringAndSize(nullptr, first);
    if (bytes_ == nullptr) {
      PyErr_Clear();
      return false;
    }
    at_ = PyBytes_AS_STRING(bytes_);
    end_ = at_ + first;
    return true;
  }

  // Where the next `size` bytes can be written; null where there is no memory, or too much is written already.
  // The bound is looked at when the buffer grows, and in finish(): a token may ask for more than it then takes.
  char* room(std::size_t size) {
    return static_cast<std::size_t>(end_ - at_) >= size || grow(size) ? at_ : nullptr;
  }

  // Says that everything before `at`, a place in room()'s bytes, is written.
  void advance(char* at) { at_ = at; }

  // Takes the last `size` bytes back.
  void drop(std::size_t size) { at_ -= size; }

  // The document, a new reference; None where it is longer than the bound, or memory is out.
  PyObject* finish() {
    if (written() > bound_ || !resize(written())) return Py_NewRef(Py_None);
    PyObject* document = bytes_;
    bytes_ = nullptr;
    return document;
  }

 private:
  // With the limits lifted, a value that shares its parts can unfold beyond any memory. What is longer than this is
  // left to the Python twin, which knows such values where it has to.
  static constexpr Py_ssize_t kMost = Py_ssize_t{1} << 30;

  Py_ssize_t written() const { return at_ - PyBytes_AS_STRING(bytes_); }

  bool grow(std::size_t size) {
    if (written() > bound_) return false;
    const std::size_t used = static_cast<std::size_t>(written());
    const std::size_t twice = 2 * static_cast<std::size_t>(PyBytes_GET_SIZE(bytes_));
    const std::size_t wanted = used + size > twice ? used + size : twice;
    if (wanted > PY_SSIZE_T_MAX / 2 || !resize(static_cast<Py_ssize_t>(wanted))) return false;
    at_ = PyBytes_AS_STRING(bytes_) + used;
    end_ = PyBytes_AS_STRING(bytes_) + wanted;
    return true;
  }

  // Where there is no memory, bytes_ is gone, and the writer gives up.
  bool resize(Py_ssize_t size) {
    if (_PyBytes_Resize(&bytes_, size) == 0) return true;
    PyErr_Clear();
    return false;
  }

  PyObject* bytes_ = nullptr;
  char* at_ = nullptr;
  char* end_ = nullptr;
  Py_ssize_t bound_ = 0;
};

// Writes a string literal.
template <std::size_t N>
inline char* put(char* at, const char (&literal)[N]) {
  std::memcpy(at, literal, N - 1);
  return at + N - 1;
}

}  // namespace envelope
