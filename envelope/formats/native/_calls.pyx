"""`api.dumps` and `api.loads`, compiled: between a caller and a codec stands no Python frame."""

from envelope.limits import DEFAULT_LIMITS


# Twin: api.dumps
def make_dumps(get_format, formats):
    """The function over these codecs by the formats' names; *get_format* has the rows, and the errors."""
    cdef dict writers = {name: row.dumps for name, row in formats.items()}

    def dumps(value, format, *, values="portable", maps="array", dialect="typed", default=None, limits=DEFAULT_LIMITS):
        write = writers.get(format)
        if write is None:
            write = get_format(format).dumps
        return write(value, values, maps, dialect, default, limits)

    return dumps


# Twin: api.loads
def make_loads(get_format, formats):
    """The function over these codecs by the formats' names; *get_format* has the rows, and the errors."""
    cdef dict readers = {name: row.loads for name, row in formats.items()}

    def loads(data, format, *, values="portable", dialect="typed", limits=DEFAULT_LIMITS):
        read = readers.get(format)
        if read is None:
            read = get_format(format).loads
        return read(data, values, dialect, limits)

    return loads
