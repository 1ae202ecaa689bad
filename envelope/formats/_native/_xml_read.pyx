"""`xml.loads`, compiled, for the typed dialect: what our writer writes, and white space between children.

Each function answers the place behind what it read, NULL where that is not plain: then `loads` drops the work and asks
the Python function, which has the errors and the rest of XML. The grammar stands in `xml`; here beside each function
is the rule that it reads. The bytes end in a NUL that no token holds, so one byte can always be read.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_Clear
from cpython.object cimport PyObject
from libc.stdint cimport int64_t

from envelope.formats._native.writing cimport Bounds, bounds_of

from envelope.formats._cursor import as_bytes
from envelope.limits import DEFAULT_LIMITS, Limits


cdef extern from "Python.h":
    # By hand, for the walk borrows: a container belongs to the one around it, the outermost to `read`.
    PyObject* Py_None
    PyObject* Py_True
    PyObject* Py_False
    PyObject* Py_NewRef(PyObject*) noexcept
    void Py_DECREF(PyObject*) noexcept
    void Py_XDECREF(PyObject*) noexcept
    PyObject* PyList_New(Py_ssize_t) noexcept
    PyObject* PyDict_New() noexcept
    PyObject* PyLong_FromLongLong(long long) noexcept
    PyObject* PyFloat_FromDouble(double) noexcept
    int PyList_Append(PyObject*, PyObject*) noexcept
    int PyDict_SetItem(PyObject*, PyObject*, PyObject*) noexcept


cdef extern from *:
    """
    #define envelope_owned(value) (value)  /* a new reference, given to Cython */
    """
    object owned "envelope_owned"(PyObject*)


cdef extern from "xml_scan.hpp" namespace "envelope::xml":
    cdef cppclass Run:
        pass

    const char* read_text(const char*, const char*, Run*) noexcept
    const char* behind_white(const char*) noexcept


cdef extern from "xml_head.hpp" namespace "envelope::xml":
    enum Kind:
        kText
        kInt
        kFloat
        kBool
        kNull
        kList
        kMap
        kDocument

    cdef struct Head:
        const char* name
        Py_ssize_t size
        Kind kind
        bint is_empty
        bint has_key
        bint is_escaped
        bint is_key_escaped
        Run key

    const char* behind_declaration(const char*, const char*) noexcept
    const char* read_head(const char*, const char*, Head*) noexcept
    const char* behind_end_tag(const char*, const char*, const char*, Py_ssize_t) noexcept
    bint is_root(const Head&) noexcept
    bint is_member(const Head&) noexcept
    bint is_entry(const Head&) noexcept


cdef extern from "xml_decode.hpp" namespace "envelope::xml":
    PyObject* ascii_str(const char*, Py_ssize_t) noexcept
    PyObject* str_of(const Run&, bint is_escaped) noexcept


cdef extern from "xml_keys.hpp" namespace "envelope::xml":
    cdef cppclass Names:
        PyObject* text(const char*, Py_ssize_t) noexcept

    Names names


cdef extern from "xml_scalars.hpp" namespace "envelope::xml":
    const char* read_bool(const char*, const char*, bint*) noexcept
    const char* read_int(const char*, int64_t*) noexcept
    const char* read_float(const char*, double*) noexcept


cdef struct Open:  # a container whose end tag is to come, borrowed
    PyObject* container
    Kind kind
    const char* name
    Py_ssize_t size


cdef enum:
    SAFE_DEPTH = 512  # open containers stand on the C stack; what is deeper is left to Python


cdef Bounds DEFAULT_BOUNDS = bounds_of(DEFAULT_LIMITS)


# Twin: xml.loads
def loads(data, values="portable", dialect="typed", limits=DEFAULT_LIMITS):
    """The value of the document *data*; `DecodeError` where it is not one, or holds anything that is no value."""
    cdef PyObject* value = NULL
    if type(dialect) is str and dialect == "typed" and type(values) is str and values in ("portable", "php"):
        if limits is DEFAULT_LIMITS:
            value = plain(data, limits, DEFAULT_BOUNDS)
        elif type(limits) is Limits:
            try:
                value = plain(data, limits, bounds_of(limits))
            except OverflowError:
                pass
    if value == NULL:
        from envelope.formats.xml import loads as python_loads

        return python_loads(data, values, dialect, limits)
    return owned(value)


cdef PyObject* plain(data, limits, const Bounds& bounds) except? NULL:
    """The value, a new reference; NULL where anything is not plain."""
    cdef PyObject* value
    cdef bytes document = data if type(data) is bytes else as_bytes(data, "xml", limits)
    if PyBytes_GET_SIZE(document) > bounds.max_bytes:
        return NULL
    value = read(PyBytes_AS_STRING(document), PyBytes_GET_SIZE(document), bounds)
    if value == NULL:
        PyErr_Clear()  # memory ended, or text was no UTF-8
    return value


# Twin: _xml_read.read, and _xml_tree.walk_typed
cdef PyObject* read(const char* at, Py_ssize_t length, const Bounds& bounds) noexcept:
    """declaration? white* element white*; a new reference, NULL where anything is not plain."""
    cdef const char* end = at + length
    cdef Py_ssize_t max_depth = min(bounds.max_depth, SAFE_DEPTH - 1)
    cdef Py_ssize_t items = -1  # the root is not counted
    cdef Open opened[SAFE_DEPTH]
    cdef Open* top = opened  # the innermost; the lowest is the document, and owns the root
    cdef PyObject* value
    cdef Head head
    opened[0] = Open(NULL, kDocument, NULL, 0)
    at = behind_white(behind_declaration(at, end))
    while True:
        # ---- element: its start tag, and all of it where it is no container
        at = read_head(at, end, &head)
        items += 1
        if at == NULL or items > bounds.max_items:
            break
        value = NULL
        if head.kind != kList and head.kind != kMap:
            at = scalar(at, end, head, &value)
        elif top - opened < max_depth:
            value = PyList_New(0) if head.kind == kList else PyDict_New()
        if value == NULL or not put(value, head, top):
            break
        if (head.kind == kList or head.kind == kMap) and not head.is_empty:
            top += 1
            top[0] = Open(value, head.kind, head.name, head.size)
        # ---- the end tags behind it
        at = behind_white(at)
        while top > opened and at[0] == b"<" and at[1] == b"/":
            at = behind_end_tag(at, end, top.name, top.size)
            if at == NULL:
                break
            at = behind_white(at)
            top -= 1
        if at == NULL:
            break
        if top == opened:
            if at == end:
                return opened[0].container
            break
    Py_XDECREF(opened[0].container)
    return NULL


# Twin: _xml_rules.SCALARS
cdef const char* scalar(const char* at, const char* end, const Head& head, PyObject** value) noexcept:
    """What stands in an element that is no container, and its end tag. A new reference comes with it."""
    if head.is_empty:
        if head.kind == kText:
            value[0] = ascii_str(at, 0)
        elif head.kind == kNull:
            value[0] = Py_NewRef(Py_None)
        return at
    if head.kind == kText:
        return text(at, end, head, value)
    if head.kind == kInt:
        return int_number(at, end, head, value)
    if head.kind == kFloat:
        return float_number(at, end, head, value)
    if head.kind == kBool:
        return boolean(at, end, head, value)
    return null(at, end, head, value)


cdef const char* text(const char* at, const char* end, const Head& head, PyObject** value) noexcept:
    """Characters and references."""
    cdef Run run
    at = closed(read_text(at, end, &run), end, head)
    if at != NULL:
        value[0] = str_of(run, head.is_escaped)
    return at


# Twin: _xml_rules._read_int
cdef const char* int_number(const char* at, const char* end, const Head& head, PyObject** value) noexcept:
    cdef int64_t number = 0
    at = closed(read_int(at, &number), end, head)
    if at != NULL:
        value[0] = PyLong_FromLongLong(number)
    return at


# Twin: _xml_rules._read_float
cdef const char* float_number(const char* at, const char* end, const Head& head, PyObject** value) noexcept:
    cdef double number = 0
    at = closed(read_float(at, &number), end, head)
    if at != NULL:
        value[0] = PyFloat_FromDouble(number)
    return at


# Twin: _xml_rules._read_bool
cdef const char* boolean(const char* at, const char* end, const Head& head, PyObject** value) noexcept:
    cdef bint truth = False
    at = closed(read_bool(at, end, &truth), end, head)
    if at != NULL:
        value[0] = Py_NewRef(Py_True if truth else Py_False)
    return at


# Twin: _xml_rules._read_null
cdef const char* null(const char* at, const char* end, const Head& head, PyObject** value) noexcept:
    at = closed(at, end, head)
    if at != NULL:
        value[0] = Py_NewRef(Py_None)
    return at


cdef const char* closed(const char* at, const char* end, const Head& head) noexcept:
    """The end tag of an element whose content was read."""
    return at if at == NULL else behind_end_tag(at, end, head.name, head.size)


# Twin: TypedBuilder.put
cdef bint put(PyObject* value, const Head& head, Open* parent) noexcept:
    """Take the reference to *value* to where its element stands; False where such an element may not stand there."""
    cdef PyObject* key
    cdef bint is_put = False
    if parent.kind == kMap:
        key = key_of(head)
        if key != NULL:
            is_put = PyDict_SetItem(parent.container, key, value) == 0
            Py_DECREF(key)
    elif parent.kind == kList:
        is_put = is_member(head) and PyList_Append(parent.container, value) == 0
    elif is_root(head):
        parent.container = value
        return True
    Py_DECREF(value)
    return is_put


# Twin: _xml_rules._typed_key
cdef PyObject* key_of(const Head& head) noexcept:
    """The key beside an element, else its name; a new reference, NULL where it may have none."""
    if not is_entry(head):
        return NULL
    return str_of(head.key, head.is_key_escaped) if head.has_key else names.text(head.name, head.size)
