"""A thousand fixtures with one byte flipped: whatever then reads otherwise, or no more, is found."""

from __future__ import annotations

import random
import tomllib
from typing import Any

import pytest

import envelope
from envelope import fixtures
from tests.test_fixtures import FOLDERS, REFUSED, Folder, Refused

FLIPS = 1000
PARTS = 8  # so that the flips run beside each other


def places() -> list[tuple[Folder | Refused, str, int]]:
    """Each file of the fixtures, and how many bytes it has."""
    found: list[tuple[Folder | Refused, str, int]] = []
    for folder in FOLDERS:
        names = [*folder.bodies(), "case.toml"]
        found += [(folder, name, (folder.path / name).stat().st_size) for name in names]
    for refused in REFUSED:
        for name in (refused.path.name, f"{refused.path.name}.toml"):
            found.append((refused, name, refused.path.with_name(name).stat().st_size))
    return [place for place in found if place[2]]


PLACES = places()


def outcome(data: bytes, format: str, values: Any) -> Any:
    """What the library makes of *data*: the value, or what is known of the fault."""
    try:
        return envelope.loads(data, format, values=values)
    except envelope.DecodeError as error:
        return envelope.PhpObject("Fault", {"kind": error.kind, "offset": error.offset, "path": error.path})


def statement(data: bytes) -> Any:
    """What a TOML says, but for the words that are for people; None where it is no TOML."""
    try:
        table = tomllib.loads(data.decode())
    except ValueError:
        return None
    return {name: value for name, value in table.items() if name not in ("title", "why")}


def is_found(place: Folder | Refused, name: str, data: bytes) -> bool:
    """Whether the validator finds anything where the file *name* of a fixture is *data*."""
    try:
        if isinstance(place, Folder):
            case = fixtures.read_case(data) if name == "case.toml" else place.case
            bodies = place.bodies() if name == "case.toml" else {**place.bodies(), name: data}
            return bool(fixtures.check_case(case, bodies))
        is_body = name == place.path.name
        refusal = place.refusal if is_body else fixtures.read_refusal(data)
        body = data if is_body else place.path.read_bytes()
        return bool(fixtures.check_refusal(place.path.name, body, refusal))
    except (envelope.DecodeError, envelope.ValidationError):
        return True


def changes(place: Folder | Refused, name: str, before: bytes, after: bytes) -> bool:
    """Whether a file says something else once it is flipped."""
    format = fixtures.format_of(name)
    if format is None:
        return bool(statement(before) != statement(after))
    values = place.case.values if isinstance(place, Folder) else place.refusal.values
    return not envelope.same(outcome(before, format, values), outcome(after, format, values))


@pytest.mark.parametrize("part", range(PARTS))
def test_each_flip_that_changes_a_fixture_is_found(part: int) -> None:
    random_ = random.Random(20230305 + part)
    changed = 0
    for _ in range(FLIPS // PARTS):
        # A file is as likely as any other, however long: most faults hide in short ones.
        place, name, size = random_.choice(PLACES)
        offset, bit = random_.randrange(size), 1 << random_.randrange(8)
        before = (place.path / name if isinstance(place, Folder) else place.path.with_name(name)).read_bytes()
        after = before[:offset] + bytes([before[offset] ^ bit]) + before[offset + 1 :]
        if changes(place, name, before, after):
            changed += 1
            assert is_found(place, name, after), f"{place.path.name}/{name}, byte {offset}, bit {bit}"
    assert changed > FLIPS // PARTS // 3
