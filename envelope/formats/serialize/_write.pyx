"""Writing serialize, compiled: plain values only; all else, and every error, is left to the Python function.

Besides what is refused, these are not plain: objects with a payload, and keys that are bytes or that could be two
spellings of one.
"""

from envelope.formats.php.properties cimport *
from envelope.formats.native.writing cimport *

from envelope.options import DEFAULT_WRITING


cdef extern from "serialize/tokens.hpp" namespace "envelope::serialize":
    bint put_null(Buffer&) noexcept
    bint put_bool(Buffer&, bint) noexcept
    bint put_int(Buffer&, long long) noexcept
    bint put_double(Buffer&, double) noexcept
    bint put_raw(Buffer&, const void*, Py_ssize_t) noexcept
    bint put_string(Buffer&, PyObject*) noexcept
    bint put_key(Buffer&, PyObject*) noexcept
    bint put_index_name(Buffer&, long long) noexcept
    bint put_head(Buffer&, Py_ssize_t, bint) noexcept
    bint put_close(Buffer&) noexcept
    bint put_reference(Buffer&, Py_ssize_t) noexcept
    bint put_object_head(Buffer&, PyObject*, Py_ssize_t) noexcept
    bint put_property_name(Buffer&, PyObject*) noexcept
    bint put_enum_case(Buffer&, SlotsTaken&, PyObject*) noexcept


cdef Writing[2] kept
writing_of(DEFAULT_WRITING, kept)


# Twin: serialize.write.dumps
def dumps(value, options=DEFAULT_WRITING, default=None):
    """Return the bytes that PHP's `serialize` writes for *value*; `EncodeError` if it cannot be written."""
    body = plain(value, writing_of(options, kept))
    if body is None:
        from envelope.formats.serialize.write import dumps as python_dumps

        return python_dumps(value, options, default)
    return body


# Twin: common.writer.TextWriter.write
cdef object plain(value, const Writing& writing):
    """The bytes of a plain value; None if it is not plain."""
    cdef Walk walk
    cdef Buffer out
    cdef SlotsTaken slots
    if not writing.typed:
        return None
    begin(walk, writing)
    if walk.php:
        classes_are_ready()  # they may have to be imported, which a walk must not do
    out.start(writing.bounds.max_bytes)
    return out.finish() if put_value(out, walk, slots, <PyObject*> value) else None


# Twin: serialize.writer.Writer.parts
cdef bint put_value(Buffer& out, Walk& walk, SlotsTaken& slots, PyObject* value) noexcept:
    """Write one value; False if it is not plain, or too much."""
    cdef int overflow = 0
    cdef long long number
    slots.take()
    if PyUnicode_CheckExact(value):
        return put_string(out, value)
    if PyLong_CheckExact(value):
        number = PyLong_AsLongLongAndOverflow(value, &overflow)
        return overflow == 0 and put_int(out, number)
    if PyFloat_CheckExact(value):
        return (walk.php or isfinite(PyFloat_AS_DOUBLE(value))) and put_double(out, PyFloat_AS_DOUBLE(value))
    if PyDict_CheckExact(value):
        return put_map(out, walk, slots, value)
    if PyList_CheckExact(value):
        return put_list(out, walk, slots, value)
    if value is Py_None:
        return put_null(out)
    if value is Py_True or value is Py_False:
        return put_bool(out, value is Py_True)
    return walk.php and put_php_value(out, walk, slots, value)


cdef bint put_php_value(Buffer& out, Walk& walk, SlotsTaken& slots, PyObject* value) noexcept:
    """Write a value that only PHP's domain has."""
    if PyBytes_CheckExact(value):
        return put_raw(out, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    if is_php_object(value):
        return put_object(out, walk, slots, value)
    return is_enum_case(value) and put_enum_case(out, slots, value)


cdef bint put_object(Buffer& out, Walk& walk, SlotsTaken& slots, PyObject* value) noexcept:
    """An object and its properties; if it was written before, a reference to it."""
    cdef PyObject* property
    cdef PyObject* properties = properties_of(value)
    cdef Py_ssize_t index, count
    cdef Py_ssize_t slot = slots.met(value)
    if slot != 0:
        return slot > 0 and put_reference(out, slot)
    if properties == NULL or not have_distinct_names(properties):
        return False
    count = PyTuple_GET_SIZE(properties)
    if not (enter(walk, count) and put_object_head(out, object_class(value), count)):
        return False
    for index in range(count):
        property = PyTuple_GET_ITEM(properties, index)
        if not (put_property_name(out, property) and put_value(out, walk, slots, property_value(property))):
            return False
    walk.depth_left += 1
    return put_close(out)


cdef bint put_list(Buffer& out, Walk& walk, SlotsTaken& slots, PyObject* values) noexcept:
    """Write an array whose keys are indexes."""
    cdef Py_ssize_t index
    cdef Py_ssize_t count = PyList_GET_SIZE(values)
    if not (enter(walk, count) and put_head(out, count, False)):
        return False
    for index in range(count):
        if not (put_int(out, index) and put_value(out, walk, slots, PyList_GET_ITEM(values, index))):
            return False
    walk.depth_left += 1
    return put_close(out)


cdef bint put_map(Buffer& out, Walk& walk, SlotsTaken& slots, PyObject* map) noexcept:
    """Write an array, or an stdClass if an array would be read as a list."""
    cdef Py_ssize_t place = 0
    cdef PyObject* key
    cdef PyObject* value
    cdef int overflow = 0
    cdef long long number
    cdef bint has_int = False, has_decimal = False
    cdef bint is_object = walk.map_objects and is_ambiguous(map)
    cdef Py_ssize_t count = PyDict_Size(map)
    if not (enter(walk, count) and put_head(out, count, is_object)):
        return False
    while PyDict_Next(map, &place, &key, &value):
        if PyUnicode_CheckExact(key):
            has_decimal = has_decimal or (walk.php and is_int_key(key))
            if not (put_string(out, key) if is_object else put_key(out, key)):
                return False
        elif walk.php and PyLong_CheckExact(key):
            has_int = True
            number = PyLong_AsLongLongAndOverflow(key, &overflow)
            if overflow != 0 or not (put_index_name(out, number) if is_object else put_int(out, number)):
                return False
        else:
            return False
        if not put_value(out, walk, slots, value):
            return False
    if has_int and has_decimal and not is_object:
        return False  # two keys may be one in PHP
    walk.depth_left += 1
    return put_close(out)
