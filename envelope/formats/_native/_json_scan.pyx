# distutils: language=c++
# cython: language_level=3
"""Reading json and jsonu: the checks around orjson, compiled. What fails one of them is left to `json.loads`."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libcpp cimport bool as cppbool

from envelope.formats._native.reading cimport clipped

import orjson

from envelope.formats._cursor import as_bytes
from envelope.limits import DEFAULT_LIMITS, Limits

cdef extern from "json_scan.hpp" namespace "envelope":
    cppbool is_within(object, Py_ssize_t, cppbool*)
    Py_ssize_t most_items(const char*, Py_ssize_t)

    cppclass JsonBounds:
        Py_ssize_t items
        cppbool exact

    JsonBounds json_bounds(const char*, const char*)


# Twin: json.loads
def loads(data, values="portable", dialect="typed", limits=DEFAULT_LIMITS, *, format="json"):
    """The value of a JSON document in UTF-8; `DecodeError` where it is none, or not exactly representable."""
    if type(limits) is Limits and dialect in ("typed", "php") and values in ("portable", "php"):
        if type(data) is not bytes:
            data = as_bytes(data, format, limits)
        if may_be_read(data, limits):
            try:
                value = orjson.loads(data)
            except orjson.JSONDecodeError:
                pass
            else:
                if is_exact(value, data, limits):
                    return value
    from envelope.formats.json import loads as python_loads

    return python_loads(data, values, dialect, limits, format=format)


cdef bint may_be_read(bytes data, limits) except -1:
    """Whether it is within the bounds that hold before orjson makes all of it.

    An item takes two bytes at least. Only a document that could hold too many is counted, roughly and then exactly.
    """
    cdef const char* begin = PyBytes_AS_STRING(data)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    cdef Py_ssize_t max_items = clipped(limits.max_items, NULL)
    if size > clipped(limits.max_bytes, NULL):
        return False
    return (
        size // 2 <= max_items
        or most_items(begin, size) <= max_items
        or json_bounds(begin, begin + size).items <= max_items
    )


cdef bint is_exact(value, bytes data, limits) except -1:
    """Whether *value*, which orjson read, is within the depth and has no integer that orjson rounded."""
    cdef const char* begin = PyBytes_AS_STRING(data)
    cdef cppbool large = False
    if not is_within(value, clipped(limits.max_depth, NULL), &large):
        return False
    return not large or json_bounds(begin, begin + PyBytes_GET_SIZE(data)).exact
