"""Random PHP files of data, from a seed: every spelling that the dialect "file" reads."""

from __future__ import annotations

from random import Random

__all__ = ["random_file"]

WORDS = ("debug", "host", "名", "Ж", "a_b", "x9", "driver")
CLASSES = ("App\\Models\\User", "\\Foo", "Suit", "Sub\\Thing", "namespace\\Own", "Alias")
CONSTANTS = (
    "true", "FALSE", "Null", "\\true", "PHP_INT_MAX", "PHP_INT_MIN", "PHP_INT_SIZE", "PHP_EOL", "M_PI", "\\M_E", "E_ALL",
    "DIRECTORY_SEPARATOR", "PATH_SEPARATOR", "NAN", "INF", "PHP_FLOAT_EPSILON", "PHP_FLOAT_MAX", "M_SQRT2", "E_STRICT",
)  # fmt: skip
NUMBERS = (
    "0", "-0", "7", "+7", "- 7", "1_000_000", "0x1F", "0XfF_0", "0o17", "0O7", "017", "0_7", "00", "0b101", "0B1_0",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775807-1", "- +5", "-(5)",
    "-9223372036854775807 - 1", "0x7FFFFFFFFFFFFFFF", "0x8000000000000000", "0xFFFFFFFFFFFFFFFFFFF", "0777777777777777777777",
    "01777777777777777777777", "0b" + "1" * 64, "0x123456789ABCDEF123", "1.5", "-0.0", ".5", "5.", "1e3", "1.E3", ".5e-3",
    "1E+25", "1_0.2_5e1_0", "0.1", "1e400", "-1e400", "5e-324", "089.5", "09e1", "1" * 40, "4.9e-325",
)  # fmt: skip
PIECES = (
    "a", "é", "中", "😀", "'", '"', "\\", "\\\\", "\\'", '\\"', "\\n", "\\t", "\\v\\e\\f", "\\$x", "$", "$ ", "$5", "{", "{ $",
    "}", "\\x41", "\\x4", "\\X4a", "\\xg", "\\101", "\\400", "\\8", "\\0", "\\u{41}", "\\u{1F600}", "\\u{0000e9}", "\\ug", "\\q",
    "\n", "\r\n", "\r", "\t", "  ", "\0", "?>", "//", "#", "/*", "END", "END;", "ENDS", "\\{", "\\\n", "0", "5", "-5", "<?php",
)  # fmt: skip
SPACES = (
    "",
    "",
    "",
    " ",
    "\n",
    "\t",
    "\r\n",
    "  \n",
    "/* c */",
    "/**/",
    "// c\n",
    "# c ' \"\n",
    "//\r",
    "/* ** ?> */",
    "#\n",
)
KEYS = ("'a'", "'5'", "'-5'", "'05'", "5", "-3", "1.7", "-1.7", "true", "false", "null", "''", "'a' . 'b'", "0x5", "PHP_INT_MAX",
        "'9223372036854775807'", "'-0'", "Foo::class", '"\\x35"', "-9223372036854775808", "0", "1", "2")  # fmt: skip


