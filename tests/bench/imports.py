"""How long (of the processor's time) `import envelope` takes in a fresh process, beside `import orjson`.

Both as they are installed: with the bytecode that the first import leaves behind.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

from tests.bench.processes import ROOT, environment

CODE = "import time; started = time.process_time(); import {}; print(time.process_time() - started)"


def import_times(builds: Iterable[str], repeats: int) -> dict[str, float]:
    """The best time in milliseconds of `import orjson`, and of `import envelope` in each build; they take turns."""
    best: dict[str, float] = {}
    modules = {"orjson": "orjson", **dict.fromkeys(builds, "envelope")}
    for _ in range(repeats):
        for name, module in modules.items():
            done = subprocess.run(
                [sys.executable, "-c", CODE.format(module)],
                capture_output=True,
                check=True,
                cwd=ROOT,
                env={**environment(name), "PYTHONDONTWRITEBYTECODE": ""},
            )
            passed = float(done.stdout) * 1000
            best[name] = min(best.get(name, passed), passed)
    return best
