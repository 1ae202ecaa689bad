"""Reading plain serialize, compiled. The grammar is in `envelope.formats.serialize`, whose reader takes all else.

Each function returns the place after what it read, NULL if that is not plain: then `loads` drops the work and calls
the Python reader, which raises the errors. Bytes end in a NUL that is in no token, so one byte can always be read.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.object cimport PyObject
from libc.stdint cimport int64_t
from libc.string cimport memchr

from envelope.formats.native.counted cimport *
from envelope.formats.native.options cimport Reading, reading_of
from envelope.formats.php.reading cimport (
    Containers, Slots, classes_are_ready, is_std_class, leave_to_twin, new_class_name, new_enum_case, std_class_name,
    text, text_or_bytes, whole,
)
from envelope.formats.serialize.reading cimport (
    SMALLEST_MEMBER, boolean, count, float_number, integer, null, quoted_span, std_class_head, string_span,
)

from envelope.formats.common.input import as_bytes
from envelope.options import DEFAULT_READING

cdef Reading[2] kept
reading_of(DEFAULT_READING, kept)


# Twin: serialize.read.loads
def loads(data, options=DEFAULT_READING):
    """Return the value that PHP's `unserialize` reads from *data*; `DecodeError` if it is not exactly one value."""
    cdef Reading reading = reading_of(options, kept)
    cdef PyObject* value = NULL
    cdef bint refers = False
    if type(data) is not bytes:
        data = as_bytes(data, "serialize", options.limits, options.encoding)
    if reading.typed and reading.utf8 and PyBytes_GET_SIZE(data) <= reading.bounds.max_bytes:
        value = read(data, reading, &refers)
        if value == NULL and refers:
            leave_to_twin()
            value = read(data, reading, &refers)
        if value != NULL:
            return owned(value)
        leave_to_twin()
    from envelope.formats.serialize.read import loads as python_loads

    return python_loads(data, options)


# Twin: serialize.reader.Reader.value
cdef PyObject* read(bytes data, const Reading& reading, bint* refers) noexcept:
    """value, then the end of the input. Slots cost a place each, so they are kept only if it is known to *refer*."""
    cdef const char* at = PyBytes_AS_STRING(data)
    cdef const char* end = at + PyBytes_GET_SIZE(data)
    cdef Py_ssize_t items = 0, size = 0
    cdef int64_t number
    cdef bint truth
    cdef PyObject* value
    cdef const char* name
    cdef char tag
    cdef Containers opened
    cdef bint php = reading.php
    opened.php = php
    opened.slots.is_kept = opened.unique_keys = refers[0]
    # No document may declare more members than its bytes can hold, so the memory for them is in proportion.
    cdef Py_ssize_t max_items = min(reading.bounds.max_items, PyBytes_GET_SIZE(data) // SMALLEST_MEMBER)
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
            at = float_value(at, end, php, &value)
        elif tag == b"N":
            at = null(at)
            if at != NULL:
                value = Py_NewRef(Py_None)
        elif tag == b"b":
            at = boolean(at, &truth)
            if at != NULL:
                value = Py_NewRef(Py_True if truth else Py_False)
        elif tag == b"a":
            at = count(at + 1, end, &size)
            if at == NULL or not opened.open_array(size):
                return NULL
        elif tag == b"O":
            at = object_head(at, end, reading.std_class, &opened, &size, &value)
            if at == NULL:
                return NULL
        elif tag == b"r":
            if not refers[0]:
                refers[0] = php
                return NULL
            at = reference(at, end, opened.slots, &value)
        elif tag == b"E" and php:
            at = enum_case(at, end, &value)
        else:
            return NULL
        if opened.slots.is_kept and not opened.slots.take(value):
            if tag != b"O":  # then it is borrowed
                Py_XDECREF(value)
            return NULL
        if tag == b"a" or tag == b"O":
            items += size
            if items > max_items or opened.depth() > reading.bounds.max_depth:
                return NULL
        else:
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
            # In an object, such a name is that of a property that is not public.
            if name == NULL or (not php and opened.in_object() and name[0] == 0 and size > 0):
                return NULL
            if not opened.name(name, size):
                return NULL
            at = name + size + 2
        else:
            return NULL


# Twin: serialize.reader.Reader.string
cdef inline const char* string(const char* at, const char* end, bint php, PyObject** value) noexcept:
    """`s:length:"bytes";` — text if the bytes are UTF-8."""
    cdef Py_ssize_t size
    at = string_span(at, end, &size)
    if at == NULL:
        return NULL
    value[0] = text_or_bytes(at, size) if php else text(at, size)
    return at + size + 2


# Twin: serialize.reader.Reader.number
cdef inline const char* float_value(const char* at, const char* end, bint php, PyObject** value) noexcept:
    """`d:float;` — a finite one, unless in PHP's domain."""
    cdef double number
    at = float_number(at, end, php, &number)
    if at == NULL:
        return NULL
    value[0] = PyFloat_FromDouble(number)
    return at


# Twin: serialize.reader.Reader.object
cdef inline const char* object_head(
    const char* at, const char* end, bint std_class, Containers* opened, Py_ssize_t* size, PyObject** value
) noexcept:
    """`O:length:"class":count:{` — opens it; *value* is the object, borrowed, if the domain has it."""
    cdef const char* name
    cdef Py_ssize_t name_size
    if not opened.php:
        at = std_class_head(at, end, size)
        if at == NULL or not std_class:
            return at if at != NULL and opened.open_std_map(size[0]) else NULL
        value[0] = opened.open_object(std_class_name(), size[0]) if classes_are_ready() else NULL
        return at if value[0] != NULL else NULL
    name = quoted_span(at, end, &name_size)
    if name == NULL:
        return NULL
    at = count(name + name_size + 1, end, size)
    if at == NULL or not classes_are_ready():
        return NULL
    value[0] = std_class_name() if is_std_class(name, name_size) else new_class_name(name, name_size)
    if value[0] == NULL:
        return NULL
    value[0] = opened.open_object(value[0], size[0])
    return at if value[0] != NULL else NULL


# Twin: serialize.reader.Reader.enum
cdef inline const char* enum_case(const char* at, const char* end, PyObject** value) noexcept:
    """`E:length:"Class:Case";`"""
    cdef Py_ssize_t size
    cdef const char* name = string_span(at, end, &size)
    if name == NULL or not classes_are_ready():
        return NULL
    cdef const char* colon = <const char*> memchr(name, b":", size)
    if colon == NULL:
        return NULL
    value[0] = new_enum_case(name, colon - name, colon + 1, name + size - colon - 1)
    return name + size + 2


# Twin: serialize.reader.Reader.reference
cdef inline const char* reference(const char* at, const char* end, Slots& slots, PyObject** value) noexcept:
    """`r:slot;` — the object in it."""
    cdef int64_t slot
    at = integer(at, end, &slot)
    if at != NULL:
        value[0] = slots.get(slot)
    return at
