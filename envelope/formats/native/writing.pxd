"""What the compiled writers share: the buffer, what one call may write, and Python's C API on borrowed references.

The writers walk by borrowed references. That is safe: during a walk they hold the GIL and run no Python code (exact
types only, nothing is freed, nothing is made that the collector tracks), so nobody can change what they walk.
"""

from cpython.object cimport PyObject

from envelope.formats.native.options cimport Writing, writing_of


cdef extern from "Python.h":
    PyObject* Py_None
    PyObject* Py_True
    PyObject* Py_False
    bint PyUnicode_CheckExact(PyObject*) noexcept
    bint PyLong_CheckExact(PyObject*) noexcept
    bint PyFloat_CheckExact(PyObject*) noexcept
    bint PyList_CheckExact(PyObject*) noexcept
    bint PyDict_CheckExact(PyObject*) noexcept
    bint PyBytes_CheckExact(PyObject*) noexcept
    Py_ssize_t PyUnicode_GET_LENGTH(PyObject*) noexcept
    long long PyLong_AsLongLongAndOverflow(PyObject*, int*) noexcept
    double PyFloat_AS_DOUBLE(PyObject*) noexcept
    Py_ssize_t PyList_GET_SIZE(PyObject*) noexcept
    PyObject* PyList_GET_ITEM(PyObject*, Py_ssize_t) noexcept
    Py_ssize_t PyDict_Size(PyObject*) noexcept
    bint PyDict_Next(PyObject*, Py_ssize_t*, PyObject**, PyObject**) noexcept
    Py_ssize_t PyBytes_GET_SIZE(PyObject*) noexcept
    char* PyBytes_AS_STRING(PyObject*) noexcept


cdef extern from "<cmath>" namespace "std":
    bint isfinite(double) noexcept


cdef extern from "native/buffer.hpp" namespace "envelope":
    cdef cppclass Buffer:
        Buffer() noexcept
        void start(Py_ssize_t bound) noexcept
        Py_ssize_t written() noexcept
        void drop(size_t) noexcept
        object finish()


cdef extern from "native/text.hpp" namespace "envelope":
    bint is_int_key(PyObject* text) noexcept
    bint is_ambiguous(PyObject* map) noexcept


cdef enum:
    SAFE_DEPTH = 256  # the walks recurse, at about half a kilobyte of stack per container; Python goes deeper


cdef struct Walk:  # one walk over a value: what it may still take, and how PHP's formats are to be written
    Py_ssize_t depth_left
    Py_ssize_t items_left
    Py_ssize_t bytes_left
    bint php
    bint map_objects


cdef inline void begin(Walk& walk, const Writing& writing) noexcept:
    """Prepare a walk with these options."""
    walk.php = writing.php
    walk.map_objects = writing.map_objects
    walk.depth_left = min(writing.bounds.max_depth, SAFE_DEPTH)
    walk.items_left = writing.bounds.max_items
    walk.bytes_left = writing.bounds.max_bytes


cdef inline bint enter(Walk& walk, Py_ssize_t count) noexcept:
    """Open a container of *count* children; False if that is beyond the bounds."""
    walk.depth_left -= 1
    walk.items_left -= count
    return walk.depth_left >= 0 and walk.items_left >= 0
