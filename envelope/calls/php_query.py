"""Query strings and form bodies, as PHP reads and writes them.

    query = [part] ("&" [part])*          part  = name ["=" value]
    name  = head ("[" [key] "]")*         in both, "+" is a space, and %XX the byte of two hexadecimal digits

The reader agrees with PHP 8.2 at its default settings, except that nothing is lost: if PHP would drop a parameter that
has a name, or its own readers disagree on where the input ends, it raises `DecodeError`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal, get_args
from urllib.parse import quote, quote_plus

from envelope.errors import DecodeError, EncodeError, EncodeErrorKind
from envelope.formats.native import extension
from envelope.hints import Hint
from envelope.limits import DEFAULT_LIMITS, Limits
from envelope.options import check_word
from envelope.path import Link, Step, link_steps, short_path
from envelope.values.php_rules import INT_MAX, INT_MIN, array_key, is_ambiguous, text_or_bytes

__all__ = ["build_query", "parse_query", "plain_query", "scalar_text"]

FORMAT: Final = "query"

EncType = Literal["rfc1738", "rfc3986"]
"""PHP's two ways of escaping, by their documents."""
ENC_TYPES: Final = get_args(EncType)

# PHP's own bounds, named like its settings. Beyond the first it drops the remaining parameters; beyond the second it
# drops the parameter, and all others of the same name.
MAX_INPUT_VARS: Final = 1000
MAX_INPUT_NESTING_LEVEL: Final = 64

# An empty part between two "&" is not a parameter, and is not counted.
_PART: Final = re.compile(rb"[^&]+")
# Names that PHP leaves as they are, and that lead to one place: neither arrays nor integers. Most are.
_PLAIN: Final = r"(?!__)[A-Za-z_][A-Za-z0-9_-]*+"
_PLAIN_NAME: Final = re.compile(_PLAIN.encode())
_PLAIN_PART: Final = re.compile(rf"&({_PLAIN})=([^&]*+)")
# Escapes are decoded in runs, short enough that the search needs no memory.
_ESCAPES: Final = re.compile(rb"(?:%[0-9A-Fa-f]{2}){1,64}")
_MANGLED: Final = bytes.maketrans(b" .[", b"___")
# A browser vouches for a cookie with such a name, so mangling must not make one. PHP looks for them in keys as well.
_COOKIE_PREFIXES: Final = (b"__Host-", b"__Secure-")


def parse_query(data: bytes | str, limits: Limits = DEFAULT_LIMITS) -> dict[str | bytes, Any]:
    """The parameters in a query string or form body, as PHP's parse_str reads them (and so $_GET, $_POST).

    Texts and keys are `bytes` if they are not UTF-8. An array is a list if its keys are 0 … n-1 in order, else a dict
    whose integer keys are decimal strings. A parameter without a name is ignored.
    """
    raw = data if type(data) is bytes else _as_bytes(data)
    params = None
    if len(raw) <= limits.max_bytes and limits.max_depth:
        params = _read_plain(raw, min(MAX_INPUT_VARS, limits.max_items))
    return _Reader(raw, limits).read() if params is None else params


def build_query(params: Mapping[str, Any], *, enc_type: EncType = "rfc1738") -> str:
    """*params* as PHP's http_build_query writes them.

    *enc_type* is ``"rfc1738"`` (a space is ``+``, and ``~`` is escaped) or ``"rfc3986"`` (a space is ``%20``, and ``~``
    itself), PHP's PHP_QUERY_RFC1738 and PHP_QUERY_RFC3986; another is a `TypeError`. As in PHP, None and empty
    containers are not written, and a float has 14 digits; keys may also be `bytes`. The default `Limits` apply.
    """
    quoted = _QUOTED[check_word("enc_type", enc_type, ENC_TYPES)]
    pairs: list[str] = []
    room = DEFAULT_LIMITS.max_bytes + 1  # there is no "&" before the first
    for link, text in _Walk().leaves(params):
        steps = link_steps(link)
        # One long key may be repeated for many texts: check the room before encoding it (which shortens nothing).
        if sum(len(step) for step in steps if not isinstance(step, int)) <= room:
            pair = _pair(steps, text, quoted)
            if pair is None:
                raise _fault("a lone surrogate in the text or in its keys", link)
            room -= len(pair) + 1
            if room >= 0:
                pairs.append(pair)
                continue
        raise _fault(f"the output is longer than {DEFAULT_LIMITS.max_bytes} bytes", link, kind="limit")
    return "&".join(pairs)


