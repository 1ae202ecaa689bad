"""What the writers of PHP's formats see of objects and enums, all of it borrowed."""

from cpython.object cimport PyObject


cdef extern from "Python.h":
    Py_ssize_t PyTuple_GET_SIZE(PyObject*) noexcept
    PyObject* PyTuple_GET_ITEM(PyObject*, Py_ssize_t) noexcept


cdef extern from "php/properties.hpp" namespace "envelope":
    bint classes_are_ready() except 0
    bint is_php_object(PyObject* value) noexcept
    bint is_enum_case(PyObject* value) noexcept
    PyObject* object_class(PyObject* object) noexcept
    PyObject* properties_of(PyObject* object) noexcept
    PyObject* property_value(PyObject* property) noexcept
    bint have_distinct_names(PyObject* properties) noexcept

    cdef cppclass SlotsTaken:
        void take() noexcept
        Py_ssize_t met(PyObject* object) noexcept
