"""Writing var_export, compiled: plain values only; all else, and every error, is left to the Python function.

Besides what is refused, these are not plain: keys that are bytes or that could be two spellings of one.
"""

from envelope.formats.php.properties cimport *
from envelope.formats.native.writing cimport *

from envelope.options import DEFAULT_WRITING


cdef extern from "var_export/tokens.hpp" namespace "envelope::var_export":
    bint put_null(Buffer&) noexcept
    bint put_bool(Buffer&, bint) noexcept
    bint put_int(Buffer&, long long) noexcept
    bint put_double(Buffer&, double) noexcept
    bint put_raw(Buffer&, const char*, Py_ssize_t) noexcept
    bint put_string(Buffer&, PyObject*) noexcept
    bint put_key(Buffer&, size_t indent, PyObject*) noexcept
    bint put_index_key(Buffer&, size_t indent, long long) noexcept
    bint put_name(Buffer&, size_t indent, PyObject*) noexcept
    bint put_index_name(Buffer&, size_t indent, long long) noexcept
    bint put_head(Buffer&, size_t indent, bint is_object) noexcept
    bint put_close(Buffer&, size_t indent) noexcept
    bint put_object_head(Buffer&, size_t indent, PyObject* class_name) noexcept
    bint put_property_name(Buffer&, size_t indent, PyObject* property) noexcept
    bint put_object_close(Buffer&, size_t indent, PyObject* class_name) noexcept
    bint put_enum_case(Buffer&, size_t indent, PyObject*) noexcept


cdef Writing[2] kept
writing_of(DEFAULT_WRITING, kept)


# Twin: var_export.write.dumps
def dumps(value, options=DEFAULT_WRITING, default=None):
    """Return the bytes that PHP's `var_export` prints for *value*; `EncodeError` if it cannot be written."""
    body = plain(value, writing_of(options, kept))
    if body is None:
        from envelope.formats.var_export.write import dumps as python_dumps

        return python_dumps(value, options, default)
    return body


# Twin: common.writer.TextWriter.write
cdef object plain(value, const Writing& writing):
    """The bytes of a plain value; None if it is not plain."""
    cdef Walk walk
    cdef Buffer out
    if not writing.typed:
        return None
    begin(walk, writing)
    if walk.php:
        classes_are_ready()  # they may have to be imported, which a walk must not do
    out.start(writing.bounds.max_bytes)
    if not put_value(out, walk, <PyObject*> value, 0):
        return None
    out.drop(2)  # every value, even the root, writes its comma and line feed
    return out.finish()


# Twin: var_export.write._Writer.parts
cdef bint put_value(Buffer& out, Walk& walk, PyObject* value, size_t indent) noexcept:
    """Write one value inside containers of this indent; False if it is not plain, or too much."""
    cdef int overflow = 0
    cdef long long number
    if PyUnicode_CheckExact(value):
        return put_string(out, value)
    if PyLong_CheckExact(value):
        number = PyLong_AsLongLongAndOverflow(value, &overflow)
        return overflow == 0 and put_int(out, number)
    if PyFloat_CheckExact(value):
        return (walk.php or isfinite(PyFloat_AS_DOUBLE(value))) and put_double(out, PyFloat_AS_DOUBLE(value))
    if PyDict_CheckExact(value):
        return put_map(out, walk, value, indent)
    if PyList_CheckExact(value):
        return put_list(out, walk, value, indent)
    if value is Py_None:
        return put_null(out)
    if value is Py_True or value is Py_False:
        return put_bool(out, value is Py_True)
    return walk.php and put_php_value(out, walk, value, indent)


cdef bint put_php_value(Buffer& out, Walk& walk, PyObject* value, size_t indent) noexcept:
    """Write a value that only PHP's domain has."""
    if PyBytes_CheckExact(value):
        return put_raw(out, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    if is_php_object(value):
        return put_object(out, walk, value, indent)
    return is_enum_case(value) and put_enum_case(out, indent, value)


cdef bint put_object(Buffer& out, Walk& walk, PyObject* value, size_t indent) noexcept:
    """Write an object and its properties."""
    cdef PyObject* property
    cdef PyObject* properties = properties_of(value)
    cdef Py_ssize_t index
    if properties == NULL or not enter(walk, PyTuple_GET_SIZE(properties)):
        return False
    if not put_object_head(out, indent, object_class(value)):
        return False
    for index in range(PyTuple_GET_SIZE(properties)):
        property = PyTuple_GET_ITEM(properties, index)
        if not put_property_name(out, indent + 3, property):
            return False
        if not put_value(out, walk, property_value(property), indent + 2):
            return False
    walk.depth_left += 1
    return put_object_close(out, indent, object_class(value))


cdef bint put_list(Buffer& out, Walk& walk, PyObject* values, size_t indent) noexcept:
    """Write an array whose keys are indexes."""
    cdef Py_ssize_t index
    cdef Py_ssize_t count = PyList_GET_SIZE(values)
    if not (enter(walk, count) and put_head(out, indent, False)):
        return False
    for index in range(count):
        if not put_index_key(out, indent + 2, index):
            return False
        if not put_value(out, walk, PyList_GET_ITEM(values, index), indent + 2):
            return False
    walk.depth_left += 1
    return put_close(out, indent)


cdef bint put_map(Buffer& out, Walk& walk, PyObject* map, size_t indent) noexcept:
    """Write an array, or an stdClass if an array would be read as a list."""
    cdef Py_ssize_t place = 0
    cdef PyObject* key
    cdef PyObject* value
    cdef int overflow = 0
    cdef long long number
    cdef bint has_int = False, has_decimal = False
    cdef bint is_object = walk.map_objects and is_ambiguous(map)
    if not (enter(walk, PyDict_Size(map)) and put_head(out, indent, is_object)):
        return False
    while PyDict_Next(map, &place, &key, &value):
        if PyUnicode_CheckExact(key):
            has_decimal = has_decimal or (walk.php and is_int_key(key))
            if not (put_name(out, indent + 3, key) if is_object else put_key(out, indent + 2, key)):
                return False
        elif walk.php and PyLong_CheckExact(key):
            has_int = True
            number = PyLong_AsLongLongAndOverflow(key, &overflow)
            if overflow != 0:
                return False
            if not (put_index_name(out, indent + 3, number) if is_object else put_index_key(out, indent + 2, number)):
                return False
        else:
            return False
        if not put_value(out, walk, value, indent + 2):
            return False
    if has_int and has_decimal and not is_object:
        return False  # two keys may be one in PHP
    walk.depth_left += 1
    return put_close(out, indent)
