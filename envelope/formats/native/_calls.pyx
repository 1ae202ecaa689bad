"""`api.dumps` and `api.loads`, compiled: no Python frame is between a caller and a codec."""

from envelope.limits import DEFAULT_LIMITS
from envelope.options import DEFAULT_READING, DEFAULT_WRITING


cdef str PORTABLE = "portable", ARRAY = "array", TYPED = "typed"
cdef tuple NONE = ()


cdef class Kept:
    """A format's codec, and the options of a call, which are mostly those of the next one. It never changes."""

    cdef object codec, values, maps, dialect, limits, options

    def __init__(self, codec, values, maps, dialect, limits, options):
        self.codec = codec
        self.values = values
        self.maps = maps
        self.dialect = dialect
        self.limits = limits
        self.options = options


# Twin: api.dumps
def make_dumps(get_format, formats):
    """Return `dumps` over these codecs by format name; *get_format* has the rows, and the errors."""
    cdef dict kept = {
        name: Kept(row.dumps, PORTABLE, ARRAY, TYPED, DEFAULT_LIMITS, DEFAULT_WRITING) for name, row in formats.items()
    }

    def dumps(
        value, format, *, values=PORTABLE, maps=ARRAY, dialect=TYPED, default=None, limits=DEFAULT_LIMITS, flags=NONE
    ):
        cdef Kept last = kept.get(format)
        if last is not None and flags is NONE:
            if values is last.values and maps is last.maps and dialect is last.dialect and limits is last.limits:
                return last.codec(value, last.options, default)
            if values is PORTABLE and maps is ARRAY and dialect is TYPED and limits is DEFAULT_LIMITS:
                return last.codec(value, DEFAULT_WRITING, default)
        row = get_format(format)
        options = row.writing(values, maps, dialect, limits, flags)
        if last is not None and flags is NONE:
            kept[format] = Kept(last.codec, values, maps, dialect, limits, options)
        return row.dumps(value, options, default)

    return dumps


# Twin: api.loads
def make_loads(get_format, formats):
    """Return `loads` over these codecs by format name; *get_format* has the rows, and the errors."""
    cdef dict kept = {
        name: Kept(row.loads, PORTABLE, ARRAY, TYPED, DEFAULT_LIMITS, DEFAULT_READING) for name, row in formats.items()
    }

    def loads(data, format, *, values=PORTABLE, dialect=TYPED, limits=DEFAULT_LIMITS, unknown=None, **more):
        cdef Kept last = kept.get(format)
        if last is not None and unknown is None and not more:
            if values is last.values and dialect is last.dialect and limits is last.limits:
                return last.codec(data, last.options)
            if values is PORTABLE and dialect is TYPED and limits is DEFAULT_LIMITS:
                return last.codec(data, DEFAULT_READING)
        row = get_format(format)
        options = row.reading(values, dialect, limits, **more)
        if last is not None and not more:
            kept[format] = Kept(last.codec, values, ARRAY, dialect, limits, options)
        return row.read(data, options, unknown)

    return loads
