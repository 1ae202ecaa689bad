"""The command `envelope`: its help, its version, what a shell completes, and how a process ends."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

import envelope
from envelope import cli
from tests.cli.command import process, run
from tests.documents import text_of

BAD_SERIALIZE = 'a:1:{s:4:"name";s:3:"中文";}'.encode()


# --------------------------------------------------------------------------------------------------- help, version


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize(
    "subcommand", [[], ["codes"], ["convert"], ["diff"], ["gateway"], ["inspect"], ["openapi"], ["validate"]]
)
def test_the_examples_of_help_run(subcommand: list[str], option: str, tmp_path: Path) -> None:
    text = run(*subcommand, option).stdout
    examples = [line.strip() for line in text[text.index("Examples:") :].splitlines()[1:]]
    assert 3 <= len(examples) <= 6
    python = f"{shlex.quote(sys.executable)} -m envelope"
    script = "set -e\n" + "\n".join(re.sub(r"(^|\| )envelope", rf"\1{python}", example) for example in examples)
    # From the checkout: the package need not be installed.
    env = {**os.environ, "PYTHONPATH": os.getcwd()}
    ran = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=env, capture_output=True, timeout=60)
    assert (ran.returncode, re.sub(rb"(?m)^note: .*\n", b"", ran.stderr)) == (0, b"")


def test_version() -> None:
    assert metadata.version("envelope-engine") == envelope.__version__
    codecs = "compiled" if envelope.NATIVE else "pure Python"
    assert run("--version").stdout == f"envelope-engine {envelope.__version__}, {codecs}\n"


@pytest.mark.parametrize("missing", ["click", "rich", "tomli_w"])
def test_without_a_package_of_the_command_one_line_says_what_to_install(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    monkeypatch.setattr(sys, "argv", ["envelope", "convert", "--to", "json"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert isinstance(caught.value.code, str)  # printed on stderr, with exit status 1
    assert "pip install 'envelope-engine[cli]'" in caught.value.code
    assert "\n" not in caught.value.code


# -------------------------------------------------------------------------------------------------------- completion


def test_the_page_has_a_line_for_each_shell() -> None:
    shells = re.findall(r"_ENVELOPE_COMPLETE=(\w+)_source envelope", text_of("command.md"))
    assert shells == ["bash", "zsh", "fish"]
    for shell in shells:
        ran = process(_ENVELOPE_COMPLETE=f"{shell}_source")
        assert (ran.returncode, ran.stderr) == (0, b"")
        assert f"_ENVELOPE_COMPLETE={shell}_complete" in ran.stdout.decode()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("envelope ", {"call", "codes", "convert", "diff", "gateway", "inspect", "openapi", "repair", "validate"}),
        ("envelope convert --to ser", {"serialize"}),
        ("envelope inspect --values ", {"portable", "php"}),
    ],
)
def test_a_shell_is_told_what_may_follow(words: str, expected: set[str]) -> None:
    last = str(words.count(" "))
    ran = process(_ENVELOPE_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=last)
    assert {line.partition(",")[2] for line in ran.stdout.decode().splitlines()} == expected


# --------------------------------------------------------------------------------------------------------- processes


def test_a_process_writes_the_exact_bytes_and_no_colour() -> None:
    assert process("convert", "--to", "json", data=b"i:1;").stdout == b"1"
    bad = process("convert", "--to", "json", data=BAD_SERIALIZE)
    assert (bad.returncode, bad.stdout) == (1, b"")
    assert b"\x1b" not in bad.stderr


def test_a_process_without_utf8_still_shows_its_error() -> None:
    bad = process("convert", "--to", "json", data=BAD_SERIALIZE, PYTHONIOENCODING="ascii")
    assert bad.returncode == 1
    assert b"\\u4e2d" in bad.stderr


@pytest.mark.parametrize("options", [[], ["--lines", "--jobs", "1"], ["--lines", "--jobs", "2"]])
def test_a_conversion_with_nothing_to_say_does_not_import_rich(options: list[str]) -> None:
    program = (
        "import atexit, sys, envelope.cli\n"
        "atexit.register(lambda: print(*(name for name in sys.modules if name.startswith('rich'))))\n"
        "envelope.cli.main()"
    )
    command = [sys.executable, "-c", program, "convert", *options, "--from", "serialize", "--to", "jsonu"]
    ran = subprocess.run(command, input=b"i:1;\n" if options else b"i:1;", capture_output=True, timeout=60)
    assert (ran.returncode, ran.stdout.split(), ran.stderr) == (0, [b"1"], b"")


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no /dev/zero")
def test_endless_input_ends_at_the_limit() -> None:
    ran = process("convert", "--from", "json", "--to", "json", "/dev/zero")
    assert ran.returncode == 1
    assert b"the input is longer than 67108864 bytes" in ran.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("redirection", [">/dev/full", ">&-", "<&-"])
def test_a_standard_stream_that_fails_is_no_traceback(redirection: str) -> None:
    script = f"printf 1 | {shlex.quote(sys.executable)} -m envelope convert --to json {redirection}"
    ran = subprocess.run(["sh", "-c", script], capture_output=True, timeout=60)
    assert ran.returncode == (2 if redirection == "<&-" else 1)
    assert re.search(rb"Error: cannot (read standard in|write standard out)put: [^\n]+\n\Z", ran.stderr)
    assert b"Traceback" not in ran.stderr


def test_out_of_memory_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("envelope.cli.convert.convert_and_compare", fail)
    result = run("convert", "--to", "json", data=b"1")
    assert (result.exit_code, result.stderr) == (1, "Error: not enough memory\n")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_broken_pipe_is_quiet(tmp_path: Path, unbuffered: str) -> None:
    path = tmp_path / "big.json"
    path.write_bytes(b"[" + b"1," * 500_000 + b"1]")
    with subprocess.Popen(
        [sys.executable, "-m", "envelope", "convert", str(path), "--to", "json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.read(1) == b"["
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(60) == 1


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_an_interrupt_is_quiet() -> None:
    # It interrupts itself when it reads standard input: from outside, nothing shows that it has got that far, and no time
    # is long enough on a busy machine.
    program = (
        "import io, os, signal, sys, threading\n"
        "from envelope.cli import main\n"
        "class Input(io.RawIOBase):\n"
        "    def readable(self):\n"
        "        return True\n"
        "    def readinto(self, buffer):\n"
        "        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "        return os.readv(0, [buffer])\n"
        "sys.stdin = io.TextIOWrapper(io.BufferedReader(Input()))\n"
        "sys.argv[1:] = ['convert', '--to', 'json']\n"
        "main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stderr is not None
        assert (child.wait(60), child.stderr.read()) == (130, b"")


@pytest.mark.skipif(os.name == "nt", reason="terminals")
def test_a_terminal_gets_colour_and_a_newline() -> None:
    import pty

    main_end, child_end = pty.openpty()
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "envelope", "convert", "--to", "serialize"],
            input=b"{}", stdout=child_end, stderr=child_end, timeout=60, env={**os.environ, "TERM": "xterm"},
        )  # fmt: skip
        shown = os.read(main_end, 10_000)
    finally:
        os.close(main_end)
        os.close(child_end)
    assert ran.returncode == 0
    assert b"\x1b[" in shown
    assert shown.startswith(b"a:0:{}\r\n")


def test_a_warning_that_cannot_be_shown_takes_nothing_from_the_output() -> None:
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "envelope", "convert", "--to", "serialize"]
        ran = subprocess.run(command, input=b'{"a":{}}', stdout=subprocess.PIPE, stderr=full, check=False)
    assert (ran.returncode, ran.stdout) == (0, b'a:1:{s:1:"a";a:0:{}}')


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_that_cannot_be_written_is_one_line(option: str) -> None:
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "envelope", option]
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert ran.returncode == 1
    assert ran.stderr.decode() == "envelope: cannot write standard output: No space left on device\n"


# ------------------------------------------------------------------------------------------------------- Ctrl-C


READY = "import envelope_command, os; os.write(2, b'.'); envelope_command.main()"
DELAYS = [0.0, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.5]


def interrupted(program: list[str], wait: Callable[[subprocess.Popen[bytes]], object]) -> tuple[int, bytes]:
    """The status and the standard error of a command that waits for its input, and is interrupted after *wait*."""
    command = [sys.executable, *program, "convert", "--to", "json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        wait(child)
        child.send_signal(signal.SIGINT)
        # Its input stays open.
        status = child.wait(60)
        assert child.stderr is not None
        return status, child.stderr.read()


@pytest.mark.skipif(os.name == "nt", reason="no signals here")
@pytest.mark.parametrize("delay", DELAYS)
def test_an_interrupt_is_quiet_from_the_first_line_on(delay: float) -> None:
    def wait(child: subprocess.Popen[bytes]) -> None:
        assert child.stderr is not None
        assert child.stderr.read(1) == b"."
        time.sleep(delay)

    status, said = interrupted(["-c", READY], wait)
    assert status == 130
    assert b"Traceback" not in said
    assert said.strip() in (b"", b"Aborted!")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at /proc")
@pytest.mark.parametrize("delay", DELAYS)
def test_an_interrupt_of_the_module_is_quiet_as_soon_as_the_package_is_imported(delay: float) -> None:
    def wait(child: subprocess.Popen[bytes]) -> None:
        while "orjson" not in Path(f"/proc/{child.pid}/maps").read_text():  # which the package itself imports
            assert child.poll() is None
        time.sleep(delay)

    status, said = interrupted(["-m", "envelope"], wait)
    assert status == 130
    assert said.strip() in (b"", b"Aborted!")


@pytest.mark.skipif(os.name == "nt", reason="no signals here")
def test_an_ignored_interrupt_stays_ignored() -> None:
    code = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {READY}"
    with subprocess.Popen(
        [sys.executable, "-c", code, "convert", "--from", "json", "--to", "json"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        assert child.stderr is not None
        assert child.stderr.read(1) == b"."
        child.send_signal(signal.SIGINT)
        assert child.communicate(b"1", timeout=60) == (b"1", b"")
        assert child.returncode == 0


def test_importing_the_package_leaves_interrupts_alone() -> None:
    code = "import signal, envelope, envelope.cli; print(signal.getsignal(2) is signal.default_int_handler)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "True\n"
