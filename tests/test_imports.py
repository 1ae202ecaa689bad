"""Every module can be imported first; every door provides the names that type checkers see."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import envelope

ROOT = Path(envelope.__file__).parent
MODULES = sorted(
    ".".join(("envelope", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for path in ROOT.rglob("*.py")
    if path.name != "__main__.py"
)
DOORS = sorted(
    name
    for name in MODULES
    if (path := ROOT.joinpath(*name.split(".")[1:], "__init__.py")).exists() and "door(" in path.read_text("utf-8")
)

# One child of a fresh interpreter per module: import cycles, and names that only another import provides, show up.
# The packages of others are imported once, before, which takes most of the time.
IMPORT_FIRST = """
import os, sys
others, modules = sys.argv[1].split(), sys.argv[2:]
for name in others:
    try:
        __import__(name)
    except ImportError:  # of an extra that is not installed
        pass
assert "envelope" not in sys.modules
for name in modules:
    child = os.fork()
    if not child:
        try:
            __import__(name)
        except ModuleNotFoundError as error:  # of an extra that is not installed
            os._exit(not (error.name and not error.name.startswith("envelope")))
        except BaseException as error:
            print(name, repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print("fails:", name)
"""


def others() -> list[str]:
    """The modules of other packages that ours import as they are imported."""
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names.append(str(node.module))
            found |= {name for name in names if name.split(".")[0] not in ("envelope", "__future__")}
    return sorted(found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_each_module_can_be_imported_first() -> None:
    assert len(MODULES) > 100
    ran = subprocess.run(
        [sys.executable, "-c", IMPORT_FIRST, " ".join(others()), *MODULES], capture_output=True, text=True, check=True
    )
    assert ran.stdout == ""


def names_for_checkers(tree: ast.Module) -> dict[str, str]:
    """What a door imports under `if TYPE_CHECKING`: each name, and the module it comes from."""
    [branch] = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in branch.body if isinstance(node, ast.ImportFrom)]
    assert len(imports) == len(branch.body)
    return {alias.asname or alias.name: str(node.module) for node in imports for alias in node.names}


@pytest.mark.parametrize("name", DOORS)
def test_a_door_has_the_names_that_type_checkers_see(name: str) -> None:
    door = import_module(name)
    path = ROOT.joinpath(*name.split(".")[1:], "__init__.py")
    seen = names_for_checkers(ast.parse(path.read_text("utf-8")))
    for public, home in seen.items():
        found = getattr(door, public)
        assert found is getattr(import_module(home), public, None) or found is sys.modules[f"{home}.{public}"]
        assert public in dir(door)
    missing = "dmups"
    with pytest.raises(AttributeError, match=f"module '{name}' has no attribute 'dmups'"):
        getattr(door, missing)
    if name != "envelope":  # whose names that cost nothing are there at once
        assert {*seen} == {*door.__all__}


def test_there_are_doors() -> None:
    rooms = (
        "answers",
        "calls",
        "client",
        "conversion",
        "fixtures",
        "gateway.books",
        "gateway.demo",
        "gateway.stores",
        "gateway.upstreams",
        "layers",
        "registry",
        "repairs",
        "values",
    )
    assert sorted(["envelope", *(f"envelope.{room}" for room in rooms)]) == DOORS
