"""The command's words for hints, which name its options; those of `envelope validate` stand with its findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envelope.hints import HintName

__all__ = ["HINT_WORDS"]

HINT_WORDS: Final[Mapping[HintName, str]] = {
    "bigint-as-string": "convert --flags JSON_BIGINT_AS_STRING reads it as text",
    "raise-limit": "--no-limits lifts the limit",
    "values-php": "--values php reads it",
    "values-php-bytes": "--values php reads it as bytes, convert --encoding as text of another charset",
    "other-encoding": "the text may be in another charset, which convert --encoding names",
    "declared-encoding": "convert --encoding declared reads it, as plain xml",
    "values-php-inert": "--values php reads it, inert",
    "php-formats": "serialize and var_export hold it, with --values php",
    "enum-backing": "serialize and var_export hold it, with --values php; the case's backing value is unknown",
    "keep-references": "convert --references keep reads it, with PHP references as they are",
    "plain-dialect": "without types it may be a document for --from-dialect plain",
    "session-dialect": "this is a PHP session: --from-dialect session reads it",
    "session-binary-dialect": "this is a PHP session: --from-dialect session_binary reads it",
    "typed-dialect": "--from-dialect typed reads types",
    "attributes": "convert --attributes drop or keep reads it",
    "namespaces": "convert --namespaces drop or keep reads it",
    "file-dialect": "--from-dialect file reads PHP files of data, as people write them",
    "wrapped": "--unwrap {0} takes it off",
    "unknown": "a PHP file is never run; in Python, the option unknown of loads and convert gives the value",
}
"""For the commands that read a document: convert, diff, inspect."""
