"""Writing json and jsonu, compiled; what PHP's dialect spells otherwise, and every error, is left to the Python function.

orjson writes here as it does there; what is compiled is around it: the check of every type before, and the ASCII form
after.
"""

from envelope.formats.native.writing cimport *

import orjson

from envelope.options import DEFAULT_WRITING


cdef extern from "json/escape.hpp" namespace "envelope::json":
    object escape_not_ascii(PyObject* body, Py_ssize_t bound)


cdef enum:
    ORJSON_DEPTH = 254  # orjson's own limit


cdef Writing[2] kept
writing_of(DEFAULT_WRITING, kept)
cdef object orjson_dumps = orjson.dumps


# Twin: json.write.dumps
def dumps(value, options=DEFAULT_WRITING, default=None, *, bint ascii=True):
    """Return *value* as JSON, in ASCII or (jsonu) in UTF-8; `EncodeError` if it cannot be written."""
    cdef Writing writing = writing_of(options, kept)
    body = None if writing.flagged else plain(value, writing, ascii)
    if body is None:
        from envelope.formats.json.write import dumps as python_dumps

        return python_dumps(value, options, default, ascii=ascii)
    return body


cdef object plain(value, const Writing& writing, bint ascii):
    """The bytes of a portable value; None if it, or anything about the call, is not plain."""
    cdef Walk walk
    begin(walk, writing)
    walk.depth_left = min(walk.depth_left, ORJSON_DEPTH)
    if not is_portable(walk, <PyObject*> value):
        return None
    if not (writing.typed or is_alike_in_php(walk, <PyObject*> value)):
        return None
    try:
        body = orjson_dumps(value)
    except orjson.JSONEncodeError:  # a lone surrogate
        return None
    if not writing.typed:
        body = (<bytes> body).replace(b"/", b"\\/")  # only in strings, and orjson escapes none
        if not ascii:
            body = (<bytes> body).replace(b"\xe2\x80\xa8", b"\\u2028").replace(b"\xe2\x80\xa9", b"\\u2029")
    if len(<bytes> body) > writing.bounds.max_bytes:
        return None
    return escape_not_ascii(<PyObject*> body, writing.bounds.max_bytes) if ascii else body


cdef bint is_alike_in_php(const Walk& walk, PyObject* value) noexcept:
    """Whether PHP's dialect has the same items for a portable value: no floats, and no maps that it takes for lists."""
    cdef Py_ssize_t place = 0
    cdef PyObject* key
    cdef PyObject* child
    if PyDict_CheckExact(value):
        if not walk.map_objects and is_ambiguous(value):
            return False
        while PyDict_Next(value, &place, &key, &child):
            if not is_alike_in_php(walk, child):
                return False
    elif PyList_CheckExact(value):
        for place in range(PyList_GET_SIZE(value)):
            if not is_alike_in_php(walk, PyList_GET_ITEM(value, place)):
                return False
    return not PyFloat_CheckExact(value)


# Twin: json.write.check_portable
cdef bint is_portable(Walk& walk, PyObject* value) noexcept:
    """Check one value; False if it is not portable, or too much."""
    cdef int overflow = 0
    cdef Py_ssize_t place = 0
    cdef PyObject* key
    cdef PyObject* child
    if PyUnicode_CheckExact(value):
        walk.bytes_left -= PyUnicode_GET_LENGTH(value)
        return walk.bytes_left >= 0
    if PyLong_CheckExact(value):
        PyLong_AsLongLongAndOverflow(value, &overflow)
        return overflow == 0
    if PyFloat_CheckExact(value):
        return isfinite(PyFloat_AS_DOUBLE(value))
    if PyDict_CheckExact(value):
        if not enter(walk, PyDict_Size(value)):
            return False
        while PyDict_Next(value, &place, &key, &child):
            if not PyUnicode_CheckExact(key):
                return False
            walk.bytes_left -= PyUnicode_GET_LENGTH(key)
            if not is_portable(walk, child):
                return False
        walk.depth_left += 1
        return walk.bytes_left >= 0
    if PyList_CheckExact(value):
        if not enter(walk, PyList_GET_SIZE(value)):
            return False
        for place in range(PyList_GET_SIZE(value)):
            if not is_portable(walk, PyList_GET_ITEM(value, place)):
                return False
        walk.depth_left += 1
        return True
    return value is Py_None or value is Py_True or value is Py_False
