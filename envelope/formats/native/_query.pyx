"""Query strings whose names are all plain, compiled. All others are left to the Python function."""

cdef extern from "native/query.hpp" namespace "envelope":
    object read_plain "envelope::plain_params"(object, Py_ssize_t)


# Twin: calls.php_query._plain_params
def plain_params(bytes query not None, Py_ssize_t most):
    """Return the parameters of *query*, at most *most*, by name; None if that takes more than this."""
    return read_plain(query, most)