def plain_query(params: Mapping[str, Any]) -> str | None:
    """What `build_query` writes, if that is surely read back the same: of plain names with texts; else None."""
    pairs: list[str] = []
    for name, text in params.items():
        if type(text) is not str or not _PLAIN_NAME.fullmatch(name.encode("ascii", "replace")):
            return None
        try:
            pairs.append(f"{name}={_quoted_rfc1738(text.encode())}")
        except UnicodeEncodeError:
            return None
    query = "&".join(pairs)
    return query if len(pairs) <= MAX_INPUT_VARS and len(query) <= DEFAULT_LIMITS.max_bytes else None


def _as_bytes(data: object) -> bytes:
    if isinstance(data, bytes):
        return data
    if not isinstance(data, str):
        raise TypeError(f"input is bytes or str, not {type(data).__name__}")
    try:
        return data.encode()
    except UnicodeEncodeError as exc:
        offset = len(data[: exc.start].encode())
    raise DecodeError("a lone surrogate", format=FORMAT, offset=offset)


def _plain_params(data: bytes, most: int) -> dict[str | bytes, Any] | None:
    """The parameters if all their names are plain, and there are at most *most*; None leaves them to the reader."""
    count = data.count(b"&") + 1
    if count > most or b"\0" in data:
        return None
    if not data:
        return {}
    try:
        text = data.replace(b"+", b" ").decode()
    except UnicodeDecodeError:
        return None
    parts = _PLAIN_PART.findall(f"&{text}")
    if len(parts) != count:
        return None
    params: dict[str | bytes, Any] = dict(parts)
    if "%" in text:
        for name, value in params.items():
            if "%" in value:
                params[name] = text_or_bytes(_unescaped(value.encode()))
    return params


_compiled = extension("native._query")
_read_plain: Final = _plain_params if _compiled is None else _compiled.plain_params


class _Array(dict[str | bytes, Any]):
    """A PHP array being filled. Its integer keys are stored as decimals, which no other key can be."""

    __slots__ = ("highest",)

    def __init__(self) -> None:
        self.highest = INT_MIN - 1

    def put(self, key: str | bytes, value: Any) -> None:
        """Set *key*, which keeps its place if it exists already."""
        number = array_key(key) if isinstance(key, str) else key
        if isinstance(number, int):
            self.highest = max(self.highest, number)
        self[key] = value

    @property
    def free(self) -> int:
        """The index for `[]`: one more than the highest integer key (even a negative one), or 0 if there is none."""
        return self.highest + 1 if self.highest >= INT_MIN else 0


