"""Writing XML, compiled; what is irregular, and every error, is left to the Python function.

The grammar is in `envelope.formats.xml`; each function has the rule that it writes.
"""

from envelope.formats.native.writing cimport *

from envelope.options import DEFAULT_WRITING


cdef extern from "xml/tokens.hpp" namespace "envelope::xml":
    cdef cppclass Document(Buffer):
        Document() noexcept
        bint typed

    cdef cppclass Tag:
        pass

    const Tag kRoot
    const Tag kMember
    Tag tag_of(PyObject*) noexcept
    bint put_declaration(Buffer&) noexcept
    bint put_null(Document&, const Tag&) noexcept
    bint put_bool(Document&, const Tag&, bint) noexcept
    bint put_int(Document&, const Tag&, long long) noexcept
    bint put_float(Document&, const Tag&, double) noexcept
    bint put_text(Document&, const Tag&, PyObject*) noexcept
    bint put_list_head(Document&, const Tag&, bint) noexcept
    bint put_map_head(Document&, const Tag&, bint) noexcept
    bint put_tail(Document&, const Tag&) noexcept


cdef Writing[2] kept
writing_of(DEFAULT_WRITING, kept)


# Twin: xml.write.dumps
def dumps(value, options=DEFAULT_WRITING, default=None):
    """Return the document for *value*, in UTF-8 and on one line; `EncodeError` if it cannot be written."""
    body = document(value, writing_of(options, kept))
    if body is None:
        from envelope.formats.xml.write import dumps as python_dumps

        return python_dumps(value, options, default)
    return body


# Twin: common.writer.TextWriter.write
cdef object document(value, const Writing& writing):
    """The bytes of a portable value: a declaration, and the element named root. None if anything is irregular."""
    cdef Walk walk
    cdef Document out
    out.typed = writing.typed
    begin(walk, writing)
    out.start(writing.bounds.max_bytes)
    return out.finish() if put_declaration(out) and put_element(out, walk, kRoot, <PyObject*> value) else None


# Twin: xml.write._Writer.parts
cdef bint put_element(Document& out, Walk& walk, const Tag& tag, PyObject* value) noexcept:
    """Write one element; False if its value is irregular, or too much."""
    cdef int overflow = 0
    cdef long long number
    if PyUnicode_CheckExact(value):
        return put_text(out, tag, value)
    if PyLong_CheckExact(value):
        number = PyLong_AsLongLongAndOverflow(value, &overflow)
        return overflow == 0 and put_int(out, tag, number)
    if PyFloat_CheckExact(value):
        return isfinite(PyFloat_AS_DOUBLE(value)) and put_float(out, tag, PyFloat_AS_DOUBLE(value))
    if PyDict_CheckExact(value):
        return put_map(out, walk, tag, value)
    if PyList_CheckExact(value):
        return put_list(out, walk, tag, value)
    if value is Py_None:
        return put_null(out, tag)
    return (value is Py_True or value is Py_False) and put_bool(out, tag, value is Py_True)


cdef bint put_list(Document& out, Walk& walk, const Tag& tag, PyObject* values) noexcept:
    """Members are elements named item."""
    cdef Py_ssize_t index
    cdef Py_ssize_t count = PyList_GET_SIZE(values)
    if not (enter(walk, count) and put_list_head(out, tag, count > 0)):
        return False
    for index in range(count):
        if not put_element(out, walk, kMember, PyList_GET_ITEM(values, index)):
            return False
    walk.depth_left += 1
    return count == 0 or put_tail(out, tag)


cdef bint put_map(Document& out, Walk& walk, const Tag& tag, PyObject* map) noexcept:
    """Members are elements named after their keys, or named item with a key."""
    cdef Py_ssize_t place = 0
    cdef Py_ssize_t count = PyDict_Size(map)
    cdef PyObject* key
    cdef PyObject* value
    if not (enter(walk, count) and put_map_head(out, tag, count > 0)):
        return False
    while PyDict_Next(map, &place, &key, &value):
        if not (PyUnicode_CheckExact(key) and put_element(out, walk, tag_of(key), value)):
            return False
    walk.depth_left += 1
    return count == 0 or put_tail(out, tag)
