"""Each kind of data as it is found is read right, or refused with the right hint."""

from __future__ import annotations

import pytest

from tests.field.case import Case
from tests.field.cases import GROUPS

pytestmark = pytest.mark.usefixtures("impl")


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{group}: {case.seen}") for group, cases in GROUPS.items() for case in cases]
)
def test_data_as_it_is_found(case: Case) -> None:
    assert case.fault() == ""
