"""PHP files of data, as people and installers write them, and what var_export printed into a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import envelope
from tests.field.case import Case, Refused, converted, refused

__all__ = ["CASES"]

_FILE: Final = 'dialect="file" reads PHP files of data, as people write them'
_FILE_IN_COMMAND: Final = "--from-dialect file reads PHP files of data, as people write them"


def _file(text: str, **options: Any) -> Callable[[], Any]:
    return lambda: envelope.loads(text.encode(), "var_export", dialect="file", **options)


CASES: Final = (
    Case(
        "a configuration that returns a long array",
        _file("<?php\n\nreturn array(\n    'db' => array('host' => \"localhost\", 'port' => 3306,),\n);\n"),
        {"db": {"host": "localhost", "port": 3306}},
    ),
    Case(
        "short arrays and a strict type",
        _file("<?php\ndeclare(strict_types=1);\nreturn ['a' => ['b' => true, 'c' => NULL]];"),
        {"a": {"b": True, "c": None}},
    ),
    Case("one variable", _file("<?php\n$CONFIG = array (\n  'instanceid' => 'oc1',\n);\n"), {"instanceid": "oc1"}),
    Case(
        "variables, and members of them",
        _file("<?php\n$databases['default']['default'] = ['driver' => 'pgsql'];\n$settings['hash_salt'] = 'x';\n"),
        {"databases": {"default": {"default": {"driver": "pgsql"}}}, "settings": {"hash_salt": "x"}},
    ),
    Case(
        "constants",
        _file("<?php\ndefine('DB_NAME', 'wp');\ndefine( 'WP_DEBUG', false );\n$table_prefix = 'wp_';\n"),
        {"DB_NAME": "wp", "WP_DEBUG": False, "table_prefix": "wp_"},
    ),
    Case(
        "comments of three kinds",
        _file("<?php\n/* one */ return [ // two\n # three\n 'k' => 1, /** four */ ];"),
        {"k": 1},
    ),
    Case(
        "strings of four kinds",
        _file("<?php return ['it\\'s', \"a\\tb\\x41\\u{4e2d}\", <<<'X'\n  $raw\n  X, <<<Y\nup\\n\nY];"),
        ["it's", "a\tbA中", "$raw", "up\n"],
    ),
    Case(
        "numbers of every spelling",
        _file("<?php return [0x1F, 0b11, 017, 0o17, 1_000, -.5, 6e3, +7];"),
        [31, 3, 15, 15, 1000, -0.5, 6000.0, 7],
    ),
    Case(
        "names that PHP knows",
        _file("<?php return [PHP_INT_MAX, PHP_EOL, App\\User::class, 'a' . 'b'];"),
        [9223372036854775807, "\n", "App\\User", "ab"],
    ),
    Case(
        "a call, which is not run",
        refused(b"<?php return ['key' => env('APP_KEY', 'none')];", "var_export", dialect="file"),
        Refused(
            23,
            "a PHP file is never run; unknown= can give the value",
            "a PHP file is never run; in Python, the option unknown of loads and convert gives the value",
            path="$.key",
            kind="forbidden",
        ),
    ),
    Case(
        "a call, whose value the caller gives",
        _file("<?php return ['key' => env('APP_KEY', 'none')];", unknown=lambda name, given: [name, given]),
        {"key": ["env", ["APP_KEY", "none"]]},
    ),
    Case(
        "a variable in a string",
        refused(b'<?php return "hello $name";', "var_export", dialect="file"),
        Refused(20, "between double quotes, \\$ is a dollar sign", kind="forbidden"),
    ),
    Case(
        "a bare short array",
        lambda: envelope.loads(b"['a', 'b' => [1.5]]", "var_export", dialect="short"),
        {"0": "a", "b": [1.5]},
    ),
    Case(
        "a PHP file, taken for what var_export prints",
        refused(b"<?php\nreturn [1];\n", "var_export"),
        Refused(0, _FILE, _FILE_IN_COMMAND),
    ),
    Case(
        "a short array, taken for what var_export prints",
        refused(b"['a' => 1]", "var_export"),
        Refused(0, _FILE, _FILE_IN_COMMAND),
    ),
    Case("a PHP file in the command", converted(b"<?php\n$CONFIG = ['a' => 1];\n", "--to", "json"), b'{"a":1}'),
    Case("the line end that editors add", converted(b"array (\n  0 => 1,\n)\n", "--to", "json"), b"[1]"),
    Case(
        "the line end that editors add, in Python",
        refused(b"array (\n  0 => 1,\n)\n", "var_export"),
        Refused(19, "white space: strip it"),
    ),
    Case("line ends of Windows", _file("array (\r\n  'a' => 1,\r\n)"), {"a": 1}),
    Case(
        "an object in a cache",
        lambda: envelope.loads(
            b"array (\n  'at' => \n  Carbon\\Carbon::__set_state(array(\n     'date' => '2026-11-27',\n  )),\n)",
            "var_export",
            values="php",
        ),
        {"at": envelope.PhpObject("Carbon\\Carbon", {"date": "2026-11-27"})},
    ),
    Case(
        "a file to write, which include gives back",
        lambda: envelope.dumps({"app": {"debug": True}}, "var_export", dialect="file"),
        b"<?php\n\nreturn array (\n  'app' => \n  array (\n    'debug' => true,\n  ),\n);\n",
    ),
    Case(
        "a file to write, with short arrays",
        lambda: envelope.dumps({"app": {"debug": True}}, "var_export", dialect="short"),
        b"[\n    'app' => [\n        'debug' => true,\n    ],\n]",
    ),
    Case(
        "a file in Windows-1251",
        lambda: envelope.loads(
            "<?php return ['имя'];".encode("cp1251"), "var_export", dialect="file", encoding="cp1251"
        ),
        ["имя"],
    ),
)
