"""The compiled codecs under AddressSanitizer and UBSan: `python -m tests.sanitized [arguments for pytest]`.

They are built anew, in a folder of their own, with GCC's or Clang's sanitizers; then the tests that hold them against
their Python twins run over them. What measures memory (the marker `memory`) is left out: the sanitizers keep theirs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
SANITIZE = "-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1 -w"
TESTS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests" / "formats" / "native").glob("test_*.py"))


def library(name: str) -> str:
    """The path of a sanitizer's library, which Python itself must load first."""
    compiler = (os.environ.get("CXX") or "c++").split()
    found = subprocess.run([*compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def main() -> int:
    """Build and run; the exit status is pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("envelope", "tests", "fixtures", "docs", "tools"):
            shutil.copytree(ROOT / name, Path(folder, name), ignore=shutil.ignore_patterns("*.so", "__pycache__"))
        for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, folder)
        # More optimization would take twice as long to compile, and leave less to check.
        setup = Path(folder, "setup.py")
        setup.write_text(setup.read_text("utf-8").replace("-O3", "-O1"), "utf-8")
        flags = {"CFLAGS": SANITIZE, "CXXFLAGS": SANITIZE, "LDFLAGS": SANITIZE}
        build = [sys.executable, "setup.py", "-q", "build_ext", "--inplace", "--parallel", str(os.cpu_count() or 1)]
        subprocess.run(build, cwd=folder, env={**os.environ, **flags}, check=True)
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        print(len(list(Path(folder, "envelope").rglob(f"*{suffix}"))), "extensions built with", SANITIZE, flush=True)
        environ = {
            **os.environ,
            "LD_PRELOAD": f"{library('libasan.so')} {library('libubsan.so')}",
            "ASAN_OPTIONS": "detect_leaks=0",  # Python itself never frees some memory
            "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
            "PYTHONMALLOC": "malloc",  # Python's own allocator would hide overruns
            "PYTHONPATH": folder,
        }
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "not memory", *TESTS, *sys.argv[1:]]
        return subprocess.run(command, cwd=folder, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
