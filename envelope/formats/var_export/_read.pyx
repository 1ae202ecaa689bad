"""Reading plain var_export, compiled. The grammar is in `envelope.formats.var_export`, whose reader takes all else.

Each function returns the place after what it read, NULL if that is not plain: then `loads` drops the work and calls
the Python reader, which raises the errors. Bytes end in a NUL that is in no token, so one byte can always be read.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.stdint cimport int64_t

from envelope.formats.native.counted cimport *
from envelope.formats.native.options cimport Reading, reading_of
from envelope.formats.php.reading cimport (
    Containers, Quoted, classes_are_ready, is_digit, is_std_class, leave_to_twin, new_class_name, new_enum_case, read_int,
    read_literal, read_not_finite, std_class_name, text, text_or_bytes, whole,
)

from envelope.formats.common.input import as_bytes
from envelope.options import DEFAULT_READING

cdef extern from "var_export/layout.hpp" namespace "envelope":
    bint is_indent(const char*, const char*, Py_ssize_t)
    const char* skip_arrow(const char*, const char*)
    const char* skip_comma(const char*, const char*)
    const char* skip_array(const char*, const char*)
    const char* skip_object(const char*, const char*)
    const char* skip_set_state(const char*, const char*)
    const char* class_end(const char*)
    const char* name_end(const char*)

cdef extern from "var_export/list_numbers.hpp" namespace "envelope":
    const char* read_numbers(const char*, const char*, Containers&, Py_ssize_t*, Py_ssize_t)

cdef Reading[2] kept
reading_of(DEFAULT_READING, kept)


# Twin: var_export.read.loads
def loads(data, options=DEFAULT_READING, unknown=None):
    """Return the value that *data* prints; `DecodeError` if PHP's `var_export` did not write it."""
    cdef Reading reading = reading_of(options, kept)
    cdef PyObject* value = NULL
    if type(data) is not bytes:
        data = as_bytes(data, "var_export", options.limits, options.encoding)
    if reading.typed and reading.utf8 and PyBytes_GET_SIZE(data) <= reading.bounds.max_bytes:
        value = read(data, reading)
        if value != NULL:
            return owned(value)
        leave_to_twin()
    from envelope.formats.var_export.read import loads as python_loads

    return python_loads(data, options, unknown)


# Twin: var_export.read._Reader.read
cdef PyObject* read(bytes data, const Reading& reading) noexcept:
    """value, then the end of the input."""
    cdef const char* at = PyBytes_AS_STRING(data)
    cdef const char* end = at + PyBytes_GET_SIZE(data)
    cdef Py_ssize_t items = 0, indent = 0
    cdef PyObject* value
    cdef bint own_line
    cdef Quoted quoted
    cdef Containers opened
    cdef bint php = reading.php
    cdef bint has_objects = php or reading.std_class
    opened.php = opened.unique_keys = php
    while True:
        # ---- value
        own_line = at[0] == b"\n" and opened.depth() > 0
        if own_line:
            indent = 2 * opened.depth()
            if not is_indent(at + 1, end, indent):
                return NULL
            at += 1 + indent
        value = NULL
        if (own_line or opened.depth() == 0) and (at[0] == b"a" or at[0] == b"(" or at[0] == b"\\"):
            at = head(at, end, has_objects, &opened, &value)
            if at == NULL or opened.depth() > reading.bounds.max_depth:
                return NULL
        elif own_line:
            return NULL
        else:
            at = scalar(at, end, php, &quoted, &value)
            if at == NULL or value == NULL:
                return NULL
        if value != NULL:
            if opened.depth() == 0:
                return whole(value, at, end)
            if not opened.put(value):
                return NULL
            if opened.in_list() and is_digit(at[-1]):
                at = read_numbers(at, end, opened, &items, reading.bounds.max_items)
                if at == NULL:
                    return NULL
            at = skip_comma(at, end)

        # ---- out of the containers that are complete
        while True:
            indent = 2 * (opened.depth() - 1)
            if at == NULL or not is_indent(at, end, indent):
                return NULL
            at += indent
            if at[0] != b")":
                break
            if opened.in_class():
                at += 1
                if at[0] != b")":
                    return NULL
            value = opened.close()
            if value == NULL:
                return NULL
            if opened.depth() == 0:
                return whole(value, at + 1, end)
            if not opened.put(value):
                return NULL
            at = skip_comma(at + 1, end)

        # ---- key
        items += 1
        if items > reading.bounds.max_items:
            return NULL
        at = key(at, end, &quoted, &opened)
        if at == NULL:
            return NULL


