"""``python -m tests.field``: every case, each right and with its hint, as a table."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from tests.field.cases import GROUPS

console = Console(highlight=False)
table = Table("seen", "cases", "right")
faults = []
for group, cases in GROUPS.items():
    wrong = [f"{group}: {case.seen}: {fault}" for case in cases if (fault := case.fault())]
    faults += wrong
    table.add_row(group, str(len(cases)), str(len(cases) - len(wrong)))
console.print(table)
for fault in faults:
    console.print(fault, style="red", markup=False)
sys.exit(bool(faults))
