"""Expressions: operands, what stands around them and how operators bind, in one loop over frames."""

from __future__ import annotations

import re
from typing import Any, Final

from envelope.formats.var_export.php_file.arrays import MISSING, PhpArray, Place, elements
from envelope.formats.var_export.php_file.evaluation import Evaluation
from envelope.formats.var_export.php_file.frames import Frame, Operator
from envelope.formats.var_export.php_file.names import CONSTANTS, RESERVED, WORDS
from envelope.formats.var_export.php_file.numbers import read_number
from envelope.formats.var_export.php_file.operators import BINARY, CAST, LONE, RANKS, RIGHT, UNARY
from envelope.formats.var_export.php_file.source import shown
from envelope.formats.var_export.php_file.strings import read_string
from envelope.hints import Hint
from envelope.values.php_rules import INT_MAX
from envelope.values.php_types import PhpEnum, PhpObject, PhpProperty

__all__ = ["Expressions"]

_NO_CAST: Final = re.compile(rb"\([ \t]*+(?:real|unset)[ \t]*+\)", re.IGNORECASE)
_VARIABLE: Final = re.compile(rb"\$([A-Za-z_\x80-\xff][0-9A-Za-z_\x80-\xff]*+)")
_NAMED_ARGUMENT: Final = re.compile(rb"[A-Za-z_\x80-\xff][0-9A-Za-z_\x80-\xff]*+[ \t\r\n]*+:(?!:)")
_PREFIXES: Final = (b"-", b"+", b"!", b"~")
_CASTS: Final = {"boolean": "bool", "integer": "int", "double": "float", "binary": "string"}

_OPENED: Final = object()  # in place of an operand: its beginning was read, not its end