# Twin: var_export.read._Reader.head
cdef inline const char* head(
    const char* at, const char* end, bint has_objects, Containers* opened, PyObject** enum_case
) noexcept:
    """`array (⏎` | `(object) array(⏎` | `\\Class::__set_state(array(⏎` open a container; `\\Class::Case` is an *enum_case*."""
    cdef const char* inside = skip_array(at, end)
    if inside != NULL:
        return inside if opened.open_array(0) else NULL
    if has_objects and not classes_are_ready():
        return NULL
    inside = skip_object(at, end)
    if inside == NULL:
        return class_head(at, end, opened, enum_case) if opened.php else NULL
    if has_objects:
        return inside if opened.open_object(std_class_name(), 0) != NULL else NULL
    return inside if opened.open_std_map(0) else NULL


# Twin: var_export.read._Reader.head
cdef const char* class_head(const char* at, const char* end, Containers* opened, PyObject** enum_case) noexcept:
    """`\\Class::__set_state(array(⏎` | `\\Class::Case`"""
    cdef const char* name = at + 1
    cdef const char* colons = class_end(name)
    cdef const char* inside
    cdef PyObject* class_name
    if at[0] != b"\\" or colons[0] != b":" or colons[1] != b":" or is_std_class(name, colons - name):
        return NULL
    inside = skip_set_state(colons + 2, end)
    if inside == NULL:
        inside = name_end(colons + 2)
        enum_case[0] = new_enum_case(name, colons - name, colons + 2, inside - colons - 2)
        return inside if enum_case[0] != NULL else NULL
    class_name = new_class_name(name, colons - name)
    return inside if class_name != NULL and opened.open_object(class_name, 0) != NULL else NULL


# Twin: var_export.read._Reader.key
cdef inline const char* key(const char* at, const char* end, Quoted* quoted, Containers* opened) noexcept:
    """the rest of the indent, then key ` => `"""
    cdef int64_t number
    cdef const char* start
    if at[0] != b" " or at[1] != b" " or (opened.in_object() and at[2] != b" "):
        return NULL
    start = at = at + (3 if opened.in_object() else 2)
    if at[0] == b"'":
        at = quoted.text(at, end) if opened.in_object() else quoted.string(at, end)
        if at == NULL or not opened.name(quoted.bytes, quoted.size):
            return NULL
    else:
        at = read_int(at, end, &number)
        # Refuse leading zeros and -0: only 0 itself may begin with 0.
        if at == NULL or (start[0] == b"0" and at > start + 1) or (start[0] == b"-" and start[1] == b"0"):
            return NULL
        if not opened.name(number):
            return NULL
    return skip_arrow(at, end)


# Twin: var_export.read._Reader.scalar
cdef inline const char* scalar(const char* at, const char* end, bint php, Quoted* quoted, PyObject** value) noexcept:
    """string | number | NULL | true | false | NAN | INF | -INF — the caller checks what follows."""
    cdef double number
    cdef const char* stop
    if at[0] == b"'":
        at = quoted.string(at, end)
        if at != NULL:
            value[0] = text_or_bytes(quoted.bytes, quoted.size) if php else text(quoted.bytes, quoted.size)
        return at
    if at[0] == b"N" and at[1] == b"U" and at[2] == b"L" and at[3] == b"L":
        return constant(at + 4, Py_None, value)
    if at[0] == b"t" and at[1] == b"r" and at[2] == b"u" and at[3] == b"e":
        return constant(at + 4, Py_True, value)
    if at[0] == b"f" and at[1] == b"a" and at[2] == b"l" and at[3] == b"s" and at[4] == b"e":
        return constant(at + 5, Py_False, value)
    stop = read_not_finite(at, &number) if php else NULL
    if stop == NULL:
        return read_literal(at, end, value)
    value[0] = PyFloat_FromDouble(number)
    return stop


cdef inline const char* constant(const char* at, PyObject* word, PyObject** value) noexcept:
    Py_INCREF(word)
    value[0] = word
    return at
