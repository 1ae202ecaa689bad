"""The tokens of serialize, as the compiled readers take them: only plain ones, NULL for all else."""

from libc.stdint cimport int64_t
from libc.string cimport memcmp

from envelope.formats.php.reading cimport read_float, read_int, read_length, read_not_finite


cdef enum:
    SMALLEST_MEMBER = 6  # i:0;N;


# Twin: serialize.reader.Reader.string
cdef inline const char* string_span(const char* at, const char* end, Py_ssize_t* size) noexcept:
    """`s:length:"bytes";` — returns where the bytes begin."""
    at = quoted_span(at, end, size)
    return at if at != NULL and at[size[0] + 1] == b";" else NULL


cdef inline const char* quoted_span(const char* at, const char* end, Py_ssize_t* size) noexcept:
    """tag `:length:"bytes"` — returns where the bytes begin; the input has at least one byte after them."""
    if at[1] != b":":
        return NULL
    at = read_length(at + 2, size)
    if at == NULL or at[0] != b":" or at[1] != b'"' or end - at - 4 < size[0]:
        return NULL
    at += 2
    return at if at[size[0]] == b'"' else NULL


# Twin: serialize.reader.Reader.integer
cdef inline const char* integer(const char* at, const char* end, int64_t* number) noexcept:
    """`i:int;`"""
    if at[1] != b":":
        return NULL
    at = read_int(at + 2, end, number)
    return at + 1 if at != NULL and at[0] == b";" else NULL


# Twin: serialize.reader.Reader.number
cdef inline const char* float_number(const char* at, const char* end, bint php, double* number) noexcept:
    """`d:float;` — a finite one, unless in PHP's domain."""
    cdef const char* start = at + 2
    if at[1] != b":":
        return NULL
    at = read_float(start, end, number)
    if at == NULL and php:
        at = read_not_finite(start, number)
    if at == NULL or at[0] != b";":
        return NULL
    return at + 1


# Twin: serialize.reader.Reader.null
cdef inline const char* null(const char* at) noexcept:
    """`N;`"""
    return at + 2 if at[1] == b";" else NULL


# Twin: serialize.reader.Reader.boolean
cdef inline const char* boolean(const char* at, bint* truth) noexcept:
    """`b:0;` or `b:1;`"""
    if at[1] != b":" or (at[2] != b"0" and at[2] != b"1") or at[3] != b";":
        return NULL
    truth[0] = at[2] == b"1"
    return at + 4


# Twin: serialize.reader.Reader.open
cdef inline const char* count(const char* at, const char* end, Py_ssize_t* size) noexcept:
    """`:count:{` — no more members than the rest of the input can hold."""
    if at[0] != b":":
        return NULL
    at = read_length(at + 1, size)
    if at == NULL or at[0] != b":" or at[1] != b"{" or size[0] > (end - at - 2) // SMALLEST_MEMBER:
        return NULL
    return at + 2


# Twin: serialize.reader.Reader.object
cdef inline const char* std_class_head(const char* at, const char* end, Py_ssize_t* size) noexcept:
    """`O:8:"stdClass":count:{`"""
    if end - at < 14 or memcmp(at, b'O:8:"stdClass"', 14) != 0:
        return NULL
    return count(at + 14, end, size)
