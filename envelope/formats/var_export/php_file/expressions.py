"""Expressions: literals and what PHP makes of them without running anything, in one loop over frames."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from envelope.errors import DecodeError, EncodeError
from envelope.formats.common.charsets import strings_charset
from envelope.formats.common.conform import Domain, conform
from envelope.formats.var_export.php_file.arrays import MISSING, PhpArray
from envelope.formats.var_export.php_file.names import CONSTANTS, RESERVED, WORDS, Names
from envelope.formats.var_export.php_file.numbers import read_number
from envelope.formats.var_export.php_file.source import FORMAT, Source, shown
from envelope.formats.var_export.php_file.strings import read_string
from envelope.hints import Hint
from envelope.options import ReadOptions, Unknown
from envelope.path import Step
from envelope.values.php_rules import INT_MAX, INT_MIN, array_key
from envelope.values.php_types import PhpEnum, PhpObject, PhpProperty

__all__ = ["Expressions"]

_OBJECT_CAST: Final = re.compile(rb"\([ \t]*+object[ \t]*+\)", re.IGNORECASE)
_CAST: Final = re.compile(
    rb"\([ \t]*+(?:array|binary|bool(?:ean)?|double|float|int(?:eger)?|real|string|unset)[ \t]*+\)", re.IGNORECASE
)
_MINUS_ONE: Final = re.compile(rb"-[ \t\r\n]*+1(?![0-9A-Za-z_.\x80-\xff])")
_CONCAT: Final = re.compile(rb"\.(?![.=0-9])")
_OPERATOR: Final = re.compile(
    rb"\?->|->|\?\?=?|<=>|\*\*=?|[=!]==?|<<=?|>>=?|&&|\|\||\+\+|--|\.\.\.|[-+*/%.&|^<>]=?|[!~@?\[=]"
    rb"|(?:and|or|xor|instanceof)\b",
    re.IGNORECASE,
)
_VARIABLE: Final = re.compile(rb"\$([A-Za-z_\x80-\xff][0-9A-Za-z_\x80-\xff]*+)")
_NAMED_ARGUMENT: Final = re.compile(rb"[A-Za-z_\x80-\xff][0-9A-Za-z_\x80-\xff]*+[ \t\r\n]*+:(?!:)")

_OPENED: Final = object()  # in place of an operand: its beginning was read, not its end
_CAST_MARK: Final = ord("o")  # in a frame's prefix, beside + and -


class _Frame:
    """An expression that has begun, and what it stands in.

    ``kind`` says what that is: an ``"array"``, the ``"state"`` of an object, the arguments of a ``"call"``, a
    ``"group"`` in parentheses, or ``""`` for nothing. ``name`` is whose state, or what is called.
    """

    __slots__ = ("array", "at", "closing", "is_fresh", "items", "key", "kind", "name", "pieces", "prefix", "start")

    def __init__(self, kind: str, start: int, closing: bytes, *, php: bool, name: str = "") -> None:
        self.kind = kind
        self.start = start
        self.at = start  # where the expression begins
        self.closing = closing
        self.name = name
        self.is_fresh = kind not in ("", "group")  # whether it may close here: it was opened, or a comma was read
        self.array = PhpArray(php=php)
        self.items: list[Any] = []  # properties, or arguments
        self.key: Any = MISSING
        self.prefix = bytearray()  # the operators before the operand
        self.pieces: list[bytes | str] = []  # the operands before a dot

    @property
    def has_keys(self) -> bool:
        return self.kind in ("array", "state")


class Expressions(Source):
    """A source of expressions. Strings of the file are `bytes` until `value` returns them; the caller's are text.

    ``steps`` lead to the place of the expression that is being read.
    """

    __slots__ = ("domain", "frames", "names", "objects", "php", "std_class", "steps", "unknown")

    def __init__(self, data: bytes, options: ReadOptions, unknown: Unknown | None) -> None:
        super().__init__(data, FORMAT, options.limits, strings_charset(options.encoding))
        self.domain = Domain(format=FORMAT, limits=options.limits, php=options.php)
        self.php = options.php
        self.std_class = options.std_class
        self.unknown = unknown
        self.names = Names()
        self.frames: list[_Frame] = []
        self.steps: list[Step] = []
        # The objects that are dicts here, by id: nothing can be assigned to an element of theirs.
        self.objects: dict[int, dict[Any, Any]] = {}

    def value(self, pos: int) -> tuple[Any, int]:
        """Read an expression; return its value and the place of the token after it."""
        pos = self.skip(pos)
        operand, end = self.expression(pos)
        return self.finished(operand, pos), end

    def key(self, pos: int) -> tuple[int | str | bytes, int]:
        """Read an expression that is the key of an element."""
        pos = self.skip(pos)
        operand, end = self.expression(pos)
        return self.as_key(operand, pos), end

    def expression(self, pos: int) -> tuple[Any, int]:
        """Read an expression, whose value may still be `bytes`, in one loop."""
        data = self.data
        frames = self.frames = [_Frame("", pos, b"", php=self.php)]
        while True:
            pos = self.skip(pos)
            frame = frames[-1]
            if frame.is_fresh and data.startswith(frame.closing, pos):
                value, pos = self.close(pos)
            else:
                frame.is_fresh = False
                if not (frame.prefix or frame.pieces):
                    frame.at = pos
                value, pos = self.operand(frame, pos)
            if value is _OPENED:
                continue
            # Out of the frames that are complete, until another operand must follow.
            while True:
                frame = frames[-1]
                value, pos = self.whole_operand(frame, value, self.skip(pos))
                if _CONCAT.match(data, pos):
                    frame.pieces.append(self.as_text(value, pos))
                    pos += 1
                    break
                if frame.pieces:
                    value = self.joined(frame, value, pos)
                if not frame.kind:
                    self.frames = []
                    return value, pos
                if frame.has_keys and frame.key is MISSING and data.startswith(b"=>", pos):
                    frame.key = self.as_key(value, frame.at)
                    pos += 2
                    break
                if frame.kind != "group" and data.startswith(b",", pos):
                    self.put(frame, value, frame.at)
                    frame.is_fresh = True
                    pos += 1
                    break
                if not data.startswith(frame.closing, pos):
                    raise self.unexpected(pos, f"',' or '{frame.closing.decode()}'")
                value, pos = self.close(pos, value)

    # ---- operands

    def operand(self, frame: _Frame, pos: int) -> tuple[Any, int]:
        """An operand, or the operator before one or what opens one (`_OPENED`)."""
        data = self.data
        byte = data[pos : pos + 1]
        if byte in (b"-", b"+") and byte:
            if data.startswith(byte, pos + 1):
                raise self.unexpected(pos, "a value")
            frame.prefix += byte
            return _OPENED, pos + 1
        if byte == b"(":
            if match := _OBJECT_CAST.match(data, pos):
                frame.prefix.append(_CAST_MARK)
                return _OPENED, match.end()
            if match := _CAST.match(data, pos):
                raise self.refused(f"the cast {match[0].decode()}", pos)
            return self.open(_Frame("group", pos, b")", php=self.php), pos + 1)
        if byte == b"[":
            return self.open(_Frame("array", pos, b"]", php=self.php), pos + 1)
        if byte == b"$":
            return self.variable(pos)
        literal = read_string(self, pos) or read_number(self, pos)
        if literal is not None:
            return literal
        name, end = self.name_at(pos)
        if not name:
            raise self.unexpected(pos, "a value")
        if frame.kind == "call" and _NAMED_ARGUMENT.match(data, pos):
            raise self.refused("a named argument", pos)
        return self.named(name, pos, self.skip(end))

    def named(self, name: str, pos: int, end: int) -> tuple[Any, int]:
        """What *name*, from *pos* to the token at *end*, stands for."""
        data, word = self.data, name.lower()
        if data.startswith(b"::", end):
            return self.member(name, pos, self.skip(end + 2))
        if word == "new":
            return self.new_object(pos, end)
        if word in RESERVED:
            raise self.refused(f"the keyword {word}", pos)
        if data.startswith(b"(", end):
            if word == "array":
                return self.open(_Frame("array", pos, b")", php=self.php), end + 1)
            return self.call(name.removeprefix("\\"), pos, end + 1)
        plain = name.removeprefix("\\")
        if plain.lower() in WORDS:
            return WORDS[plain.lower()], end
        if plain in CONSTANTS and (plain != name or plain not in self.names.own_constants):
            return CONSTANTS[plain], end
        return self.ask(f"the constant {shown(plain)}", plain, None, pos), end

    def member(self, owner: str, pos: int, end: int) -> tuple[Any, int]:
        """What follows ``owner::``: ``class``, an enum's case, or ``__set_state(array)``."""
        data = self.data
        if owner.lower() in ("self", "static", "parent"):
            raise self.refused(f"the keyword {owner.lower()}", pos)
        owner = self.names.class_name(owner)
        name, after = self.name_at(end)
        if match := _VARIABLE.match(data, end):
            name = self.text_or_none(match[0]) or ""
            raise self.refused(f"the variable {shown(owner)}::{shown(name)}", pos)
        if not name or "\\" in name:
            raise self.unexpected(end, "a name")
        after = self.skip(after)
        if name.lower() == "class":
            return owner, after
        if data.startswith(b"(", after):
            if name.lower() == "__set_state" and (opening := self.array_opening(self.skip(after + 1))):
                return self.open_state(owner, pos, *opening)
            return self.call(f"{owner}::{name}", pos, after + 1)
        if self.php and self.unknown is None:
            return PhpEnum(owner, name), after
        what = f"the constant or enum case {shown(owner)}::{shown(name)}"
        return self.ask(what, f"{owner}::{name}", None, pos, Hint("values-php-inert")), after

    def array_opening(self, pos: int) -> tuple[bytes, int] | None:
        """How the array at *pos* closes, and the place after its opening; None if there is no array."""
        data = self.data
        if data.startswith(b"[", pos):
            return b"]", pos + 1
        if data[pos : pos + 5].lower() == b"array" and data.startswith(b"(", opening := self.skip(pos + 5)):
            return b")", opening + 1
        return None

    def open_state(self, owner: str, pos: int, closing: bytes, start: int) -> tuple[Any, int]:
        """The state of an object of *owner*: an array that begins at *start*."""
        is_plain = owner.lower() == "stdclass"
        if not (self.php or is_plain):
            what = f"an object of the class {shown(owner)}"
            raise self.fail(what, pos, kind="forbidden", hint=Hint("values-php-inert"))
        return self.open(_Frame("state", pos, closing, php=self.php, name="" if is_plain else owner), start)

    def new_object(self, pos: int, end: int) -> tuple[Any, int]:
        """``new stdClass`` or ``new stdClass()``."""
        name, after = self.name_at(end)
        if self.names.class_name(name).lower() != "stdclass":
            what = f"a new object of the class {shown(name)}" if name else "the keyword new"
            raise self.refused(what, pos)
        after = self.skip(after)
        if self.data.startswith(b"(", after):
            after = self.token(b")", after + 1)
        return self.as_object([], pos), after

    def variable(self, pos: int) -> tuple[Any, int]:
        """``$name``, which nobody but the caller knows."""
        match = _VARIABLE.match(self.data, pos)
        name = self.text_or_none(match[0]) if match else None
        if match is None or name is None:
            raise self.refused("a variable", pos)
        return self.ask(f"the variable {shown(name)}", name, None, pos), match.end()

    def call(self, name: str, pos: int, start: int) -> tuple[Any, int]:
        """The arguments of a call; without anybody to ask about it, it is refused by its name."""
        if self.unknown is None:
            raise self.refused(f"a call of {shown(name)}()", pos, Hint("unknown"))
        return self.open(_Frame("call", pos, b")", php=self.php, name=name), start)

    # ---- frames

    def open(self, frame: _Frame, start: int) -> tuple[Any, int]:
        """Begin a frame, whose contents begin at *start*."""
        self.frames.append(frame)
        self.enter(len(self.steps) + len(self.frames) - 1, 0, frame.start)
        return _OPENED, start

    def put(self, frame: _Frame, value: Any, pos: int) -> None:
        """Take *value* into an array, a state or arguments."""
        value = self.finished(value, pos)
        self.enter(0, 1, pos)
        if frame.kind == "call":
            frame.items.append(value)
        elif frame.kind == "state" and frame.name:
            key = len(frame.items) if frame.key is MISSING else frame.key
            frame.items.append(PhpProperty(key, value))
        else:
            self.put_into(frame.array, frame.key, value, pos)
        frame.key = MISSING

    def put_into(self, array: PhpArray, key: Any, value: Any, pos: int) -> None:
        """Set the element of *key*, of the next index if that is `MISSING`."""
        if key is MISSING:
            key = array.index
            if key > INT_MAX:
                raise self.fail("no index is left for the element", pos)
        array.put(key, value)

    def close(self, pos: int, last: Any = MISSING) -> tuple[Any, int]:
        """The value of the innermost frame, which closes at *pos* after the expression *last*; the place after it."""
        frame = self.frames[-1]
        value = last
        if last is not MISSING and frame.kind != "group":
            self.put(frame, last, frame.at)
        pos += 1
        if frame.kind == "call":
            what = f"a call of {shown(frame.name)}()"
            value = self.ask(what, frame.name, frame.items, frame.start)
        elif frame.kind == "array":
            value = frame.array.finish()
        elif frame.kind == "state":
            pos = self.skip(pos)
            pos = self.token(b")", pos + self.data.startswith(b",", pos))
            value = PhpObject(frame.name, frame.items) if frame.name else self.as_object(frame.array.finish(), pos)
        self.frames.pop()
        return value, pos

    def whole_operand(self, frame: _Frame, value: Any, pos: int) -> tuple[Any, int]:
        """*value*, which ends at the token at *pos*, with what stands before it; and the place of the next token."""
        for mark in reversed(frame.prefix):
            value = self.as_object(value, pos) if mark == _CAST_MARK else self.signed(chr(mark), value, pos)
        frame.prefix.clear()
        # The smallest integer as var_export prints it: its plain literal would be a float.
        if value == -INT_MAX and type(value) is int and (match := _MINUS_ONE.match(self.data, pos)):
            return INT_MIN, self.skip(match.end())
        return value, pos

    def joined(self, frame: _Frame, value: Any, pos: int) -> bytes | str:
        """The operands between dots as one string, of which *value* is the last."""
        pieces, frame.pieces = [*frame.pieces, self.as_text(value, pos)], []
        texts = [piece if isinstance(piece, str) else self.text_or_none(piece) for piece in pieces]
        if str in map(type, pieces) and None not in texts:
            return "".join(map(str, texts))
        return b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)

    # ---- conversions

    def signed(self, sign: str, value: Any, pos: int) -> int | float:
        """A number with its sign, by PHP's rule for what is beyond 64 bits."""
        if type(value) is not int and type(value) is not float:
            raise self.refused(f"the operator {sign} before what is no number", pos)
        if sign == "+":
            return value
        return -value if value != INT_MIN else -float(value)

    def as_text(self, value: Any, pos: int) -> bytes | str:
        """An operand of ``.`` as a string."""
        if type(value) is bytes or type(value) is str:
            return value
        if value is None or value is False:
            return b""
        if type(value) is int or value is True:
            return b"%d" % value
        if type(value) is float:
            raise self.fail("a float as text, which PHP's setting precision decides", pos, kind="forbidden")
        raise self.refused("the operator . beside what is no text", pos)

    def as_key(self, value: Any, pos: int) -> int | str | bytes:
        """*value* as an array's key, by PHP's rules."""
        if value is None:
            return ""
        if type(value) is bytes or type(value) is str:
            text = self.finished(value, pos)
            return array_key(text) if type(text) is str else value
        if type(value) is float and INT_MIN <= value < -INT_MIN:
            return math.trunc(value)
        if type(value) is int or type(value) is bool:
            return int(value)
        raise self.fail("a key that is neither text nor a number", pos)

    def as_object(self, value: Any, pos: int) -> Any:
        """*value* cast to an object; `dict` in the portable domain, unless it has stdClass."""
        if type(value) is PhpObject or id(value) in self.objects:
            return value
        if type(value) is list:
            members = {str(index): item for index, item in enumerate(value)}
        elif type(value) is dict:
            members = {str(key) if type(key) is int else key: item for key, item in value.items()}
        else:
            raise self.refused("the cast (object) of what is no array", pos)
        if self.php or self.std_class:
            return PhpObject("stdClass", members)
        self.objects[id(members)] = members
        return members

    def finished(self, value: Any, pos: int) -> Any:
        """An operand as a value."""
        if type(value) is bytes:
            text = self.text_or_none(value)
            if text is not None:
                return text
            if not self.php:
                raise self.not_in_charset("a string", pos, Hint("values-php-bytes"))
        elif type(value) is float and not self.php and not math.isfinite(value):
            raise self.fail("not a finite number", pos, kind="forbidden", hint=Hint("values-php"))
        return value

    # ---- what is not known

    def ask(self, what: str, name: str, arguments: list[Any] | None, pos: int, hint: Hint | None = None) -> Any:
        """What the caller makes of *name*; an error that names it if that is nothing."""
        if self.unknown is None:
            raise self.refused(what, pos, hint or Hint("unknown"))
        try:
            value = self.unknown(name, arguments)
            conform(value, self.domain)
        except EncodeError as exc:
            raise self.fail(f"{what}: unknown returned no value: {exc.reason}", pos, kind="forbidden") from exc
        except Exception as exc:
            raise self.fail(f"{what}: unknown raised {type(exc).__name__}", pos, kind="forbidden") from exc
        return value

    def refused(self, what: str, pos: int, hint: Hint | None = None) -> DecodeError:
        """The error for code that would have to be run."""
        return self.fail(f"{what} is not data", pos, kind="forbidden", hint=hint or Hint("not-run"))

    def unexpected(self, pos: int, expected: str) -> DecodeError:
        """The error for the token at *pos*, by its name if it is an operator."""
        if match := _OPERATOR.match(self.data, pos):
            return self.refused(f"the operator {match[0].decode()}", pos)
        return self.fail(f"expected {expected}", pos)

    def path(self) -> list[Step]:
        """The steps to where the reader is."""
        steps = list(self.steps)
        for frame in self.frames:
            if not frame.has_keys:
                continue
            if frame.key is not MISSING:
                steps.append(frame.array.step(frame.key))
            elif frame is not self.frames[-1] or frame.array.items is not None:
                steps.append(frame.array.step(frame.array.index))
        return steps
