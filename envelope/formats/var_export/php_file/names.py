"""What names mean: PHP's own constants, and classes in a file with a namespace and imports."""

from __future__ import annotations

import math
import sys
from collections.abc import Container
from typing import Any, Final

from envelope.values.php_rules import INT_MAX, INT_MIN

__all__ = ["CONSTANTS", "RESERVED", "WORDS", "Names"]

WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
"""Constants whose letters may be of any case."""

CONSTANTS: Final[dict[str, Any]] = {
    "PHP_INT_MAX": INT_MAX,
    "PHP_INT_MIN": INT_MIN,
    "PHP_INT_SIZE": 8,
    "PHP_FLOAT_DIG": sys.float_info.dig,
    "PHP_FLOAT_EPSILON": sys.float_info.epsilon,
    "PHP_FLOAT_MAX": sys.float_info.max,
    "PHP_FLOAT_MIN": sys.float_info.min,
    "PHP_EOL": b"\n",
    "DIRECTORY_SEPARATOR": b"/",
    "PATH_SEPARATOR": b":",
    "NAN": math.nan,
    "INF": math.inf,
    "M_E": math.e,
    "M_LOG2E": 1.4426950408889634,
    "M_LOG10E": 0.4342944819032518,
    "M_LN2": math.log(2),
    "M_LN10": math.log(10),
    "M_PI": math.pi,
    "M_PI_2": math.pi / 2,
    "M_PI_4": math.pi / 4,
    "M_1_PI": 1 / math.pi,
    "M_2_PI": 2 / math.pi,
    "M_SQRTPI": 1.772453850905516,
    "M_2_SQRTPI": 2 / math.sqrt(math.pi),
    "M_LNPI": 1.1447298858494002,
    "M_EULER": 0.5772156649015329,
    "M_SQRT2": math.sqrt(2),
    "M_SQRT1_2": math.sqrt(0.5),
    "M_SQRT3": math.sqrt(3),
    "E_ERROR": 1,
    "E_WARNING": 2,
    "E_PARSE": 4,
    "E_NOTICE": 8,
    "E_CORE_ERROR": 16,
    "E_CORE_WARNING": 32,
    "E_COMPILE_ERROR": 64,
    "E_COMPILE_WARNING": 128,
    "E_USER_ERROR": 256,
    "E_USER_WARNING": 512,
    "E_USER_NOTICE": 1024,
    "E_STRICT": 2048,
    "E_RECOVERABLE_ERROR": 4096,
    "E_DEPRECATED": 8192,
    "E_USER_DEPRECATED": 16384,
    "E_ALL": 32767,
}
"""PHP's constants that are the same in every PHP 8.2 on a 64-bit Unix; strings are bytes here."""

RESERVED: Final = frozenset((
    "abstract", "and", "as", "break", "callable", "case", "catch", "class", "clone", "continue", "declare",
    "default", "die", "do", "echo", "else", "elseif", "empty", "enddeclare", "endfor", "endforeach", "endif",
    "endswitch", "endwhile", "eval", "exit", "extends", "final", "finally", "fn", "for", "foreach", "function",
    "global", "goto", "if", "implements", "include", "include_once", "instanceof", "insteadof", "interface",
    "isset", "list", "match", "namespace", "new", "or", "parent", "print", "private", "protected", "public",
    "readonly", "require", "require_once", "return", "self", "static", "switch", "throw", "trait", "try", "unset",
    "use", "var", "while", "xor", "yield", "__halt_compiler",
))  # fmt: skip
"""PHP's keywords that begin code, not data, where a value is expected."""


class Names:
    """A file's namespace and imports. ``own_constants`` are names that in this file may not be PHP's own."""

    __slots__ = ("imported", "imports", "namespace", "own_constants")

    def __init__(self) -> None:
        self.namespace = ""
        self.imports: dict[str, str] = {}
        self.own_constants: set[str] = set()
        self.imported: set[str] = set()  # functions and constants that `use` names

    def full(self, name: str) -> str:
        """Return *name*, of something declared in this file, with its namespace."""
        return f"{self.namespace}\\{name}" if self.namespace else name

    def own_constant(self, name: str, known: Container[str]) -> str | None:
        """Return which of the constants *known* the file calls *name*; None if it is none of them."""
        if name.startswith("\\"):
            names = [name[1:]]
        elif "\\" in name:
            names = [self.class_name(name)]
        else:
            names = [] if name in self.imported else [self.full(name), name]
        return next((each for each in names if each in known), None)

    def class_name(self, name: str) -> str:
        """Return the full name of the class that the file calls *name*, without a leading backslash."""
        if name.startswith("\\"):
            return name[1:]
        first, separator, rest = name.partition("\\")
        if separator and first.lower() == "namespace":
            return self.full(rest)
        imported = self.imports.get(first.lower())
        return self.full(name) if imported is None else imported + separator + rest