class _Reader:
    def __init__(self, data: bytes, limits: Limits) -> None:
        self.data = data
        self.limits = limits
        self.items = 0
        self.root = _Array()
        # Each nested array: its parent, its key there, and itself.
        self.nested: list[tuple[_Array, str | bytes, _Array]] = []

    def read(self) -> dict[str | bytes, Any]:
        if len(self.data) > self.limits.max_bytes:
            reason = f"the input is {len(self.data)} bytes long; the limit is {self.limits.max_bytes}"
            raise self.limit(reason, self.limits.max_bytes, hint=Hint("raise-limit", "max_bytes"))
        nul = self.data.find(b"\0")
        if nul >= 0:
            # As %00 it is a character like any other in a value. Unescaped, it ends parse_str's input, not $_POST's.
            raise DecodeError("a NUL byte", format=FORMAT, offset=nul, hint=Hint("nul-in-query"))
        self.check_depth(1, 0)
        for count, part in enumerate(_PART.finditer(self.data), 1):
            if count > MAX_INPUT_VARS:
                hint = Hint("php-setting", "max_input_vars")
                raise self.limit(f"more than {MAX_INPUT_VARS} parameters", part.start(), hint=hint)
            # Split, then decode: %26 and %3D are ordinary characters, and so is a second "=".
            name, _, value = part.group().partition(b"=")
            self.store(self.keys(_decoded(name), part.start()), text_or_bytes(_decoded(value)), part.start())
        # The innermost were made last. An array no longer in its place was overwritten.
        for parent, key, array in reversed(self.nested):
            if parent[key] is array:
                parent[key] = list(array.values()) if is_ambiguous(array) else dict(array)
        return dict(self.root)

    def keys(self, name: bytes, offset: int) -> list[bytes | None]:
        """The keys that lead to a parameter, None for `[]`; empty if it has no name."""
        # The name ends before a NUL, and begins after any spaces (no other white space).
        name = name.partition(b"\0")[0].lstrip(b" ")
        head, _, rest = name.partition(b"[")
        if not head:
            return []
        # A bracket that is never closed is a character of the name, like everything after it.
        if b"]" not in rest:
            head = name
        # Only the head is mangled: keys in brackets stay as they are.
        mangled = head.translate(_MANGLED)
        place = text_or_bytes(mangled)
        keys: list[bytes | None] = [mangled]
        at = len(head)
        self.check_prefix(mangled, name, offset, place)
        # Anything but a closed bracket right after the last one is ignored, with all that follows.
        while name.startswith(b"[", at):
            if len(keys) > MAX_INPUT_NESTING_LEVEL:
                reason = f"more than {MAX_INPUT_NESTING_LEVEL} brackets in a name"
                raise self.limit(reason, offset, place, hint=Hint("php-setting", "max_input_nesting_level"))
            end = name.find(b"]", at)
            if end < 0:
                break
            # Everything up to the first `]`, even a `[`. A single white space counts as empty.
            key = name[at + 1 : end]
            self.check_prefix(key, name, offset, place)
            keys.append(None if not key or (len(key) == 1 and key.isspace()) else key)
            at = end + 1
        return keys

    def check_prefix(self, key: bytes, name: bytes, offset: int, place: Step) -> None:
        """Fail if *key* has a cookie prefix that the whole name does not have: PHP drops such a parameter."""
        for prefix in _COOKIE_PREFIXES:
            if key.startswith(prefix) and not name.startswith(prefix):
                reason = f"a name that hides the prefix {prefix.decode()}"
                raise DecodeError(reason, kind="forbidden", format=FORMAT, offset=offset, path=short_path([place]))

    def store(self, keys: list[bytes | None], value: str | bytes, offset: int) -> None:
        """Put *value* where *keys* lead; missing arrays on the way are made, replacing any text in their place."""
        self.check_depth(len(keys), offset)
        array = self.root
        steps: list[str | bytes] = []
        for raw in keys:
            if raw is None and array.free > INT_MAX:
                raise self.limit("no index is left for []", offset, *steps)
            key = str(array.free) if raw is None else text_or_bytes(raw)
            steps.append(key)
            if len(steps) < len(keys) and isinstance(array.get(key), _Array):
                array = array[key]
                continue
            self.items += 1
            if self.items > self.limits.max_items:
                reason = f"more than {self.limits.max_items} items"
                raise self.limit(reason, offset, *steps, hint=Hint("raise-limit", "max_items"))
            if len(steps) == len(keys):
                array.put(key, value)
                continue
            inner = _Array()
            self.nested.append((array, key, inner))
            array.put(key, inner)
            array = inner

    def check_depth(self, depth: int, offset: int) -> None:
        if depth > self.limits.max_depth:
            raise self.limit(
                f"nested deeper than {self.limits.max_depth}", offset, hint=Hint("raise-limit", "max_depth")
            )

    def limit(self, reason: str, offset: int, *steps: Step, hint: Hint | None = None) -> DecodeError:
        """A `DecodeError` of kind `limit`, for the caller to raise; *offset* is that of the parameter."""
        return DecodeError(reason, kind="limit", format=FORMAT, offset=offset, path=short_path(steps), hint=hint)


def _decoded(raw: bytes) -> bytes:
    """``+`` is a space; ``%`` without two hexadecimal digits is itself."""
    raw = raw.replace(b"+", b" ")
    return _unescaped(raw) if b"%" in raw else raw


def _unescaped(raw: bytes) -> bytes:
    try:  # as Python's own escapes, which are decoded in one step if each is complete
        return raw.replace(b"\\", b"\\\\").replace(b"%", b"\\x").decode("unicode_escape").encode("latin-1")
    except UnicodeDecodeError:
        pass
    decoded = bytearray()  # not a list of pieces: there may be one for every third byte
    start = 0
    for run in _ESCAPES.finditer(raw):
        decoded += raw[start : run.start()]
        decoded += bytes.fromhex(run.group().replace(b"%", b"").decode())
        start = run.end()
    return bytes(decoded + raw[start:])


