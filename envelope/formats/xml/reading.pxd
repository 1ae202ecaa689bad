"""What `_read` uses of the headers beside it."""

from cpython.object cimport PyObject
from libc.stdint cimport int64_t


cdef extern from "Python.h":
    # The walk borrows: a container belongs to the one around it, the outermost to `read`.
    PyObject* PyList_New(Py_ssize_t) noexcept
    PyObject* PyDict_New() noexcept
    int PyList_Append(PyObject*, PyObject*) noexcept
    int PyDict_SetItem(PyObject*, PyObject*, PyObject*) noexcept


cdef extern from "xml/scan.hpp" namespace "envelope::xml":
    const char* skip_white(const char*) noexcept


cdef extern from "xml/head.hpp" namespace "envelope::xml":
    enum Kind:
        kText
        kInt
        kFloat
        kBool
        kNull
        kList
        kMap
        kDocument

    cdef struct Head:
        const char* name
        Py_ssize_t size
        Kind kind
        bint is_empty
        bint has_key

    const char* skip_declaration(const char*, const char*) noexcept
    const char* read_head(const char*, const char*, Head*) noexcept
    const char* skip_end_tag(const char*, const char*, const char*, Py_ssize_t) noexcept
    const char* closed(const char*, const char*, const Head&) noexcept
    bint is_root(const Head&) noexcept
    bint is_member(const Head&) noexcept
    bint is_plain(const Head&) noexcept
    bint holds_elements(const char*) noexcept


cdef extern from "native/decoded.hpp" namespace "envelope":
    PyObject* ascii_text(const char*, Py_ssize_t) noexcept


cdef extern from "xml/elements.hpp" namespace "envelope::xml":
    PyObject* key_of(const Head&) noexcept
    const char* text(const char*, const char*, const Head&, PyObject**) noexcept


cdef extern from "xml/children.hpp" namespace "envelope::xml":
    cdef cppclass Children:
        Children() noexcept
        Py_ssize_t count() noexcept
        bint open(PyObject*) noexcept
        void put(PyObject*) noexcept
        bint close(Py_ssize_t) noexcept
        PyObject* root() noexcept


cdef extern from "xml/elements.hpp" namespace "envelope::xml":
    const char* read_bool(const char*, const char*, bint*) noexcept
    const char* read_int(const char*, int64_t*) noexcept
    const char* read_float(const char*, double*) noexcept
