# distutils: language=c++
# cython: language_level=3
"""Reading serialize, compiled: what is plain. The grammar stands in `php_serialize`, whose reader takes all else.

Each function answers the place behind what it read, NULL where that is not plain: then `loads` drops the work and
asks the Python reader, which has the errors. Bytes end in a NUL that no token holds, so one byte can always be read.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_Clear
from cpython.object cimport PyObject
from libc.stdint cimport int64_t
from libc.string cimport memcmp

from envelope.formats._native.reading cimport (
    Containers, Py_False, Py_INCREF, Py_None, Py_True, PyFloat_FromDouble, PyLong_FromLongLong,
    clipped, owned, read_float, read_int, read_length, text, text_or_bytes, whole,
)

from envelope.formats._cursor import as_bytes
from envelope.limits import DEFAULT_LIMITS, Limits

cdef enum:
    SMALLEST_MEMBER = 6  # i:0;N;


# Twin: php_serialize.loads
def loads(data, values="portable", dialect="typed", limits=DEFAULT_LIMITS):
    """The value that *data*, an output of PHP's `serialize`, stands for; `DecodeError` where it is none."""
    cdef PyObject* value = NULL
    cdef bint php = values == "php"
    if type(limits) is Limits and dialect == "typed" and (php or values == "portable"):
        if type(data) is not bytes:
            data = as_bytes(data, "serialize", limits)
        if PyBytes_GET_SIZE(data) <= clipped(limits.max_bytes, NULL):
            value = read(data, php, clipped(limits.max_depth, NULL), clipped(limits.max_items, NULL))
            if value != NULL:
                return owned(value)
            PyErr_Clear()
    from envelope.formats.php_serialize import loads as python_loads

    return python_loads(data, values, dialect, limits)


# Twin: Reader.read
cdef PyObject* read(bytes data, bint php, Py_ssize_t max_depth, Py_ssize_t max_items) noexcept:
    """value, then the end of the input."""
    cdef const char* at = PyBytes_AS_STRING(data)
    cdef const char* end = at + PyBytes_GET_SIZE(data)
    cdef Py_ssize_t items = 0, size
    cdef int64_t number
    cdef PyObject* value
    cdef const char* name
    cdef char tag
    cdef Containers opened
    opened.php = php
    # No document declares more members than its bytes can hold, so what is made for them is in proportion.
    max_items = min(max_items, PyBytes_GET_SIZE(data) // SMALLEST_MEMBER)
    while True:
        # ---- value
        tag = at[0]
        value = NULL
        if tag == b"s":
            at = string(at, end, php, &value)
        elif tag == b"i":
            at = integer(at, end, &number)
            if at != NULL:
                value = PyLong_FromLongLong(number)
        elif tag == b"d":
            at = float_number(at, end, &value)
        elif tag == b"N":
            at = null(at, &value)
        elif tag == b"b":
            at = boolean(at, &value)
        elif tag == b"a" or (tag == b"O" and not php):
            at = count(at + 1, end, &size) if tag == b"a" else object_head(at, end, &size)
            if at == NULL:
                return NULL
            items += size
            if items > max_items or opened.depth() >= max_depth:
                return NULL
            if not (opened.open_array(size) if tag == b"a" else opened.open_object(size)):
                return NULL
        else:
            return NULL
        if tag != b"a" and tag != b"O":
            if at == NULL or value == NULL:
                return NULL
            if opened.depth() == 0:
                return whole(value, at, end)
            if not opened.put(value):
                return NULL

        # ---- out of the containers that are complete
        while opened.top().left == 0:
            if at[0] != b"}":
                return NULL
            at += 1
            value = opened.close()
            if value == NULL:
                return NULL
            if opened.depth() == 0:
                return whole(value, at, end)
            if not opened.put(value):
                return NULL

        # ---- key
        if at[0] == b"i":
            at = integer(at, end, &number)
            if at == NULL or not opened.name(number):
                return NULL
        elif at[0] == b"s":
            name = string_span(at, end, &size)
            # In an object such a name is a property's that is not public.
            if name == NULL or (opened.in_object() and name[0] == 0 and size > 0):
                return NULL
            if not opened.name(name, size):
                return NULL
            at = name + size + 2
        else:
            return NULL


# Twin: Reader.string
cdef inline const char* string_span(const char* at, const char* end, Py_ssize_t* size) noexcept:
    """`s:length:"bytes";` — answers where the bytes begin."""
    if at[1] != b":":
        return NULL
    at = read_length(at + 2, size)
    if at == NULL or at[0] != b":" or at[1] != b'"' or end - at - 4 < size[0]:
        return NULL
    at += 2
    return at if at[size[0]] == b'"' and at[size[0] + 1] == b";" else NULL


# Twin: Reader.string
cdef inline const char* string(const char* at, const char* end, bint php, PyObject** value) noexcept:
    """`s:length:"bytes";` — text where the bytes are UTF-8."""
    cdef Py_ssize_t size
    at = string_span(at, end, &size)
    if at == NULL:
        return NULL
    value[0] = text_or_bytes(at, size) if php else text(at, size)
    return at + size + 2


# Twin: Reader.integer
cdef inline const char* integer(const char* at, const char* end, int64_t* number) noexcept:
    """`i:int;`"""
    if at[1] != b":":
        return NULL
    at = read_int(at + 2, end, number)
    return at + 1 if at != NULL and at[0] == b";" else NULL


# Twin: Reader.number
cdef inline const char* float_number(const char* at, const char* end, PyObject** value) noexcept:
    """`d:float;` — a finite one."""
    cdef double number
    if at[1] != b":":
        return NULL
    at = read_float(at + 2, end, &number)
    if at == NULL or at[0] != b";":
        return NULL
    value[0] = PyFloat_FromDouble(number)
    return at + 1


cdef inline const char* null(const char* at, PyObject** value) noexcept:
    """`N;`"""
    if at[1] != b";":
        return NULL
    Py_INCREF(Py_None)
    value[0] = Py_None
    return at + 2


# Twin: Reader.boolean
cdef inline const char* boolean(const char* at, PyObject** value) noexcept:
    """`b:0;` or `b:1;`"""
    if at[1] != b":" or (at[2] != b"0" and at[2] != b"1") or at[3] != b";":
        return NULL
    value[0] = Py_True if at[2] == b"1" else Py_False
    Py_INCREF(value[0])
    return at + 4


# Twin: Reader.count
cdef inline const char* count(const char* at, const char* end, Py_ssize_t* size) noexcept:
    """`:count:{` — no more members than the bytes left can hold."""
    if at[0] != b":":
        return NULL
    at = read_length(at + 1, size)
    if at == NULL or at[0] != b":" or at[1] != b"{" or size[0] > (end - at - 2) // SMALLEST_MEMBER:
        return NULL
    return at + 2


# Twin: Reader.object_head
cdef inline const char* object_head(const char* at, const char* end, Py_ssize_t* size) noexcept:
    """`O:8:"stdClass":count:{`"""
    if end - at < 14 or memcmp(at, b'O:8:"stdClass"', 14) != 0:
        return NULL
    return count(at + 14, end, size)
