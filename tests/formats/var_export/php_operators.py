"""Random expressions with operators, casts, calls and variables, from a seed; and the function that they call."""

from __future__ import annotations

from random import Random
from typing import Any

__all__ = ["known", "random_program"]

# As the `env` of php_operations.php.
ENVIRONMENT: dict[str, Any] = {
    "TEN": 10, "TEXT": "a,b", "NUMBER": " 12", "HALF": 0.5, "NO": False, "NONE": None, "LIST": [1, "x"],
    "MAP": {"k": "v", 7: [1]}, "EMPTY": "", "名": "é",
}  # fmt: skip

LEAVES = (
    "0", "1", "2", "3", "7", "-1", "64", "0.0", "-0.0", "0.5", "2.5", "-7.5", "1e3", "1e19", "-1e30", "9223372036854775807",
    "PHP_INT_MIN", "PHP_INT_MAX", "4611686018427387904", "3037000500", "true", "false", "null", "''", "'0'", "'a'", "'b'",
    "'12'", "' 12'", "'12 '", "'1e3'", "'1.5'", "'-3'", "'abc'", "'12abc'", "'9223372036854775808'",
    "'9223372036854775809'", "'1e1000'", "'-9223372036854775808'", "'-1e30'", "'.5'", "'5.'", "'.'", "'0x1A'", "'0.0'",
    "'+5'", "' '", "[]", "[1]", "['k' => 1, 5 => 2]", "[3, 4, 5]", "NAN", "INF", "M_PI", "PHP_EOL", '"\\xff"', "'é'",
    "<<<A\nx\nA",
)  # fmt: skip
ARITHMETIC = ("+", "-", "*", "/", "%", "**", "|", "&", "^", "<<", ">>")
OTHERS = (".", "??", "?:", "&&", "||", "==", "!=", "<>", "===", "!==", "<", "<=", ">", ">=", "<=>")
CASTS = ("(int)", "(integer)", "( bool )", "(boolean)", "(float)", "(double)", "(string)", "(binary)", "(array)",
         "(STRING)")  # fmt: skip
# What is refused here though PHP has a value, often with a warning.
MEANT = (
    "a float as text", "beside text that is no number", "an array or an object", "between arrays or objects",
    "on the bytes of texts", "which is not there", "an element of what is no array", "the operator . beside what is no text",
    "a key that is neither", "the operator ~ before what is no number",
)  # fmt: skip


def known(name: str, arguments: list[Any] | None) -> Any:
    """What the `env` of php_operations.php returns."""
    if name != "env" or not arguments:
        raise LookupError(name)
    value = ENVIRONMENT.get(arguments[0]) if isinstance(arguments[0], str) else None
    return value if value is not None else arguments[1] if len(arguments) > 1 else None


def random_program(rng: Random) -> bytes:
    """A file that assigns variables and returns an expression of them."""
    lines: list[str] = []
    variables: list[str] = []
    for _ in range(rng.randrange(3)):
        name = rng.choice(("$a", "$b"))
        path = rng.choice(("", "", "['k']", "[]", "['k']['l']", "[3]"))
        if path:
            lines.append(f"{name} = [{_expression(rng, 1, variables)}];")
        lines.append(f"{name}{path} = {_expression(rng, 2, variables)};")
        variables = [*variables, name, name, f"{name}['k']", f"{name}[0]", f"{name}['k']['l']"]
    return f"<?php {' '.join(lines)} return [{_expression(rng, 3, variables)}];".encode()


def _expression(rng: Random, depth: int, variables: list[str]) -> str:
    if not depth or rng.random() < 0.1:
        if variables and rng.random() < 0.4:
            return rng.choice(variables) if rng.random() < 0.3 else f"({rng.choice(variables)} ?? {rng.choice(LEAVES)})"
        return rng.choice(LEAVES) if rng.random() < 0.8 else f"env('{rng.choice([*ENVIRONMENT, 'OTHER'])}')"

    def inner() -> str:
        text = _expression(rng, depth - 1, variables)
        return f"({text})" if rng.random() < 0.3 else text

    kind = rng.randrange(13)
    if kind <= 3:
        first, second = (rng.choice(("(int) ", "(float) ", "(bool) ", "")) for _ in "12")
        return f"{first}{inner()} {rng.choice(ARITHMETIC)} {second}{inner()}"
    if kind <= 6:
        return f"{inner()}\n{rng.choice(OTHERS)} {inner()}"
    if kind == 7:
        return f"(({inner()}) ? {inner()} : ({inner()}))"  # PHP ends at two of them without parentheses
    if kind == 8:
        return f"{rng.choice(('!', '-', '+', '~', *CASTS))} {inner()}"
    if kind == 9:
        return f"[{inner()}, ...(array) ({inner()}), 'z' => {inner()}, ...['k' => {inner()}], {inner()}]"
    if kind == 10:
        return f"env({inner()}, {inner()})"
    if kind == 11:
        return f"({inner()})[{inner()}]" if rng.random() < 0.3 else f"env('MAP')['{rng.choice('kx')}'] ?? {inner()}"
    return f"(array) ({inner()}) + (array) {inner()}"
