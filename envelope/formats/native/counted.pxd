"""Python objects that the compiled readers count by hand, because the containers that they go into own them."""

from cpython.object cimport PyObject


cdef extern from "Python.h":
    PyObject* Py_None
    PyObject* Py_True
    PyObject* Py_False
    PyObject* Py_NewRef(PyObject*) noexcept
    void Py_INCREF(PyObject*) noexcept
    void Py_DECREF(PyObject*) noexcept
    void Py_XDECREF(PyObject*) noexcept
    PyObject* PyLong_FromLongLong(long long) noexcept
    PyObject* PyFloat_FromDouble(double) noexcept


cdef extern from *:
    """
    #define envelope_owned(value) (value)  /* a new reference, given to Cython; NULL is an exception */
    """
    object owned "envelope_owned"(PyObject*)