class _Walk:
    """A walk through the parameters to write."""

    def __init__(self) -> None:
        self.items = 0
        # The open containers: each with its place and its remaining children.
        self.frames: list[tuple[object, Link, Iterator[tuple[Step, Any]]]] = []
        self.open: set[int] = set()

    def leaves(self, root: object) -> Iterator[tuple[Link, str | bytes]]:
        """Each text and its place, in order."""
        if not isinstance(root, Mapping):
            raise _fault(f"parameters are a mapping, not {type(root).__name__}", None)
        self.enter(root, None)
        while self.frames:
            container, link, children = self.frames[-1]
            for step, child in children:
                place = (link, step)
                if type(child) is dict or type(child) is list:
                    self.enter(child, place)
                    break
                if child is not None:
                    yield place, _text(child, place)
            else:
                self.frames.pop()
                self.open.discard(id(container))

    def enter(self, container: Mapping[Any, Any] | list[Any], link: Link) -> None:
        """Open a container; it must not contain itself or exceed the limits, and its keys must be text or bytes."""
        limits = DEFAULT_LIMITS
        if id(container) in self.open:
            raise _fault("the container contains itself", link, kind="limit")
        if len(self.frames) >= limits.max_depth:
            raise _fault(f"nested deeper than {limits.max_depth}", link, kind="limit")
        self.items += len(container)
        if self.items > limits.max_items:
            raise _fault(f"more than {limits.max_items} items", link, kind="limit")
        if isinstance(container, list):
            children: Iterator[tuple[Step, Any]] = iter(enumerate(container))
        else:
            _check_keys(container, link)
            children = iter(container.items())
        self.frames.append((container, link, children))
        self.open.add(id(container))


def _check_keys(container: Mapping[Any, Any], link: Link) -> None:
    for key in container:
        if type(key) is not str and type(key) is not bytes:
            raise _fault(f"a key of type {type(key).__name__}", link, hint=Hint("key-is-str-or-bytes"))
        text = text_or_bytes(key) if type(key) is bytes else None
        if type(text) is str and text in container:
            raise _fault("two keys that are one in PHP", link)


def _text(value: Any, link: Link) -> str | bytes:
    """A scalar as PHP converts it to text; bytes unchanged."""
    kind = type(value)
    if kind is bytes:
        raw: bytes = value
        return raw
    if kind not in (str, bool, int, float):
        raise _fault(f"a value of type {kind.__name__} is outside the domain", link)
    if kind is int and not INT_MIN <= value <= INT_MAX:
        raise _fault("an int beyond 64 bits", link, hint=Hint("as-str"))
    return scalar_text(value)


def scalar_text(value: str | bool | float) -> str:  # noqa: FBT001  # a bool is a value here, not a flag
    """A scalar as PHP converts it to text in a query string: true and false are 1 and 0."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    return _float_text(value) if isinstance(value, float) else str(value)


def _float_text(number: float) -> str:
    """A float as PHP converts it to text at ``precision=14``: ``0.3``, ``1.0E+25``, ``1.5E-7``, ``-0``, ``NAN``."""
    size = abs(number)
    # If 15 digits end in 05, PHP rounds the 5 away but keeps the trailing zeros, which it drops elsewhere.
    layout = ".13E" if 1e14 <= size < 1e15 and size % 100 == 5 else ".14G"
    mantissa, exponent, power = format(number, layout).partition("E")
    if not exponent:
        return mantissa
    point = "" if "." in mantissa else ".0"
    return f"{mantissa}{point}E{int(power):+d}"


def _pair(steps: list[Step], text: str | bytes, quoted: Callable[[bytes], str]) -> str | None:
    try:
        head, *keys = [str(step) if isinstance(step, int) else quoted(_raw(step)) for step in steps]
        name = head + "".join(f"%5B{key}%5D" for key in keys)  # head[key][key], with the brackets escaped
        return f"{name}={quoted(_raw(text))}"
    except UnicodeEncodeError:  # it holds the text, so the error that reports it must not hold this one
        return None


def _raw(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _quoted_rfc1738(raw: bytes) -> str:
    """Letters, digits, ``-``, ``.`` and ``_`` are themselves; a space is ``+``; other bytes are ``%XX``."""
    return quote_plus(raw).replace("~", "%7E")  # Python follows the later RFC


def _quoted_rfc3986(raw: bytes) -> str:
    """Letters, digits, ``-``, ``.``, ``_`` and ``~`` are themselves; other bytes are ``%XX``."""
    return quote(raw, safe="")


_QUOTED: Final = {"rfc1738": _quoted_rfc1738, "rfc3986": _quoted_rfc3986}


def _fault(
    reason: str, link: Link, *, kind: EncodeErrorKind = "unrepresentable", hint: Hint | None = None
) -> EncodeError:
    return EncodeError(reason, kind=kind, format=FORMAT, path=short_path(link_steps(link)), hint=hint)
