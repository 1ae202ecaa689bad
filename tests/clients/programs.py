"""The programs, one in each language: what each needs, how it is built and started, and what it reads of an answer.

A program gets seven arguments: the address, key, secret, method, arguments, format and language. It prints what it read
and, on a line of its own, the HTTP status.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final, Literal

__all__ = ["FOLDER", "FORMATS", "LEFT_OUT", "PROGRAMS", "Program", "Reads", "forget_missing"]

FOLDER: Final = Path(__file__).parent / "programs"

Reads = Literal["value", "texts", "bytes"]
"""Of an answer: the whole value; its code, its texts and the first choice's text; or the bytes, as they came."""

FORMATS: Final = ("json", "jsonu", "xml", "serialize", "var_export")


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program. ``packages`` are Debian's; ``build`` makes ``{out}`` of ``{source}`` in an empty folder.

    ``reads`` are the formats that it understands; of any other it has the bytes. ``is_quick`` says whether every run of the suite has it.
    ``statuses`` are the gateway's settings with which it can read refusals.
    """

    name: str
    language: str
    source: str
    needs: Sequence[str]
    packages: Sequence[str]
    run: Sequence[str]
    reads: Mapping[str, Reads] = field(default_factory=dict)
    build: Sequence[str] = ()
    probe: Sequence[str] = ()
    is_quick: bool = False
    statuses: Sequence[str] = ("registry", "ok")
    formats: Sequence[str] = FORMATS

    def missing(self) -> str:
        """Why it cannot run here; empty if it can."""
        return _missing(tuple(self.needs), tuple(self.probe), " ".join(self.packages))

    def started(self, folder: Path) -> Callable[[Sequence[str]], str]:
        """What runs it with arguments and returns what it prints; it is built, if it must be, in *folder*."""
        names = {"source": str(FOLDER / self.source), "out": str(folder / "program"), "folder": str(folder)}
        if self.build:
            _run(_with_flags([part.format(**names) for part in self.build]), folder)
        command = [part.format(**names) for part in self.run]
        return lambda arguments: _run([*command, *arguments], Path(tempfile.mkdtemp(dir=folder)))


@cache
def _missing(needs: tuple[str, ...], probe: tuple[str, ...], packages: str) -> str:
    lacking = [tool for tool in needs if shutil.which(tool) is None]
    if not lacking and probe and subprocess.run(probe, capture_output=True, check=False).returncode:
        lacking = ["what it needs for it"]
    return f"no {', '.join(lacking)} on this machine: apt-get install {packages}" if lacking else ""


def forget_missing() -> None:
    """Look again for what is here, after something was installed."""
    _missing.cache_clear()


def _with_flags(command: Sequence[str]) -> list[str]:
    """A part that begins with ``$`` stands for what that command prints."""
    parts: list[str] = []
    for part in command:
        asked = part.removeprefix("$ ")
        parts += _run(asked.split(), Path.cwd()).split() if asked != part else [part]
    return parts


def _run(command: Sequence[str], folder: Path) -> str:
    environment = {
        **os.environ,
        "CACHE": str(folder),  # where the SDK keeps answers
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "LC_ALL": "C.UTF-8",
    }
    ran = subprocess.run(command, capture_output=True, env=environment, timeout=300, check=False)
    if ran.returncode:
        raise RuntimeError(f"{command[0]} ended with {ran.returncode}: {ran.stderr.decode(errors='replace')[-2000:]}")
    return ran.stdout.decode("utf-8")


_JSON: Final[Mapping[str, Reads]] = {"json": "value", "jsonu": "value"}
_JSON_AND_XML: Final[Mapping[str, Reads]] = {**_JSON, "xml": "texts"}
_ALL: Final[Mapping[str, Reads]] = dict.fromkeys(FORMATS, "value")
_C: Final = ("-Wall", "-Wextra", "-Werror", "{source}", "-o", "{out}")
_PHP: Final = ("php-cli", "php-xml")
_JDK: Final = ("default-jdk-headless",)

PROGRAMS: Final = (
    Program(
        name="curl", language="sh", source="curl.sh", needs=["curl"], packages=["curl"],
        run=["sh", "{source}"], is_quick=True,
    ),
    Program(
        name="PHP, curl", language="php", source="php_curl.php", needs=["php"], packages=[*_PHP, "php-curl"],
        probe=["php", "-r", "exit(function_exists('curl_init') && function_exists('simplexml_load_string') ? 0 : 1);"],
        run=["php", "{source}"], reads={**_ALL, "xml": "texts"}, is_quick=True,
    ),
    Program(
        name="PHP, file_get_contents", language="php", source="php_file_get_contents.php", needs=["php"],
        packages=_PHP, probe=["php", "-r", "exit(function_exists('simplexml_load_string') ? 0 : 1);"],
        run=["php", "{source}"], reads={**_ALL, "xml": "texts"}, is_quick=True,
    ),
    Program(
        name="PHP, an SDK", language="php", source="php_sdk.php", needs=["php"], packages=_PHP,
        probe=["php", "-r", "exit(function_exists('simplexml_load_string') ? 0 : 1);"],
        run=["php", "{source}"], reads=_ALL, is_quick=True, formats=FORMATS[:4],
    ),
    Program(
        name="Python, requests", language="python", source="python_requests.py", needs=[], packages=["python3-requests"],
        probe=[sys.executable, "-c", "import requests"], run=[sys.executable, "{source}"], reads=_ALL, is_quick=True,
    ),
    Program(
        name="Node, fetch", language="js", source="node_fetch.mjs", needs=["node"], packages=["nodejs"],
        probe=["node", "-e", "fetch"], run=["node", "{source}"], reads=_JSON, is_quick=True,
    ),
    Program(
        name="Node, https", language="js", source="node_https.mjs", needs=["node"], packages=["nodejs"],
        run=["node", "{source}"], reads=_JSON, is_quick=True,
    ),
    Program(
        name="Ruby", language="ruby", source="ruby.rb", needs=["ruby"], packages=["ruby"],
        probe=["ruby", "-e", "require 'rexml/document'"], run=["ruby", "{source}"], reads=_JSON_AND_XML, is_quick=True,
    ),
    Program(
        name="C, libcurl", language="c", source="c.c", needs=["cc"], packages=["gcc", "libcurl4-openssl-dev"],
        probe=["sh", "-c", "echo '#include <curl/curl.h>' | cc -E -"], build=["cc", *_C, "-lcurl"],
        run=["{out}"], is_quick=True,
    ),
    Program(
        name="C++, libcurl", language="cpp", source="cpp.cpp", needs=["c++"],
        packages=["g++", "libcurl4-openssl-dev", "nlohmann-json3-dev"],
        probe=["sh", "-c", r"printf '#include <curl/curl.h>\n#include <nlohmann/json.hpp>\n' | c++ -E -x c++ -"],
        build=["c++", "-std=c++17", *_C, "-lcurl"], run=["{out}"], reads=_JSON,
    ),
    Program(
        name="Go", language="go", source="go.go", needs=["go"], packages=["golang-go"],
        build=["go", "build", "-o", "{out}", "{source}"], run=["{out}"], reads=_JSON_AND_XML,
    ),
    Program(
        name="Java", language="java", source="Java.java", needs=["javac"], packages=_JDK,
        build=["javac", "-encoding", "UTF-8", "-d", "{folder}", "{source}"],
        run=["java", "-cp", "{folder}", "Java"], reads={"xml": "texts"},
    ),
    Program(
        name="Kotlin", language="kotlin", source="kotlin.kt", needs=["kotlinc", "java"], packages=["kotlin", *_JDK],
        build=["kotlinc", "-nowarn", "-include-runtime", "-d", "{out}.jar", "{source}"],
        run=["java", "-jar", "{out}.jar"],
    ),
    Program(
        name="Rust", language="rust", source="rust.rs", needs=["rustc"], packages=["rustc"],
        build=["rustc", "--edition", "2021", "-o", "{out}", "{source}"], run=["{out}"],
    ),
    Program(
        name="C#", language="csharp", source="csharp.cs", needs=["mcs", "mono"],
        packages=["mono-mcs", "mono-runtime", "libmono-system-net-http4.0-cil", "libmono-system-web-extensions4.0-cil"],
        build=["mcs", "-out:{out}.exe", "-r:System.Net.Http", "-r:System.Web.Extensions", "-r:System.Xml.Linq", "{source}"],
        run=["mono", "{out}.exe"], reads=_JSON_AND_XML,
    ),
    Program(
        name="R", language="r", source="r.R", needs=["Rscript"],
        packages=["r-base-core", "r-cran-httr", "r-cran-jsonlite"],
        probe=["Rscript", "-e", "library(httr); library(jsonlite)"],
        run=["Rscript", "{source}"], reads=_JSON,
    ),
    Program(
        name="Objective-C", language="objc", source="objective_c.m", needs=["gcc", "gnustep-config"],
        packages=["gobjc", "gnustep-make", "libgnustep-base-dev"],
        build=["gcc", "$ gnustep-config --objc-flags", "-std=gnu99", "{source}", "-o", "{out}", "$ gnustep-config --base-libs"],
        run=["{out}"], reads=_JSON,
    ),
    Program(
        name="MATLAB (Octave)", language="matlab", source="octave.m", needs=["octave-cli"], packages=["octave"],
        run=["octave-cli", "--quiet", "--no-history", "{source}"], reads={"json": "texts", "jsonu": "texts"},
        statuses=["ok"],
    ),
)  # fmt: skip

LEFT_OUT: Final = {"Swift": "Debian 12 has no package of it"}
"""The languages of the documents that have no program here, and why."""
