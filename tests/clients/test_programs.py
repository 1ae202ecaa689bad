"""Every program reads the same of the same answer, in every format and language; those that are slow to start only in
the thorough profile, or by `python -m tests.clients`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.asking import ALL, asking
from tests.clients.matrix import Gateways, cases_of, check, gateways
from tests.clients.programs import Program
from tests.effort import THOROUGH


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateways]:
    with gateways(tmp_path_factory.mktemp("clients")) as running:
        yield running


@pytest.mark.parametrize(
    "program", [program for program in ALL if program.is_quick or THOROUGH], ids=lambda program: program.source
)
def test_a_program_reads_what_the_gateway_says(program: Program, running: Gateways, tmp_path: Path) -> None:
    if why := program.missing():
        pytest.skip(why)
    with asking(program, tmp_path) as ask:
        wrong = {case: fault for case in cases_of(program) if (fault := check(program, case, running, ask))}
    assert wrong == {}
