"""PHP files as frameworks have them, in `styles`: `python -m tests.formats.var_export.styles_run` compares with PHP."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import envelope
from envelope.testing.php import Php
from tests import php as php_process
from tests.formats.var_export import php_operators

FILES: dict[str, bytes] = {
    f"{path.stem}/{name.decode()}": text
    for path in sorted(Path(__file__).with_name("styles").glob("*.txt"))
    for name, text in re.findall(rb"^--- (.*)\n((?:(?!--- ).*\n)*)", path.read_bytes(), re.MULTILINE)
}


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "env": lambda *arguments: php_operators.known("env", list(arguments)),
    "getenv": lambda name: False,
    "explode": lambda separator, text: text.split(separator),
    "array_filter": lambda array: {index: item for index, item in enumerate(array) if item not in ("", "0")},
    "storage_path": lambda path: f"/srv/storage/{path}",
    "Illuminate\\Support\\Str::slug": lambda text, separator: text.lower().replace(" ", separator),
}
VALUES = {"$_ENV": {"MODE": "prod"}, "PHP_VERSION_ID": 80200, "PDO::ATTR_PERSISTENT": 12}


def known(name: str, arguments: list[Any] | None) -> Any:
    """As the functions of php_operations.php, and PHP's own."""
    return VALUES[name] if arguments is None else FUNCTIONS[name](*arguments)


def compare(php: Php) -> list[str]:
    """The differences between PHP and us, one line each; a file that PHP refuses we must refuse, too."""
    found = []
    for (name, file), answer in zip(FILES.items(), php.ask("include", list(FILES.values())), strict=True):
        try:
            value = envelope.loads(file, "var_export", values="php", dialect="file", unknown=known)
        except envelope.DecodeError as error:
            if answer is not None:
                found.append(f"{name}: {error}")
            continue
        lone = re.search(rb"^\$(\w+) = ", file, re.MULTILINE)
        expected = [value, {lone[1].decode(): value}] if lone else [value]
        ours = [in_order(envelope.dumps(each, "serialize", values="php")) for each in expected]
        if answer is None or in_order(answer) not in ours:
            found.append(f"{name}: PHP has {answer!r}, this library {expected!r}")
    return found


def in_order(body: bytes) -> bytes:
    """*body* with its outermost keys sorted: PHP tells variables and constants apart, not their order."""
    value = envelope.loads(body, "serialize", values="php")
    if isinstance(value, dict):
        value = dict(sorted(value.items(), key=lambda item: str(item[0])))
    return envelope.dumps(value, "serialize", values="php")


if __name__ == "__main__":
    with php_process.start() as process:
        differences = compare(process)
    print(*differences, f"{len(FILES)} files: {len(differences)} differences", sep="\n")
    raise SystemExit(bool(differences))
