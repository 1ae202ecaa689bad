"""What expressions evaluate to: operators, casts and the caller's answers, on values that are inert."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from envelope.errors import DecodeError, EncodeError
from envelope.formats.common.charsets import strings_charset
from envelope.formats.common.conform import Domain, conform
from envelope.formats.var_export.php_file.arrays import MISSING, PhpArray, Place, elements, member, unfolded
from envelope.formats.var_export.php_file.conversions import NotData, is_true
from envelope.formats.var_export.php_file.frames import Frame, Operator
from envelope.formats.var_export.php_file.names import Names
from envelope.formats.var_export.php_file.operators import calculate, cast_number, negate
from envelope.formats.var_export.php_file.source import FORMAT, Source, shown
from envelope.hints import Hint
from envelope.options import ReadOptions, Unknown
from envelope.path import Step
from envelope.values.php_rules import INT_MIN, array_key
from envelope.values.php_types import PhpEnum, PhpObject

__all__ = ["Evaluation"]

_OPERATOR: Final = re.compile(
    rb"\?->|->|\?\?=?|<=>|\*\*=?|[=!]==?|<<=?|>>=?|&&|\|\||\+\+|--|\.\.\.|[-+*/%.&|^<>]=?|[!~@?\[=]"
    rb"|(?:and|or|xor|instanceof)\b",
    re.IGNORECASE,
)


class Evaluation(Source):
    """Values of a file. Strings of the file are `bytes` until they are finished; the caller's are text.

    ``steps`` lead to the place of the expression that is being read. While ``is_skipping``, PHP would evaluate nothing:
    values are None, and nobody is asked for one.
    """

    __slots__ = (
        "assigned", "domain", "frames", "is_skipping", "names", "objects", "php", "std_class", "steps", "unknown",
    )  # fmt: skip

    def __init__(self, data: bytes, options: ReadOptions, unknown: Unknown | None) -> None:
        super().__init__(data, FORMAT, options.limits, strings_charset(options.encoding))
        self.domain = Domain(format=FORMAT, limits=options.limits, php=options.php)
        self.php = options.php
        self.std_class = options.std_class
        self.unknown = unknown
        self.names = Names()
        self.frames: list[Frame] = []
        self.steps: list[Step] = []
        self.is_skipping = False
        # By `$name`, or the name of a constant; `PhpArray` if an element was assigned.
        self.assigned: dict[str, Any] = {}
        # The objects that are dicts here, by id: nothing can be assigned to an element of theirs.
        self.objects: dict[int, dict[Any, Any]] = {}

    # ---- operators

    def applied(self, operator: Operator, value: Any) -> Any:
        """The result of *operator*, of which *value* is the right operand."""
        symbol, left, at = operator.symbol, operator.left, operator.at
        if operator.skips:
            return left
        if self.is_skipping:
            return None
        if symbol in ("?", "?:", "??"):
            return value
        self.check_known(value, at)
        if symbol in ("&&", "||"):
            return self.truth(value)
        if symbol == "!":
            return not self.truth(value)
        if symbol == ".":
            return self.joined([*left, self.as_text(value, at)], at)
        if symbol.startswith("("):
            return self.cast(symbol[1:-1], value, at)
        if symbol == "+" and type(left) in (list, dict) and type(value) in (list, dict):
            return self.united(left, value, at)
        try:
            if left is MISSING:
                return negate(symbol, self.operand_of(symbol, value))
            return calculate(symbol, self.operand_of(symbol, left), self.operand_of(symbol, value))
        except NotData as exc:
            reason = str(exc)
        raise self.refused(reason, at)

    def operand_of(self, symbol: str, value: Any) -> Any:
        """*value* as an operand whose text can be compared with the caller's."""
        if self.is_object(value):
            raise NotData(f"the operator {symbol} beside an object")
        if type(value) is bytes:
            text = self.text_or_none(value)
            return value if text is None else text
        return value

    def check_known(self, value: Any, pos: int) -> None:
        """Refuse a constant of a class as an operand: it was taken for an enum's case."""
        if type(value) is PhpEnum and self.unknown is None:
            what = f"the constant or enum case {shown(value.class_name)}::{shown(value.case)}"
            raise self.refused(what, pos, Hint("unknown"))

    def is_object(self, value: Any) -> bool:
        """Whether *value* is an object, in either domain."""
        return type(value) is PhpObject or type(value) is PhpEnum or id(value) in self.objects

    def truth(self, value: Any) -> bool:
        """Whether *value* is true for PHP."""
        return self.is_object(value) or is_true(value)

    def joined(self, pieces: list[bytes | str], pos: int) -> bytes | str:
        """The operands of dots as one string."""
        self.spend(sum(map(len, pieces)), pos)
        texts = [piece if isinstance(piece, str) else self.text_or_none(piece) for piece in pieces]
        if str in map(type, pieces) and None not in texts:
            return "".join(map(str, texts))
        return b"".join(piece.encode() if isinstance(piece, str) else piece for piece in pieces)

    def united(self, left: Any, right: Any, pos: int) -> Any:
        """The sum of two arrays: the left one, and what the right one has beside it."""
        for value in (left, right):
            if self.is_object(value):
                raise self.refused("the operator + beside an object", pos)
        self.enter(0, len(left) + len(right), pos)
        array = PhpArray.of(left, php=self.php)
        for key, child in elements(right):
            if array.get(key) is MISSING:
                array.put(key, child)
        return array.finish()

    def cast(self, kind: str, value: Any, pos: int) -> Any:
        """*value* cast to bool, int, float, string, array or object."""
        if kind == "bool":
            return self.truth(value)
        if kind == "object":
            return self.as_object(value, pos)
        if self.is_object(value):
            raise self.refused(f"the cast ({kind}) of an object", pos)
        if kind == "array":
            if value is None:
                return []
            return value if type(value) in (list, dict) else [self.finished(value, pos)]
        return self.as_text(value, pos) if kind == "string" else cast_number(kind, value)

    # ---- variables and elements

    def element(self, container: Any, key: int | str | bytes, pos: int) -> Any:
        """The place of an element of what *container* holds."""
        place = container if type(container) is Place else Place(container)
        value = place.value
        if value is MISSING or value is None or type(value) in (bool, int, float):
            return Place(MISSING, place.key if value is MISSING else key)
        if type(value) not in (PhpArray, list, dict) or self.is_object(value):
            raise self.fail("an element of what is no array", pos)
        return Place(member(value, key), key)

    def settled(self, place: Place, pos: int, *, may_miss: bool) -> Any:
        """What *place* holds, paid for as the copy it is; None if there is nothing, which is an error elsewhere."""
        if place.value is MISSING:
            if may_miss:
                return None
            name = place.key.decode("utf-8", "replace") if isinstance(place.key, bytes) else str(place.key)
            raise self.refused(f"the element {shown(name)}, which is not there,", pos)
        value, items, size, depth = unfolded(place.value)
        self.enter(len(self.steps) + len(self.frames) - 1 + depth, items, pos)
        self.spend(size, pos)
        return value

    def spend(self, size: int, pos: int) -> None:
        """Pay for *size* bytes of text that are not in the file as such."""
        if excess := self.budget.spend(size):
            reason = f"the file makes text of more than {self.budget.limits.max_bytes} bytes"
            raise self.fail(reason, pos, kind="limit", hint=excess.hint)

    # ---- conversions

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
        if value is None or self.is_skipping:
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
        members: dict[Any, Any]
        if self.is_object(value):
            return value
        if type(value) is list:
            members = {str(index): item for index, item in enumerate(value)}
        elif type(value) is dict:
            members = {str(key) if type(key) is int else key: item for key, item in value.items()}
        else:
            members = {} if value is None else {"scalar": self.finished(value, pos)}
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
        if self.is_skipping:
            return None
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
