"""Reading XML, compiled: what our writer writes, white space between children, and names that repeat.

Each function returns the place after what it read, NULL if that is irregular: then `loads` drops the work and calls the
Python function, which raises the errors and reads the rest of XML. The grammar is in `envelope.formats.xml`; each
function has the rule that it reads. The bytes end in a NUL that is in no token, so one byte can always be read.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.exc cimport PyErr_Clear
from libc.stdint cimport int64_t

from envelope.formats.native.bounds cimport Bounds
from envelope.formats.native.counted cimport *
from envelope.formats.native.options cimport Reading, reading_of
from envelope.formats.xml.reading cimport *

from envelope.formats.common.input import as_bytes
from envelope.options import DEFAULT_READING


cdef struct Open:  # a container whose end tag is to come, borrowed
    PyObject* container
    Kind kind
    const char* name
    Py_ssize_t size


cdef struct Parent:  # in the plain dialect: an element with children, whose end tag is to come
    const char* name
    Py_ssize_t size
    Py_ssize_t first  # of its children


cdef enum:
    SAFE_DEPTH = 512  # open containers are on the C stack; deeper ones are left to Python


cdef Reading[2] kept
reading_of(DEFAULT_READING, kept)


# Twin: xml.read.loads
def loads(data, options=DEFAULT_READING):
    """Return the value of the document *data*; `DecodeError` if it is not one, or holds what is not a value."""
    cdef Reading reading = reading_of(options, kept)
    cdef PyObject* value = NULL
    if type(data) is not bytes:
        data = as_bytes(data, "xml", options.limits, options.encoding)
    if reading.utf8 and (reading.typed or not reading.lists):
        value = value_of(data, reading)
    if value == NULL:
        from envelope.formats.xml.read import loads as python_loads

        return python_loads(data, options)
    return owned(value)


# Twin: xml.read._read
cdef PyObject* value_of(bytes document, const Reading& reading) except? NULL:
    """declaration? white* element white*; a new reference, NULL if anything is irregular."""
    cdef PyObject* value
    cdef const char* end = PyBytes_AS_STRING(document) + PyBytes_GET_SIZE(document)
    cdef const char* root
    if reading.lists or PyBytes_GET_SIZE(document) > reading.bounds.max_bytes:
        return NULL
    root = skip_white(skip_declaration(PyBytes_AS_STRING(document), end))
    value = read_typed(root, end, reading.bounds) if reading.typed else read_plain(root, end, reading.bounds)
    if value == NULL:
        PyErr_Clear()  # memory ran out, or text was not UTF-8
    return value


# Twin: xml.tree.walk_typed
cdef PyObject* read_typed(const char* at, const char* end, const Bounds& bounds) noexcept:
    """element white*"""
    cdef Py_ssize_t max_depth = min(bounds.max_depth, SAFE_DEPTH - 1)
    cdef Py_ssize_t items = -1  # the root is not counted
    cdef Open opened[SAFE_DEPTH]
    cdef Open* top = opened  # the innermost; the lowest is the document, and owns the root
    cdef PyObject* value
    cdef Head head
    opened[0] = Open(NULL, kDocument, NULL, 0)
    while True:
        # ---- element: its start tag, and all of it if it is not a container
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
        # ---- the end tags after it
        at = skip_white(at)
        while top > opened and at[0] == b"<" and at[1] == b"/":
            at = skip_end_tag(at, end, top.name, top.size)
            if at == NULL:
                break
            at = skip_white(at)
            top -= 1
        if at == NULL:
            break
        if top == opened:
            if at == end:
                return opened[0].container
            break
    Py_XDECREF(opened[0].container)
    return NULL


# Twin: xml.tree.walk_plain
cdef PyObject* read_plain(const char* at, const char* end, const Bounds& bounds) noexcept:
    """element white*"""
    cdef Py_ssize_t max_depth = min(bounds.max_depth, SAFE_DEPTH - 1)
    cdef Py_ssize_t items = -1  # the root is not counted
    cdef Parent opened[SAFE_DEPTH]
    cdef Parent* top = opened  # the innermost; the lowest is the document
    cdef Children children  # of all that are open
    cdef PyObject* value
    cdef Head head
    while True:
        # ---- element: its start tag, and all of it if it has no children
        at = read_head(at, end, &head)
        items += 1
        if at == NULL or items > bounds.max_items or not is_plain(head) or (top == opened and head.has_key):
            return NULL
        if not open_child(children, head):
            return NULL
        if not head.is_empty and holds_elements(at):
            if top - opened >= max_depth:
                return NULL
            top += 1
            top[0] = Parent(head.name, head.size, children.count())
            at = skip_white(at)
            continue
        value = NULL
        if head.is_empty:
            value = ascii_text(at, 0)
        else:
            at = text(at, end, head, &value)
        children.put(value)
        if value == NULL:
            return NULL
        # ---- the end tags after it
        at = skip_white(at)
        while top > opened and at[0] == b"<" and at[1] == b"/":
            at = skip_end_tag(at, end, top.name, top.size)
            if at == NULL or not children.close(top.first):
                return NULL
            at = skip_white(at)
            top -= 1
        if top == opened:
            return children.root() if at == end else NULL


# Twin: xml.rules.plain_key
cdef bint open_child(Children& children, const Head& head) noexcept:
    """Begin a child under its key, or under none if it is an item without one."""
    cdef PyObject* key = NULL
    if not is_member(head):
        key = key_of(head)
        if key == NULL:
            return False
    return children.open(key)


# Twin: xml.rules.SCALARS
cdef const char* scalar(const char* at, const char* end, const Head& head, PyObject** value) noexcept:
    """The content of an element that is not a container, and its end tag; *value* is a new reference."""
    if head.is_empty:
        if head.kind == kText:
            value[0] = ascii_text(at, 0)
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


# Twin: xml.rules._read_int
cdef const char* int_number(const char* at, const char* end, const Head& head, PyObject** value) noexcept:
    cdef int64_t number = 0
    at = closed(read_int(at, &number), end, head)
    if at != NULL:
        value[0] = PyLong_FromLongLong(number)
    return at


# Twin: xml.rules._read_float
cdef const char* float_number(const char* at, const char* end, const Head& head, PyObject** value) noexcept:
    cdef double number = 0
    at = closed(read_float(at, &number), end, head)
    if at != NULL:
        value[0] = PyFloat_FromDouble(number)
    return at


# Twin: xml.rules._read_bool
cdef const char* boolean(const char* at, const char* end, const Head& head, PyObject** value) noexcept:
    cdef bint truth = False
    at = closed(read_bool(at, end, &truth), end, head)
    if at != NULL:
        value[0] = Py_NewRef(Py_True if truth else Py_False)
    return at


# Twin: xml.rules._read_null
cdef const char* null(const char* at, const char* end, const Head& head, PyObject** value) noexcept:
    at = closed(at, end, head)
    if at != NULL:
        value[0] = Py_NewRef(Py_None)
    return at


# Twin: xml.exact.TypedBuilder.put
cdef bint put(PyObject* value, const Head& head, Open* parent) noexcept:
    """Give the reference to *value* to its element's parent; False if such an element is not allowed there."""
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
