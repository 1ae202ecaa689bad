"""The golden files: a real PHP wrote serialize and var_export; these tests hold the library to them.

`fixtures/make.py` says how the files come about.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any, Literal

import pytest

import envelope
from envelope import fixtures
from envelope.formats import FORMATS
from envelope.values import is_ambiguous

pytestmark = pytest.mark.usefixtures("impl")

FIXTURES = Path(__file__).parent.parent / "fixtures"
SAMPLES = ("sample-success", "sample-upstream-error")
PHP_FORMATS = ("serialize", "var_export")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of `fixtures/valid`, and what its `case.toml` says."""

    path: Path
    case: fixtures.Case

    def body(self, format: str) -> bytes:
        return (self.path / fixtures.body_name(format)).read_bytes()

    def formats(self) -> list[str]:
        return [name for name in FORMATS if (self.path / fixtures.body_name(name)).exists()]

    def bodies(self) -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in sorted(self.path.iterdir()) if fixtures.format_of(file.name)}


@dataclass(frozen=True, slots=True)
class Refused:
    """A file of `fixtures/invalid`, and what stands beside it."""

    format: str
    path: Path
    refusal: fixtures.Refusal


def read_folders() -> list[Folder]:
    return [
        Folder(file.parent, fixtures.read_case(file.read_bytes()))
        for file in sorted(FIXTURES.glob("valid/*/case.toml"))
    ]


def read_refused() -> Iterator[Refused]:
    for file in sorted(FIXTURES.glob("invalid/*/*.toml")):
        yield Refused(file.parent.name, file.with_suffix(""), fixtures.read_refusal(file.read_bytes()))


FOLDERS = read_folders()
PORTABLE = [folder for folder in FOLDERS if folder.case.values == "portable"]
PHP = [folder for folder in FOLDERS if folder.case.values == "php"]
REFUSED = list(read_refused())