class _Writer:
    def __init__(self, rng: Random, *, objects: bool) -> None:
        self.rng = rng
        self.objects = objects

    def space(self) -> str:
        return self.rng.choice(SPACES)

    def string(self) -> str:
        rng = self.rng
        body = "".join(rng.choices(PIECES, k=rng.randrange(6)))
        kind = rng.randrange(5)
        if kind <= 1:
            return "'" + body.replace("\\", "\\\\").replace("'", "\\'") + "'" if kind else f"'{self.single(body)}'"
        if kind == 2:
            return f'"{self.double(body)}"'
        return self.heredoc(body, is_nowdoc=kind == 3)

    def single(self, body: str) -> str:
        """*body* with its own backslashes, less what would end the string."""
        return body.replace("'", "").rstrip("\\")

    def double(self, body: str) -> str:
        body = body.replace('"', "'").replace("$\\", "$ \\")
        while body.endswith("\\"):
            body = body[:-1]
        return self.without_variables(body)

    def without_variables(self, body: str) -> str:
        """*body* without a variable in it: a dollar sign stands before nothing that could be its name."""
        out = ""
        for place, char in enumerate(body):
            after = body[place + 1 : place + 2]
            if char == "$" and (after.isalpha() or after in ("_", "{") or after > "\x7f" or out.endswith("{")):
                continue
            out += char
        return out.replace("{$", "{ $")

    def heredoc(self, body: str, *, is_nowdoc: bool) -> str:
        rng = self.rng
        indent = rng.choice(("", "", "  ", "\t", "    "))
        end = rng.choice(("\n", "\n", "\r\n"))
        body = body.replace("END", "E_ND")
        if not is_nowdoc:
            body = self.without_variables(body)
        body = body.replace("\r\n", "\n").replace("\r", "\n")
        lines = [line if not line.strip(" \t") and rng.random() < 0.5 else indent + line for line in body.split("\n")]
        lines = ["" if indent and not line.startswith(indent) else line for line in lines]
        label = rng.choice(("'END'",)) if is_nowdoc else rng.choice(("END", '"END"'))
        return f"<<<{rng.choice(('', ' '))}{label}{end}{end.join(lines)}{end}{indent}END"

    def array(self, depth: int) -> str:
        rng = self.rng
        elements = []
        for _ in range(rng.randrange(5)):
            value = self.expression(depth - 1)
            elements.append(f"{self.key()}{self.space()}=>{self.space()}{value}" if rng.random() < 0.5 else value)
        # Nothing can follow the last possible index.
        if any("INT_MAX" in element or "775807" in element for element in elements):
            elements = [element for element in elements if "=>" in element.partition("\n")[0]][:1]
        body = f"{self.space()},{self.space()}".join(elements)
        if elements and rng.random() < 0.5:
            body += f"{self.space()},"
        opening, closing = rng.choice((("[", "]"), (f"array{self.space()}(", ")"), ("ARRAY(", ")")))
        return f"{opening}{self.space()}{body}{self.space()}{closing}"

    def key(self) -> str:
        return self.rng.choice(KEYS)

    def state(self, depth: int) -> str:
        body = ", ".join(f"'p{n}' => {self.expression(depth - 1)}" for n in range(self.rng.randrange(3)))
        return self.rng.choice(("\\Restored::__set_state(array({}))", "\\Restored::__set_state([{}],)")).format(body)

    def expression(self, depth: int) -> str:
        rng = self.rng
        kind = rng.randrange(13 if depth else 8)
        if kind <= 1:
            return rng.choice(NUMBERS)
        if kind == 2:
            return rng.choice(CONSTANTS)
        if kind <= 5:
            return self.string()
        if kind == 6:
            return rng.choice(CLASSES) + rng.choice(("::class", "::CLASS", " :: class"))
        if kind == 7:
            parts = [
                rng.choice((self.string(), "true", "null", "-5", "PHP_EOL", "(3)")) for _ in range(rng.randrange(2, 4))
            ]
            return f"{self.space()} .{self.space()} ".join(parts)
        if kind == 8 and self.objects:
            return rng.choice(("(object)", "( OBJECT )", "(object) (object)")) + self.array(depth)
        if kind == 9 and self.objects:
            return rng.choice(
                ("\\Suit::Hearts", "\\Level::Low", "new \\stdClass", "new \\stdClass()", self.state(depth))
            )
        if kind == 10:
            return f"({self.space()}{self.expression(depth - 1)}{self.space()})"
        return self.array(depth)

    def file(self, number: int) -> str:
        rng = self.rng
        head = rng.choice(("<?php\n", "<?php ", "\n<?PHP\r\n", "<?php\n\ndeclare(strict_types=1);\n"))
        head += (
            ""
            if head[0] == "\n"
            else rng.choice(
                (
                    "",
                    "",
                    "namespace Some\\Place;\n",
                    "namespace Own;\nuse A\\B as Alias, C\\Sub;\n",
                    "use X\\{Y, Z as Alias,};\n",
                )
            )
        )
        kind = rng.randrange(4)
        if kind <= 1:
            end = rng.choice((";", " ?>", ";\n?>\n"))
            body = f"return{self.space()} {self.expression(4)}{self.space()}{end}"
        elif kind == 2:
            body = "".join(self.assignment() for _ in range(rng.randrange(1, 5)))
        else:
            names = [f"C{number}_{n}" for n in range(rng.randrange(1, 4))]
            body = "".join(f"define{self.space()}('{name}',{self.space()}{self.constant()});\n" for name in names)
            body += f"const K{number}_1 = 5, K{number}_2 = {self.constant()};\n" * rng.randrange(2)
        return head + self.space() + body

    def constant(self) -> str:
        objects, self.objects = self.objects, False
        value = self.expression(2)
        self.objects = objects
        return value

    def assignment(self) -> str:
        rng = self.rng
        # An array at each name, or none: what is a scalar once cannot have elements.
        name, depth = rng.choice((("plain", 0), ("one", 1), ("two", 2), ("Жук", 1)))
        path = "".join(f"[{self.space()}{rng.choice(('', *KEYS[:-5]))}{self.space()}]" for _ in range(depth))
        if "INT_MAX" in path or "775807" in path:
            path = "['x']" * depth
        return f"${name}{self.space()}{path}{self.space()}={self.space()}{self.expression(2)};{self.space()}\n"


def random_file(rng: Random, number: int, *, objects: bool = True) -> bytes:
    """One file; its constants have *number* in their names."""
    return _Writer(rng, objects=objects).file(number).encode()
