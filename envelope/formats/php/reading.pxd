"""What the readers of PHP's formats share: the headers beside them, and what they leave to their twins."""

from cpython.object cimport PyObject
from libc.stdint cimport int64_t

from envelope.formats.native.counted cimport Py_DECREF


cdef extern from "Python.h":
    PyObject* PyExc_MemoryError
    PyObject* PyExc_UnicodeDecodeError
    PyObject* PyErr_Occurred() noexcept
    bint PyErr_GivenExceptionMatches(PyObject*, PyObject*) noexcept
    void PyErr_Clear() noexcept


cdef extern from "native/decoded.hpp" namespace "envelope":
    PyObject* text(const char*, Py_ssize_t)
    PyObject* text_or_bytes(const char*, Py_ssize_t)


cdef extern from "php/instances.hpp" namespace "envelope":
    bint classes_are_ready()
    bint is_std_class(const char*, Py_ssize_t)
    PyObject* std_class_name()
    PyObject* new_class_name(const char*, Py_ssize_t)
    PyObject* new_enum_case(const char*, Py_ssize_t, const char*, Py_ssize_t)


cdef extern from "native/number.hpp" namespace "envelope":
    bint is_digit(char)
    const char* read_length(const char*, Py_ssize_t*)
    const char* read_int(const char*, const char*, int64_t*)
    const char* read_float(const char*, const char*, double*)
    const char* read_not_finite(const char*, double*)
    const char* read_literal(const char*, const char*, PyObject**)


cdef extern from "var_export/quoted.hpp" namespace "envelope":
    cppclass Quoted:
        const char* bytes
        Py_ssize_t size
        const char* text(const char*, const char*)
        const char* string(const char*, const char*)


cdef extern from "php/containers.hpp" namespace "envelope":
    cppclass Open:
        Py_ssize_t left

    cppclass Slots:
        bint is_kept
        bint take(PyObject*)
        PyObject* get(int64_t)

    cppclass Containers:
        bint php
        bint unique_keys
        Slots slots
        Py_ssize_t depth()
        Open& top()
        bint in_object()
        bint in_class()
        bint in_list()
        bint open_array(Py_ssize_t)
        bint open_std_map(Py_ssize_t)
        PyObject* open_object(PyObject*, Py_ssize_t)
        bint name(int64_t)
        bint name(const char*, Py_ssize_t)
        bint put(PyObject*)
        PyObject* close()


cdef inline int leave_to_twin() except -1:
    """Forget why the reader stopped if the Python reader will find it again; raise anything else, like an interrupt."""
    cdef PyObject* why = PyErr_Occurred()
    if why != NULL and not (
        PyErr_GivenExceptionMatches(why, PyExc_UnicodeDecodeError) or PyErr_GivenExceptionMatches(why, PyExc_MemoryError)
    ):
        return -1
    PyErr_Clear()
    return 0


# Twin: common.cursor.Cursor.trailing
cdef inline PyObject* whole(PyObject* value, const char* at, const char* end) noexcept:
    """*value*, if it ends where the input does; else NULL."""
    if at == end:
        return value
    Py_DECREF(value)
    return NULL