def each(folders: list[Folder]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("folder", folders, ids=lambda folder: str(folder.path.name))


def each_body(folders: list[Folder]) -> pytest.MarkDecorator:
    pairs = [
        pytest.param(folder, format, id=f"{folder.path.name}-{format}")
        for folder in folders
        for format in folder.formats()
    ]
    return pytest.mark.parametrize(("folder", "format"), pairs)


def folder_of(name: str) -> Folder:
    return next(folder for folder in FOLDERS if folder.path.name == name)


def as_php_reads(value: Any) -> Any:
    """*value* with the maps that a PHP array cannot tell from lists as lists."""
    if isinstance(value, list):
        return [as_php_reads(child) for child in value]
    if not isinstance(value, dict):
        return value
    members = {key: as_php_reads(child) for key, child in value.items()}
    return list(members.values()) if is_ambiguous(members) else members


def read(data: bytes, format: str, values: Literal["portable", "php"] = "portable") -> Any:
    """The value, or the error that is raised in its place."""
    try:
        return envelope.loads(data, format, values=values)
    except envelope.DecodeError as error:
        return error


def assert_same(found: object, expected: object) -> None:
    assert envelope.same(found, expected), list(map(str, envelope.values.differences(expected, found)))[:5]


# ------------------------------------------------------------------------------------------------- what there is


def test_there_are_golden_files() -> None:
    assert len(PORTABLE) >= 25
    assert len(PHP) >= 8
    assert {file.name for file in FIXTURES.glob("valid/*")} == {folder.path.name for folder in FOLDERS}


@pytest.mark.parametrize("format", FORMATS)
def test_there_are_files_to_refuse(format: str) -> None:
    refused = {case.path for case in REFUSED if case.format == format}
    assert len(refused) >= 20
    assert {file for file in FIXTURES.glob(f"invalid/{format}/*") if file.suffix != ".toml"} == refused


@each(FOLDERS)
def test_the_validator_finds_nothing_in_a_case(folder: Folder) -> None:
    assert fixtures.check_case(folder.case, folder.bodies(), canonical=True) == []


@each(FOLDERS)
def test_a_case_is_complete(folder: Folder) -> None:
    assert folder.formats() == list(FORMATS) if folder.case.values == "portable" else "serialize" in folder.formats()


# ------------------------------------------------------------------------------------------------ portable values


@each_body(PORTABLE)
def test_a_body_is_read_and_written(folder: Folder, format: str) -> None:
    value = envelope.loads(folder.body("json"), "json")
    lossy = format in PHP_FORMATS and folder.case.maps == "array"
    assert_same(envelope.loads(folder.body(format), format), as_php_reads(value) if lossy else value)
    assert envelope.dumps(value, format, maps=folder.case.maps) == folder.body(format)


@each_body(PORTABLE)
def test_losses_are_those_listed(folder: Folder, format: str) -> None:
    value = envelope.loads(folder.body("json"), "json")
    found = envelope.losses(value, format, maps=folder.case.maps)
    assert [loss.path for loss in found] == folder.case.losses.get(format, [])


@each_body([folder for folder in PORTABLE if folder.case.payload])
def test_an_envelope_is_read_and_written(folder: Folder, format: str) -> None:
    answer = envelope.decode(folder.body(format), format, payload=folder.case.payload, strict=True)
    assert answer.notes == ()
    written = envelope.encode(answer, format, payload=folder.case.payload, maps=folder.case.maps)
    # Maps that became lists in the body are lists in the envelope, and stay so.
    assert written == folder.body(format)


@each(PORTABLE)
def test_json_is_ascii_and_jsonu_is_not_escaped(folder: Folder) -> None:
    assert folder.body("json").isascii()
    assert envelope.convert(folder.body("json"), "json", "jsonu") == folder.body("jsonu")


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("format", FORMATS)
def test_a_sample_as_published_is_the_canonical_one(name: str, format: str) -> None:
    folder = folder_of(name)
    verbatim = (folder.path / "verbatim.json").read_bytes()
    for published in ("json", "jsonu"):
        assert envelope.decode(verbatim, published) == envelope.decode(folder.body(format), format)
        assert envelope.encode(envelope.decode(verbatim, published), format) == folder.body(format)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(("source", "target"), list(permutations(FORMATS, 2)))
def test_a_sample_goes_from_format_to_format_and_back(name: str, source: str, target: str) -> None:
    folder = folder_of(name)
    there = envelope.convert(folder.body(source), source, target, on_loss="error")
    assert there == folder.body(target)
    assert envelope.convert(there, target, source, on_loss="error") == folder.body(source)


# -------------------------------------------------------------------------------------------------- PHP's values


@each_body(PHP)
def test_a_php_body_is_written_again(folder: Folder, format: str) -> None:
    body = folder.body(format)
    value = envelope.loads(body, format, values="php")
    written = envelope.dumps(value, format, values="php")
    assert (written == body) == (format in folder.case.rewrites)
    assert_same(envelope.loads(written, format, values="php"), value)
    if format not in folder.case.rewrites:
        assert b"R:" in body


@each_body(PHP)
def test_a_php_body_is_portable_or_forbidden(folder: Folder, format: str) -> None:
    value = read(folder.body(format), format)
    if isinstance(value, envelope.DecodeError):
        assert value.kind == "forbidden"
    else:
        assert_same(envelope.loads(envelope.dumps(value, "json"), "json"), value)


def load_php(name: str, format: str = "serialize") -> Any:
    return envelope.loads(folder_of(name).body(format), format, values="php")


def test_private_properties_of_one_name_are_two() -> None:
    notes = [
        (entry.declared_in.rpartition("\\")[2], entry.value)
        for entry in load_php("php-visibility")["reseller"].properties
        if entry.name == "note"
    ]
    assert notes == [("Account", "of Account"), ("Reseller", "of Reseller")]


def test_shared_objects_are_one() -> None:
    value = load_php("php-shared-objects")
    assert value["first"] is value["again"] is value["maps"][0]["inner"] is value["maps"][2][0]
    assert value["maps"][0] is value["maps"][1]
    printed = load_php("php-shared-objects", "var_export")
    assert printed["first"] == printed["again"]
    assert printed["first"] is not printed["again"]


def test_a_cycle_of_objects_is_one() -> None:
    first = load_php("php-object-cycle")
    assert first["next"]["next"] is first
    assert first["previous"] is first["next"]


def test_references_stand_for_their_value() -> None:
    value, printed = load_php("php-references"), load_php("php-references", "var_export")
    assert value["a"] == value["c"] == "shared text"
    assert value["d"] == value["e"] == [1, [2]]
    assert value["f"] is value["g"] is value["h"]
    assert value == printed


def test_enums_are_named() -> None:
    value = load_php("php-enums")
    assert value == load_php("php-enums", "var_export")
    assert value["pure"] == envelope.PhpEnum("Gateway\\Fixtures\\Suit", "Hearts")


def test_what_is_no_utf8_is_bytes() -> None:
    value = load_php("php-text-not-utf8")
    assert value["gbk"].decode("gbk") == "中国"
    assert value["utf8"] == "中国"
    assert value[b"k\xe9y"] == "a key"
    assert_same(load_php("php-text-not-utf8", "var_export"), value)


def test_integer_keys_are_integers() -> None:
    value = load_php("php-integer-keys")
    assert list(value["codes"]) == ["0000", 2000, 4003]
    assert list(value["ends"]) == [-(2**63), 2**63 - 1]
    assert list(value["mixed"]) == [0, "key", 1, "01", "-0"]
    assert_same(load_php("php-integer-keys", "var_export"), value)


def test_payloads_are_bytes() -> None:
    value = load_php("php-serializable")
    assert [value[name].payload for name in ("empty", "bytes")] == [b"", b'\x00}\xff;"{']


# ---------------------------------------------------------------------------------------------- what is refused


def shortened(size: int) -> Iterator[int]:
    """Lengths to cut a body to: each one, but of large bodies (unless asked to be thorough) some; always the last."""
    is_short = size <= 4096 or os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
    yield from range(0, size - 12, 1 if is_short else size // 200)
    yield from range(max(size - 12, 0), size)


@each_body(FOLDERS)
def test_no_beginning_of_a_body_is_a_body(folder: Folder, format: str) -> None:
    body = folder.body(format)
    for size in shortened(len(body)):
        value = read(body[:size], format, folder.case.values)
        if isinstance(value, envelope.DecodeError):
            assert value.format == format
            assert 0 <= value.offset <= size
        else:
            # Behind `::` any name is an enum's case, also what was the beginning of `__set_state(`.
            assert type(value) is envelope.PhpEnum, f"cut to {size} of {len(body)} bytes it is still read"
            assert b"__set_state".startswith(value.case.encode())


@each_body(FOLDERS)
def test_nothing_stands_behind_a_body(folder: Folder, format: str) -> None:
    body = folder.body(format)
    for rest in (b"x", b"\0", b";", b"]", b"}", b"N;", b"<a/>", b"\xff", body):
        with pytest.raises(envelope.DecodeError) as caught:
            envelope.loads(body + rest, format, values=folder.case.values)
        assert caught.value.offset >= len(body)


@pytest.mark.parametrize(
    "refused", REFUSED, ids=lambda refused: f"{refused.format}-{refused.path.name.partition('.')[0]}"
)
def test_an_invalid_file_is_refused_as_stated(refused: Refused) -> None:
    data, stated = refused.path.read_bytes(), refused.refusal
    assert fixtures.check_refusal(refused.path.name, data, stated) == []
    with pytest.raises(envelope.DecodeError) as caught:
        envelope.loads(data, refused.format, values=stated.values)
    error = caught.value
    assert (error.kind, error.offset, error.path) == (stated.kind, stated.offset, stated.path), str(error)
    assert error.format == refused.format


# ------------------------------------------------------------------------------------------------------ real PHP


@pytest.mark.php
def test_the_files_are_what_make_py_makes() -> None:
    command = [sys.executable, str(FIXTURES / "make.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
