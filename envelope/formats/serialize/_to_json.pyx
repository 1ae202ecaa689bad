"""From plain serialize without repeated keys to JSON, compiled, without a value between.

A function returns the place after what it read. If that is not plain it returns NULL or False: then the two codecs do
the work, or raise the error.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from cpython.pyport cimport PY_SSIZE_T_MAX
from libc.stdint cimport int64_t
from libc.string cimport memchr

from envelope.formats.native.bounds cimport Bounds, bounds_of
from envelope.formats.serialize.reading cimport (
    boolean, count, float_number, integer, null, std_class_head, string_span,
)
from envelope.formats.native.writing cimport Buffer

from envelope.limits import DEFAULT_LIMITS, Limits


cdef extern from "json/escape.hpp" namespace "envelope::json":
    object escape_not_ascii(PyObject* body, Py_ssize_t bound)


cdef extern from "json/tokens.hpp" namespace "envelope::json":
    bint put_null(Buffer&)
    bint put_bool(Buffer&, bint)
    bint put_int(Buffer&, int64_t)
    bint put_double(Buffer&, double)
    bint put_line_end(Buffer&)


cdef extern from "json/string.hpp" namespace "envelope::json":
    bint put_string(Buffer&, const char*, Py_ssize_t, const char*)


cdef extern from "json/containers.hpp" namespace "envelope::json":
    cppclass Containers:
        Py_ssize_t depth()
        bint is_complete()
        bint in_object()
        bint open(Py_ssize_t, bint)
        bint name(Buffer&, int64_t)
        bint name(Buffer&, const char*, Py_ssize_t, const char*)
        bint close(Buffer&)


cdef Bounds DEFAULT_BOUNDS = bounds_of(DEFAULT_LIMITS)


# Twins: serialize.read.loads, then json.write.dumps, in the portable domain
def convert(data, limits, *, bint ascii):
    """Return *data*, in serialize, as JSON, in ASCII or (jsonu) in UTF-8; None if the codecs must do it."""
    cdef Bounds bounds = DEFAULT_BOUNDS
    cdef Buffer out
    cdef const char* begin
    if type(data) is not bytes or type(limits) is not Limits:
        return None
    if limits is not DEFAULT_LIMITS:
        bounds = bounds_of(limits)
    begin = PyBytes_AS_STRING(data)
    out.start(bounds.max_bytes)
    if not write(begin, begin + PyBytes_GET_SIZE(data), out, bounds):
        return None
    return finish(out, bounds.max_bytes, ascii)


# Twin: cli.bulk.lines.LinesTask
def convert_lines(bytes data not None, limits, *, bint ascii):
    """Return each line of *data* as `convert` does, how many lines there are, and how many of them are not empty.

    None if one of them is not plain. A carriage return before a line feed is not part of a document.
    """
    cdef Bounds bounds = bounds_of(limits)
    cdef Buffer out
    cdef const char* at = PyBytes_AS_STRING(data)
    cdef const char* end = at + PyBytes_GET_SIZE(data)
    cdef const char* line_end
    cdef const char* stop
    cdef Py_ssize_t lines = 0, documents = 0, before
    out.start(PY_SSIZE_T_MAX)
    while at < end:
        line_end = <const char*> memchr(at, b"\n", end - at)
        if line_end == NULL:
            line_end = end
        stop = line_end - 1 if line_end > at and line_end[-1] == b"\r" else line_end
        lines += 1
        if stop > at:
            documents += 1
            before = out.written()
            if not write(at, stop, out, bounds) or not put_line_end(out):
                return None
            # In ASCII it may become three times as long: six bytes for a two-byte character.
            if (out.written() - before) * (3 if ascii else 1) > bounds.max_bytes:
                return None
        at = line_end + 1
    body = finish(out, PY_SSIZE_T_MAX, ascii)
    return None if body is None else (body, lines, documents)


cdef object finish(Buffer& out, Py_ssize_t bound, bint ascii):
    """What was written, in ASCII if asked for; None if it is longer than *bound*, or memory runs out."""
    body = out.finish()
    return escape_not_ascii(<PyObject*> body, bound) if ascii and body is not None else body


# Twin: serialize.reader.Reader.value
cdef bint write(const char* at, const char* end, Buffer& out, const Bounds& bounds) noexcept:
    """value, then the end of the input, which no token continues past."""
    cdef Py_ssize_t items = 0, size = 0
    cdef int64_t number
    cdef bint is_object
    cdef const char* name
    cdef Containers opened
    if end - at > bounds.max_bytes:
        return False
    while True:
        # ---- value
        if at[0] == b"a" or at[0] == b"O":
            is_object = at[0] == b"O"
            at = std_class_head(at, end, &size) if is_object else count(at + 1, end, &size)
            if at == NULL or not opened.open(size, is_object):
                return False
            items += size
            if items > bounds.max_items or opened.depth() > bounds.max_depth:
                return False
        else:
            at = scalar(at, end, out)
            if at == NULL:
                return False
            if opened.depth() == 0:
                return at == end

        # ---- out of the containers that are complete
        while opened.is_complete():
            if at[0] != b"}" or not opened.close(out):
                return False
            at += 1
            if opened.depth() == 0:
                return at == end

        # ---- key
        if at[0] == b"i":
            at = integer(at, end, &number)
            if at == NULL or not opened.name(out, number):
                return False
        elif at[0] == b"s":
            name = string_span(at, end, &size)
            # In an object, such a name is that of a property that is not public.
            if name == NULL or (opened.in_object() and name[0] == 0 and size > 0):
                return False
            if not opened.name(out, name, size, end):
                return False
            at = name + size + 2
        else:
            return False


# Twins: serialize.reader.Reader.string, serialize.reader.Reader.integer, serialize.reader.Reader.number
cdef inline const char* scalar(const char* at, const char* end, Buffer& out) noexcept:
    """`s:length:"bytes";` | `i:int;` | `d:float;` | `b:0;` | `b:1;` | `N;`"""
    cdef const char* text
    cdef Py_ssize_t size
    cdef int64_t number
    cdef double real
    cdef bint truth
    if at[0] == b"s":
        text = string_span(at, end, &size)
        return text + size + 2 if text != NULL and put_string(out, text, size, end) else NULL
    if at[0] == b"i":
        at = integer(at, end, &number)
        return at if at != NULL and put_int(out, number) else NULL
    if at[0] == b"d":
        at = float_number(at, end, False, &real)
        return at if at != NULL and put_double(out, real) else NULL
    if at[0] == b"b":
        at = boolean(at, &truth)
        return at if at != NULL and put_bool(out, truth) else NULL
    return null(at) if at[0] == b"N" and put_null(out) else NULL
