"""Hints: the likely cause of a fault, or what to do about it. A hint is data; whoever shows it has the words.

`str` of a hint uses the library's words, which name arguments. A front end with other options (the command, fixtures,
the pytest plugin) has its own words for the hints that name one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["WORDS", "Hint", "HintName", "in_words"]

HintName = Literal[
    "ampersand",
    "as-str",
    "at-sign",
    "bigint-as-string",
    "attributes",
    "charsets",
    "clocks",
    "control-characters",
    "cut-at-nul",
    "cut-by-column",
    "cut-or-count",
    "cut-or-re-encoded",
    "dateline",
    "declared-encoding",
    "double-quotes",
    "encoded-twice",
    "enum-backing",
    "escaped-control",
    "escape-dollar",
    "fields",
    "file-dialect",
    "give-default",
    "html-page",
    "int-min",
    "json-body",
    "keep-references",
    "key-is-str",
    "key-is-str-or-bytes",
    "latin-1",
    "length-in-characters",
    "list-of-tables",
    "line-ends",
    "lower-case",
    "name-payload",
    "namespaces",
    "no-deeper",
    "no-infinity",
    "no-nan",
    "no-prefixes",
    "not-all-decoded",
    "not-a-file-name",
    "not-read",
    "not-run",
    "nul-gone",
    "nul-in-query",
    "nul-in-text",
    "operator-codes",
    "other-encoding",
    "own-payload",
    "override-changes",
    "override-fields",
    "payload-slots",
    "php-formats",
    "php-setting",
    "plain-dialect",
    "plain-toml",
    "raise-limit",
    "re-encoded",
    "replaced",
    "request-id",
    "session-binary-dialect",
    "session-dialect",
    "session-unset",
    "strip-space",
    "tables",
    "text-has-no-type",
    "text-or-elements",
    "to-value",
    "told-once",
    "typed-dialect",
    "unknown",
    "utf-8-only",
    "values-php",
    "values-php-bytes",
    "values-php-inert",
    "visibility",
    "wrapped",
    "written-anew",
]

WORDS: Mapping[HintName, str] = MappingProxyType(
    {
        # Options, and limits that they cannot raise.
        "raise-limit": "raise Limits.{0}",
        "no-deeper": "{0} goes no deeper",
        "php-setting": "PHP's {0}",
        "values-php": 'values="php" reads it',
        "values-php-bytes": 'values="php" reads it as bytes, encoding= as text of another charset',
        "values-php-inert": 'values="php" reads it, inert',
        "php-formats": 'serialize and var_export hold it, with values="php"',
        "enum-backing": (
            'serialize and var_export hold it, with values="php"; '
            "the case's backing value is not known, default= can give it"
        ),
        "own-payload": "only its class knows what it holds; serialize keeps it, and so does tagged JSON",
        "keep-references": 'references="keep" reads it, with PHP references as they are',
        "other-encoding": "the text may be in another charset, which encoding= names",
        "declared-encoding": 'encoding="declared" reads it, with dialect="plain"',
        "plain-dialect": 'without types it may be a document for dialect="plain"',
        "typed-dialect": 'dialect="typed" reads types',
        "attributes": 'attributes="drop" or "keep" reads it',
        "namespaces": 'namespaces="drop" or "keep" reads it',
        "file-dialect": 'dialect="file" reads PHP files of data, as people write them',
        "unknown": "a PHP file is never run; unknown= can give the value",
        "session-dialect": 'this is a PHP session: dialect="session" reads it',
        "session-binary-dialect": 'this is a PHP session: dialect="session_binary" reads it',
        "give-default": "give default= to write it",
        # Values.
        "as-str": "write it as a str",
        "key-is-str": "a key is a str",
        "key-is-str-or-bytes": "a key is a str or bytes",
        "to-value": "to_value() makes a value of it",
        # Documents of any format.
        "charsets": "read are the charsets of the WHATWG's Encoding standard, and UTF-16 with a byte order mark",
        "cut-by-column": "exactly {0} bytes: cut by a {1} column",
        "not-all-decoded": "the text was decoded with surrogateescape, or cut within a character: pass the bytes",
        "html-page": "this is an HTML page, not a document",
        "not-read": "this looks like {0}, which is not read",
        "strip-space": "white space: strip it",
        "wrapped": "envelope.unwrap() takes off {0}",
        # json
        "bigint-as-string": 'flags=("JSON_BIGINT_AS_STRING",) reads it as text',
        "double-quotes": "JSON strings are in double quotes",
        "escaped-control": "JSON writes it as an escape",
        "lower-case": "JSON's words are lower case",
        "no-infinity": "JSON has no infinity",
        "no-nan": "NaN is not JSON, and null is lower case",
        # tagged JSON
        "at-sign": "a key that begins with @ is written with a second @ in front",
        "told-once": 'where it comes again it is {{"@object": …}} or {{"@reference": …}}, alone',
        "visibility": 'a property that goes, or gets another name, does so in "@visibility" too',
        # xml
        "ampersand": "& is written &amp;, and XML's only named characters are amp, lt, gt, quot and apos",
        "control-characters": "XML cannot hold control characters; the typed dialect escapes them",
        "no-prefixes": "only names without prefixes are read",
        "text-has-no-type": "text has no type",
        "text-or-elements": "a value is text or elements, never both",
        "utf-8-only": "XML is read as UTF-8 only",
        # serialize, var_export
        "cut-or-re-encoded": "the input was cut, or the text re-encoded",
        "escape-dollar": "between double quotes, \\$ is a dollar sign",
        "not-run": "a PHP file is read as data, never run",
        "int-min": "as an integer it is -9223372036854775807-1",
        "cut-at-nul": "the input was cut where a NUL was, as text columns of PostgreSQL do",
        "cut-or-count": "the input was cut, or the count is wrong",
        "encoded-twice": "{0} byte{s} {1}: the text was encoded as UTF-8 twice",
        "latin-1": (
            "{0} byte{s} {1}: Latin-1 text that was converted to UTF-8 after it was serialized, "
            "or a length in characters"
        ),
        "length-in-characters": "{0} byte{s} {1}: the length counts characters, not bytes",
        "line-ends": "{0} byte{s} {1}: each \\r\\n became \\n after the text was serialized",
        "nul-gone": "the NULs that PHP writes around * or a class are gone",
        "nul-in-text": "var_export writes 'a' . \"\\0\" . 'b'",
        "payload-slots": "only the payload's class knows how many slots it takes",
        "re-encoded": "{0} byte{s} {1}: the text was re-encoded or edited after it was serialized",
        "replaced": "{0} byte{s} {1}: a byte that was not UTF-8 was replaced by U+FFFD, and is lost",
        "session-unset": "PHP 5 wrote the name alone for a variable without a value",
        # Calls.
        "clocks": "the clocks may differ by {0} second{s}",
        "dateline": "like 2023-03-05 10:03:24",
        "json-body": "a JSON body does",
        "nul-in-query": "in a query it is %00",
        # Files in TOML.
        "fields": "the fields are {0}",
        "list-of-tables": "write [[{0}]]",
        "not-a-file-name": "that is the file's name: pass its contents",
        "override-changes": "an override changes a row",
        "override-fields": "an override has the fields that change",
        "plain-toml": "such a file is short, with keys of a few parts and few levels of brackets",
        "tables": "the tables are codes and overrides",
        # Fixtures.
        "name-payload": 'payload = "{0}" in case.toml checks it as an envelope',
        "operator-codes": "registry= takes one with an operator's codes",
        "request-id": (
            'like "1.6403f86cd67f6", as RequestIds makes them for an Engine; '
            'findings = ["request-id"] in case.toml is for a case without one'
        ),
        "written-anew": "canonical_bodies makes it",
    }
)
"""The library's words for each hint: ``{0}`` is its first figure, ``{s}`` the plural unless that is 1."""


@dataclass(frozen=True, slots=True, init=False)
class Hint:
    """A ``name`` from a closed set, and the ``figures`` that its words need; nothing in it comes from the input."""

    name: HintName
    figures: tuple[int | str, ...]

    def __init__(self, name: HintName, *figures: int | str) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "figures", figures)

    def __str__(self) -> str:
        return in_words(self)


def in_words(hint: Hint | None, own: Mapping[HintName, str] = WORDS) -> str:
    """Return *hint* in a front end's *own* words, or the library's if it has none; ``""`` for no hint."""
    if hint is None:
        return ""
    words = own.get(hint.name, WORDS[hint.name])
    return words.format(*hint.figures, s="" if hint.figures[:1] == (1,) else "s")
