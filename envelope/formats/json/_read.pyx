"""Reading json and jsonu: the checks around orjson, compiled. What fails one of them is left to the Python function."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libcpp cimport bool as cppbool

from envelope.formats.native.bounds cimport Bounds
from envelope.formats.native.options cimport Reading, reading_of

import orjson

from envelope.formats.common.input import as_bytes
from envelope.options import DEFAULT_READING

cdef extern from "json/scan.hpp" namespace "envelope":
    cppbool is_within(PyObject*, Py_ssize_t, cppbool*)
    Py_ssize_t most_items(const char*, Py_ssize_t)

    cppclass JsonBounds:
        Py_ssize_t items
        Py_ssize_t depth
        cppbool exact

    JsonBounds json_bounds(const char*, const char*)

cdef Reading[2] kept
reading_of(DEFAULT_READING, kept)


# Twin: json.read.loads
def loads(data, options=DEFAULT_READING, *, format="json"):
    """Return the value of a JSON document; `DecodeError` if it is not one, or not exactly representable."""
    cdef Reading reading = reading_of(options, kept)
    if type(data) is not bytes:
        data = as_bytes(data, format, options.limits, options.encoding)
    if reading.utf8 and may_be_read(data, reading.bounds):
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            pass
        else:
            if is_exact(value, data, reading.bounds):
                return value
    from envelope.formats.json.read import loads as python_loads

    return python_loads(data, options, format=format)


cdef bint may_be_read(bytes data, const Bounds& bounds) noexcept:
    """Whether it is within the bounds that must hold before orjson makes all of it.

    An item takes at least two bytes. Only a document that could hold too many is counted, roughly and then exactly.
    """
    cdef const char* begin = PyBytes_AS_STRING(data)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    if size > bounds.max_bytes:
        return False
    return (
        size // 2 <= bounds.max_items
        or most_items(begin, size) <= bounds.max_items
        or is_within_bounds(begin, size, bounds)
    )


# Twin: json.scan.JsonScanner.scan
cdef bint is_within_bounds(const char* begin, Py_ssize_t size, const Bounds& bounds) noexcept:
    cdef JsonBounds found = json_bounds(begin, begin + size)
    return found.items <= bounds.max_items and found.depth <= bounds.max_depth and found.exact


cdef bint is_exact(value, bytes data, const Bounds& bounds) noexcept:
    """Whether *value*, which orjson read, is within the depth and has no integer that orjson rounded."""
    cdef cppbool large = False
    if not is_within(<PyObject*> value, bounds.max_depth, &large):
        return False
    return not large or is_within_bounds(PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), bounds)
