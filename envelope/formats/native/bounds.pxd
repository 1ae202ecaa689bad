"""`Limits` as the compiled codecs have them: what exceeds any size is cut to the largest."""

from cpython.object cimport PyObject


cdef extern from "Python.h":
    Py_ssize_t clipped "PyNumber_AsSsize_t"(object, PyObject*) except? -1


cdef struct Bounds:
    Py_ssize_t max_bytes
    Py_ssize_t max_depth
    Py_ssize_t max_items


cdef inline Bounds bounds_of(limits) except *:
    """What a `Limits` says."""
    cdef Bounds bounds
    bounds.max_bytes = clipped(limits.max_bytes, NULL)
    bounds.max_depth = clipped(limits.max_depth, NULL)
    bounds.max_items = clipped(limits.max_items, NULL)
    return bounds