class Expressions(Evaluation):
    """A source of expressions."""

    __slots__ = ()

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
        frames = self.frames = [Frame("", pos, b"", php=self.php)]
        self.is_skipping = False
        while True:
            pos = self.skip(pos)
            frame = frames[-1]
            if frame.is_fresh and data.startswith(frame.closing, pos):
                value, pos = self.close(pos)
            else:
                value, pos = self.operand(frame, pos)
                frame.is_fresh = False
            if value is _OPENED:
                continue
            # Out of the frames that are complete, until another operand must follow.
            while True:
                frame = frames[-1]
                pos = self.skip(pos)
                if data.startswith(b"[", pos):
                    _, pos = self.open(Frame("key", pos, b"]", php=self.php, of=value), pos + 1)
                    break
                match = BINARY.match(data, pos)
                if match or frame.operators or type(value) is Place:
                    value, pos = self.operator(frame, value, pos, match)
                    if match:
                        break
                if not frame.kind:
                    self.frames = []
                    return value, pos
                if end := self.separator(frame, value, pos):
                    pos = end
                    break
                if not data.startswith(frame.closing, pos):
                    raise self.unexpected(pos, f"',' or '{frame.closing.decode()}'")
                value, pos = self.close(pos, value)
                if value is _OPENED:
                    break

    def separator(self, frame: Frame, value: Any, pos: int) -> int:
        """Take *value* as a key or an element, as the token at *pos* says; the place after that, 0 if it is none."""
        if frame.takes_more and self.data.startswith(b",", pos):
            self.put(frame, value, frame.at)
            frame.is_fresh = True
            return pos + 1
        if frame.has_keys and frame.key is MISSING and not frame.is_spread and self.data.startswith(b"=>", pos):
            frame.key = self.as_key(value, frame.at)
            return pos + 2
        return 0

    # ---- operators

    def operator(self, frame: Frame, value: Any, pos: int, match: re.Match[bytes] | None) -> tuple[Any, int]:
        """Take the operator of *match* into *frame*; the place after it. Without a match, what the expression is."""
        symbol, end = (match[0].decode(), match.end()) if match else ("", pos)
        if symbol == "?":
            colon = self.skip(end)
            if self.data.startswith(b":", colon) and not self.data.startswith(b"::", colon):
                symbol, end = "?:", colon + 1
        rank = RANKS.get(symbol, 0)
        if type(value) is Place:
            may_miss = symbol == "??" and not (frame.operators and frame.operators[-1].rank > rank)
            value = self.settled(value, pos, may_miss=may_miss)
        value = self.reduced(frame, value, rank + 1)
        if not symbol:
            return value, pos
        last = frame.operators[-1] if frame.operators else None
        if last is not None and last.rank == rank:
            if rank in LONE and not symbol == last.symbol == "?:":
                raise self.unexpected(pos, "';'")
            if symbol == ".":
                last.left.append(self.piece(value, pos))
                return value, end
            if symbol not in RIGHT:
                value = self.reduced(frame, value, rank)
        self.push(frame, Operator(symbol, rank, pos, value), end)
        return value, end

    def push(self, frame: Frame, operator: Operator, end: int) -> None:
        """Begin the right operand, which PHP does not evaluate if the left one decides."""
        value, symbol = operator.left, operator.symbol
        if not self.is_skipping:
            self.check_known(value, operator.at)
            if symbol == "??":
                operator.skips = value is not None
            elif symbol in ("?", "?:", "&&", "||"):
                is_true = self.truth(value)
                operator.skips = is_true == (symbol in ("?:", "||"))
                if symbol in ("&&", "||"):
                    operator.left = is_true
        if symbol == ".":
            operator.left = [self.piece(value, operator.at)]
        if symbol == "?":
            choice = Frame("choice", operator.at, b":", php=self.php)
            choice.skips = operator.skips
            self.open(choice, end)
        else:
            frame.operators.append(operator)
        self.is_skipping |= operator.skips

    def reduced(self, frame: Frame, value: Any, rank: int) -> Any:
        """*value* with the operators before it that bind it as tightly as *rank* or tighter."""
        while frame.operators and frame.operators[-1].rank >= rank:
            operator = frame.operators.pop()
            self.is_skipping &= not operator.skips
            value = self.applied(operator, value)
        return value

    def piece(self, value: Any, pos: int) -> bytes | str:
        """*value* as an operand of a dot."""
        if self.is_skipping:
            return b""
        self.check_known(value, pos)
        return self.as_text(value, pos)

    # ---- operands

    def operand(self, frame: Frame, pos: int) -> tuple[Any, int]:
        """An operand, or the operator before one or what opens one (`_OPENED`)."""
        data = self.data
        if not frame.operators:
            if frame.is_fresh and frame.kind != "state" and data.startswith(b"...", pos):
                frame.is_spread = True
                return _OPENED, pos + 3
            frame.at = pos
        byte = data[pos : pos + 1]
        if byte == b"(" or byte in _PREFIXES:
            return self.before_operand(frame, pos)
        if byte == b"[":
            return self.open(Frame("array", pos, b"]", php=self.php), pos + 1)
        if byte == b"$":
            return self.variable(pos)
        literal = read_string(self, pos) or read_number(self, pos)
        if literal is not None:
            return literal
        name, end = self.name_at(pos)
        if not name:
            raise self.unexpected(pos, "a value")
        if frame.kind == "call" and not frame.operators and _NAMED_ARGUMENT.match(data, pos):
            raise self.refused(f"the named argument {shown(name)}", pos)
        return self.named(name, pos, self.skip(end))

    def before_operand(self, frame: Frame, pos: int) -> tuple[Any, int]:
        """A sign, a cast, or the parenthesis that opens a group."""
        data = self.data
        if not data.startswith(b"(", pos):
            symbol = chr(data[pos])
            if symbol in "-+" and data.startswith(symbol.encode(), pos + 1):
                raise self.unexpected(pos, "a value")
            frame.operators.append(Operator(symbol, RANKS["!"] if symbol == "!" else UNARY, pos))
            return _OPENED, pos + 1
        if match := CAST.match(data, pos):
            kind = match[1].decode().lower()
            frame.operators.append(Operator(f"({_CASTS.get(kind, kind)})", UNARY, pos))
            return _OPENED, match.end()
        if match := _NO_CAST.match(data, pos):
            raise self.refused(f"the cast {match[0].decode()}", pos)
        return self.open(Frame("group", pos, b")", php=self.php), pos + 1)

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
                return self.open(Frame("array", pos, b")", php=self.php), end + 1)
            return self.call(name.removeprefix("\\"), pos, end + 1)
        plain = name.removeprefix("\\")
        if plain.lower() in WORDS:
            return WORDS[plain.lower()], end
        if plain in CONSTANTS and (plain != name or plain not in self.names.own_constants):
            return CONSTANTS[plain], end
        own = self.names.own_constant(name, self.assigned)
        if own is not None:
            return Place(self.assigned[own]), end
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
        return self.open(Frame("state", pos, closing, php=self.php, name="" if is_plain else owner), start)

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
        """``$name``, which was assigned before, or only the caller knows."""
        match = _VARIABLE.match(self.data, pos)
        name = self.text_or_none(match[0]) if match else None
        if match is None or name is None:
            raise self.refused("a variable", pos)
        if name in self.assigned:
            return Place(self.assigned[name]), match.end()
        return self.ask(f"the variable {shown(name)}", name, None, pos), match.end()

    def call(self, name: str, pos: int, start: int) -> tuple[Any, int]:
        """The arguments of a call; without anybody to ask about it, it is refused by its name."""
        if self.unknown is None and not self.is_skipping:
            raise self.refused(f"a call of {shown(name)}()", pos, Hint("unknown"))
        return self.open(Frame("call", pos, b")", php=self.php, name=name), start)

    # ---- frames

    def open(self, frame: Frame, start: int) -> tuple[Any, int]:
        """Begin a frame, whose contents begin at *start*."""
        self.frames.append(frame)
        self.enter(len(self.steps) + len(self.frames) - 1, 0, frame.start)
        return _OPENED, start

    def put(self, frame: Frame, value: Any, pos: int) -> None:
        """Take *value* into an array, a state or arguments."""
        if frame.is_spread:
            self.spread(frame, value, pos)
            return
        self.enter(0, 1, pos)
        if self.is_skipping:
            frame.key = MISSING
            return
        value = self.finished(value, pos)
        if frame.kind == "call":
            frame.items.append(value)
        elif frame.kind == "state" and frame.name:
            key = len(frame.items) if frame.key is MISSING else frame.key
            frame.items.append(PhpProperty(key, value))
        else:
            self.put_into(frame.array, frame.key, value, pos)
        frame.key = MISSING

    def spread(self, frame: Frame, value: Any, pos: int) -> None:
        """Take the elements of the array *value* into an array or arguments, integer keys counted anew."""
        frame.is_spread = False
        if self.is_skipping:
            return
        self.check_known(value, pos)
        if type(value) not in (list, dict) or self.is_object(value):
            raise self.refused("the operator ... before what is no array", pos)
        self.enter(0, len(value), pos)
        for key, child in elements(value):
            if frame.kind != "call":
                self.put_into(frame.array, MISSING if type(key) is int else key, child, pos)
            elif type(key) is int:
                frame.items.append(child)
            else:
                raise self.refused("a named argument in an array", pos)

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
        if last is not MISSING and frame.takes_more:
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
        elif frame.kind == "key" and not self.is_skipping:
            value = self.element(frame.of, self.as_key(last, frame.at), frame.start)
        self.frames.pop()
        if frame.kind == "choice":
            return self.other_choice(frame, value), pos
        return value, pos

    def other_choice(self, frame: Frame, value: Any) -> Any:
        """Begin what follows the ``:`` of a choice, which PHP evaluates if it did not evaluate *value*."""
        self.is_skipping &= not frame.skips
        is_taken = not (frame.skips or self.is_skipping)
        self.frames[-1].operators.append(Operator("?", RANKS["?"], frame.start, value, skips=is_taken))
        self.is_skipping |= is_taken
        return _OPENED
