"""`envelope convert --objects`: what JSON shows of PHP's objects, for one document and for archives."""

from __future__ import annotations

import pytest

import envelope
from tests.cli.command import run

USER = b'O:4:"User":2:{s:1:"a";s:1:"\xff";s:4:"\0*\0b";r:1;}'
TAGGED = b'{"@class":"User","@id":1,"@visibility":{"b":"protected"},"a":{"@base64":"/w=="},"b":{"@object":1}}'

TO = ("--from", "serialize", "--to", "json", "--objects", "tagged")
BACK = ("--from", "json", "--to", "serialize", "--objects", "tagged")


@pytest.mark.parametrize(
    ("options", "frame"),
    [
        ((), "{}"),
        (("--strict",), "{}"),
        (("--lines",), "{}\n{}\n"),
        (("--lines", "--strict", "--delimiter", "\\x1e"), "{}\x1e{}\x1e"),
        (("--csv", "doc"), 'id,doc\n1,"{}"\n2,\n'),
    ],
)
def test_tagged_and_back(options: tuple[str, ...], frame: str) -> None:
    def framed(body: bytes) -> bytes:
        text = body.decode("utf-8", "surrogateescape")
        text = text.replace('"', '""') if "--csv" in options else text
        return frame.replace("{}", text).encode("utf-8", "surrogateescape")

    there = run("convert", *TO, *options, data=framed(USER))
    if "--csv" in options:  # an empty cell is no document, and is set aside
        assert framed(TAGGED).splitlines()[1] in there.stdout_bytes
        return
    assert (there.exit_code, there.stderr, there.stdout_bytes) == (0, "", framed(TAGGED))
    back = run("convert", *BACK, *options, data=there.stdout_bytes)
    assert (back.exit_code, back.stderr, back.stdout_bytes) == (0, "", framed(USER))


def test_pretty_documents_are_read_as_well() -> None:
    indented = run("convert", *TO, "--pretty", data=USER).stdout_bytes
    assert indented.count(b"\n") > 5
    assert run("convert", *BACK, data=indented).stdout_bytes == USER


def test_what_is_malformed_is_shown_at_its_place() -> None:
    result = run("convert", *BACK, data=b'{"a": {"@clas": "User"}}')
    assert result.exit_code == 1
    assert "malformed" in result.stderr
    assert "second @ in front" in result.stderr


def test_public_is_the_default() -> None:
    body = envelope.dumps(envelope.PhpObject("A", {"x": 1}), "serialize", values="php")
    usual = run("convert", "--from", "serialize", "--to", "json", "--values", "php", data=body)
    named = run("convert", "--from", "serialize", "--to", "json", "--objects", "public", "--values", "php", data=body)
    assert usual.stdout_bytes == named.stdout_bytes == b'{"x":1}'
    every = run("convert", "--from", "serialize", "--to", "json", "--objects", "all", data=body)
    assert (every.exit_code, every.stdout_bytes) == (0, b'{"x":1}')


@pytest.mark.parametrize("more", [(), ("--lines",)])
@pytest.mark.parametrize(("source", "target"), [("serialize", "xml"), ("json", "jsonu"), ("serialize", "serialize")])
def test_other_pairs_are_a_mistake(source: str, target: str, more: tuple[str, ...]) -> None:
    result = run("convert", "--from", source, "--to", target, "--objects", "tagged", *more, data=b"1")
    assert result.exit_code == 2
    assert "is between serialize or var_export and json or jsonu" in result.stderr
