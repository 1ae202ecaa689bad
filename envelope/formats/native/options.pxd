"""The options of a call as the compiled codecs have them: words as flags, limits as bounds.

A codec keeps what two objects said, the first that it met (the default) and the last: for a short document, asking
again would take much of the time.
"""

from cpython.object cimport PyObject

from envelope.formats.native.bounds cimport Bounds, bounds_of


cdef extern from "Python.h":
    PyObject* Py_NewRef(PyObject*) noexcept
    void Py_XDECREF(PyObject*) noexcept


cdef struct Reading:
    PyObject* options  # the `ReadOptions` with these fields
    bint php
    bint std_class
    bint typed
    bint utf8
    bint lists  # whether any are named: of XML's options, the only one that a regular document shows
    Bounds bounds


cdef struct Writing:
    PyObject* options  # the `WriteOptions` with these fields
    bint php
    bint map_objects
    bint typed
    bint flagged  # PHP's flags of json_encode: the Python codecs have them
    Bounds bounds


cdef inline Reading reading_of(options, Reading* kept) except *:
    """What a `ReadOptions` says; *kept* has room for two."""
    cdef Reading reading
    cdef PyObject* last
    cdef int place
    for place in range(2):
        if kept[place].options == <PyObject*> options:
            return kept[place]
    reading.php = options.php
    reading.std_class = options.std_class
    reading.typed = options.dialect == "typed"
    reading.utf8 = options.encoding == "utf-8"
    reading.lists = bool(options.lists)
    reading.bounds = bounds_of(options.limits)
    reading.options = Py_NewRef(<PyObject*> options)
    place = kept[0].options != NULL
    last = kept[place].options
    kept[place] = reading
    Py_XDECREF(last)
    return reading


cdef inline Writing writing_of(options, Writing* kept) except *:
    """What a `WriteOptions` says; *kept* has room for two."""
    cdef Writing writing
    cdef PyObject* last
    cdef int place
    for place in range(2):
        if kept[place].options == <PyObject*> options:
            return kept[place]
    writing.php = options.php
    writing.map_objects = options.map_objects
    writing.typed = options.dialect == "typed"
    writing.flagged = bool(options.flags)
    writing.bounds = bounds_of(options.limits)
    writing.options = Py_NewRef(<PyObject*> options)
    place = kept[0].options != NULL
    last = kept[place].options
    kept[place] = writing
    Py_XDECREF(last)
    return writing
