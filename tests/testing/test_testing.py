"""`envelope.testing`, as users' own tests use it."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

import envelope
from envelope import Envelope, ResultType, fixtures, testing
from envelope.formats import FORMATS
from envelope.testing import assert_same_envelope, envelopes, php_values, values
from envelope.testing import php as testing_php
from envelope.testing.php import Php
from envelope.values.php_rules import is_ambiguous
from tests.documents import ROOT, text_of

PAGE = text_of("testing.md")


# ---------------------------------------------------------------------------------------------------------- strategies


@given(answer=envelopes())
def test_every_format_carries_every_envelope(fmt: ResultType, answer: Envelope[Any]) -> None:
    assert_same_envelope(envelope.decode(envelope.encode(answer, fmt, maps="object"), fmt), answer)


@given(answer=envelopes(ambiguous=False))
def test_arrays_carry_envelopes_without_the_ambiguous_maps(php_fmt: ResultType, answer: Envelope[Any]) -> None:
    assert_same_envelope(envelope.decode(envelope.encode(answer, php_fmt), php_fmt), answer)


@given(answer=envelopes(controls=False))
def test_plain_xml_takes_envelopes_without_controls(answer: Envelope[Any]) -> None:
    assert envelope.encode(answer, "xml", dialect="plain")


@given(value=php_values())
def test_serialize_carries_phps_domain(value: Any) -> None:
    body = envelope.dumps(value, "serialize", values="php")
    assert envelope.same(envelope.loads(body, "serialize", values="php"), value)


@given(value=php_values(var_export=True))
def test_var_export_carries_what_has_no_visibility(value: Any) -> None:
    body = envelope.dumps(value, "var_export", values="php")
    assert envelope.same(envelope.loads(body, "var_export", values="php"), value)


@given(value=values(ambiguous=False, controls=False))
def test_the_flags_leave_out_what_they_say(value: Any) -> None:
    pending = [value]
    while pending:
        child = pending.pop()
        if isinstance(child, dict):
            assert not is_ambiguous(child)
        if isinstance(child, str):
            assert not set(child) & set("\0\x01\x1f\ufffe\uffff")
        pending += child.values() if isinstance(child, dict) else child if isinstance(child, list) else []


def test_without_hypothesis_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "envelope.testing.strategies")
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'envelope-engine\[testing\]'"):
        testing.values  # noqa: B018
    missing = "values2"
    with pytest.raises(AttributeError, match="values2"):
        getattr(testing, missing)


def test_importing_the_plugin_imports_no_hypothesis() -> None:
    code = "import sys, envelope.testing.plugin; print('hypothesis' in sys.modules, 'lxml' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False False\n"


# ----------------------------------------------------------------------------------------------------------- assertion


def test_the_same_envelopes_are_the_same() -> None:
    read = envelope.decode(b'{"response":[1],"error":null,"error_code":"0000"}', "json")
    assert read.notes != ()
    assert_same_envelope(read, Envelope.ok([1]))


def test_each_difference_has_a_line() -> None:
    one = Envelope.ok({"price": 1, "name": "x", "old": None}, request_id="a", extras={"page": 1})
    other = Envelope.ok({"name": "x", "price": 1.0}, request_id="b", extras={"page": 1})
    with pytest.raises(AssertionError) as caught:
        assert_same_envelope(one, other)
    assert str(caught.value).splitlines() == [
        "the envelopes are not the same (- only in a, + only in b):",
        "  - $.response.old: null",
        "  ~ $.response: the same keys in another order",
        "  ~ $.response.price: 1 → 1.0",
        '  ~ $.request_id: "a" → "b"',
    ]


def test_many_differences_are_cut() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_same_envelope(Envelope.ok(list(range(1000))), Envelope.ok([]))
    assert len(str(caught.value).splitlines()) == 52
    assert str(caught.value).endswith("\n  … and more")


def test_anything_but_an_envelope_is_a_type_error() -> None:
    with pytest.raises(TypeError, match=r"an Envelope, as envelope\.decode reads it, not dict"):
        assert_same_envelope(Envelope.ok([]), {})  # type: ignore[arg-type]


# -------------------------------------------------------------------------------------------------------------- plugin

PLUGIN = ("-p", "no:envelope", "-p", "envelope.testing.plugin", "-p", "no:xdist", "-p", "no:cacheprovider", "-rs")
ANSWER = Envelope.ok({"id": 7, "price": 1.5}, request_id="1.6403f86cd67f6", last_id="1")
ABOUT = 'title = "a price"\npayload = "response"\n'


@pytest.fixture
def case(pytester: pytest.Pytester) -> Path:
    """The folder of a sound case, which pytest is configured to collect."""
    pytester.makeini("[pytest]\nenvelope_cases = goldens\n")
    folder = pytester.path / "goldens" / "price"
    folder.mkdir(parents=True)
    (folder / "case.toml").write_text(ABOUT)
    for format in FORMATS:
        (folder / fixtures.body_name(format)).write_bytes(envelope.encode(ANSWER, format))
    return folder


def test_a_case_is_a_test(pytester: pytest.Pytester, case: Path) -> None:
    result = pytester.runpytest_inprocess(*PLUGIN, "-v")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*goldens/price/case.toml::price PASSED*"])


def test_a_case_elsewhere_is_ignored(pytester: pytest.Pytester, case: Path) -> None:
    pytester.makeini("[pytest]\nenvelope_cases = other\n")
    assert pytester.runpytest_inprocess(*PLUGIN).ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_an_unsound_case_fails_with_its_findings_alone(pytester: pytest.Pytester, case: Path) -> None:
    (case / "body.xml").write_bytes(
        envelope.encode(Envelope.ok({"id": 8, "price": 1.5}, request_id="1.6403f86cd67f6", last_id="1"), "xml")
    )
    (case / "body.serialize").write_bytes(b"a:6:{")
    (case / "body.jsonu.json").unlink()
    result = pytester.runpytest_inprocess(*PLUGIN)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines_random([
        "*_ case price _*",
        "body.jsonu.json: bodies at $: the case has no such body (--update-goldens writes it)",
        "body.serialize: malformed at byte *, $: cannot read serialize: *",
        "body.xml: value at $.response.id: not the value of body.json: $.response.id: 7 → 8",
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*plugin.py*")


@pytest.mark.parametrize(("about", "text"), [("title = 1", "*title*"), ("no toml", "*toml: malformed at byte 3*")])
def test_a_case_that_says_nothing_fails(pytester: pytest.Pytester, case: Path, about: str, text: str) -> None:
    (case / "case.toml").write_text(about)
    result = pytester.runpytest_inprocess(*PLUGIN)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([text])


def test_canonical_bodies_are_asked_for(pytester: pytest.Pytester, case: Path) -> None:
    (case / "body.json").write_bytes(b" " + envelope.encode(ANSWER, "json"))
    pytester.runpytest_inprocess(*PLUGIN).assert_outcomes(passed=1)
    pytester.makeini("[pytest]\nenvelope_cases = goldens\nenvelope_canonical = true\n")
    result = pytester.runpytest_inprocess(*PLUGIN)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["body.json: canonical at byte 0, $: not written as this library writes it"])


def test_an_operators_codes_are_known(pytester: pytest.Pytester, case: Path) -> None:
    answer = Envelope.fail("4099", error="Frozen", request_id="1.6403f86cd67f6", last_id="1")
    for format in FORMATS:
        (case / fixtures.body_name(format)).write_bytes(envelope.encode(answer, format))
    result = pytester.runpytest_inprocess(*PLUGIN)
    result.stdout.fnmatch_lines(["body.json: error-code at $.error_code: * (envelope_codes adds an operator's codes)"])
    row = """
        [[codes]]
        code = "4099"
        name = "FROZEN"
        message = "Frozen"
        cn = "冻结"
        en = "Frozen"
        ru = "Заморожен"
        billing = "free"
        billing_source = "operator"
        http_status = 403
        retryable = false
        actor = "caller"
    """
    (pytester.path / "codes.toml").write_text(row, "utf-8")
    pytester.makeini("[pytest]\nenvelope_cases = goldens\nenvelope_codes = codes.toml\n")
    pytester.runpytest_inprocess(*PLUGIN).assert_outcomes(passed=1)


def test_goldens_are_rewritten(pytester: pytest.Pytester, case: Path) -> None:
    answer = envelope.encode(Envelope.ok(["new"], request_id="1.6403f86cd67f6", last_id="1"), "json")
    (case / "body.json").write_bytes(answer)
    (case / "body.xml").unlink()
    pytester.runpytest_inprocess(*PLUGIN).assert_outcomes(failed=1)
    result = pytester.runpytest_inprocess(*PLUGIN, "--update-goldens")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*rewritten: body.jsonu.json, body.xml, body.serialize, body.var_export.php"])
    assert (case / "body.json").read_bytes() == answer
    assert envelope.decode((case / "body.xml").read_bytes(), "xml").response == ["new"]
    pytester.runpytest_inprocess(*PLUGIN, "--update-goldens").assert_outcomes(passed=1)


def test_what_php_wrote_is_not_rewritten(pytester: pytest.Pytester, case: Path) -> None:
    for file in case.glob("body.*"):
        file.unlink()
    (case / "case.toml").write_text('title = "an object"\nvalues = "php"\n')
    body = b'O:1:"A":1:{s:1:"x";a:2:{i:1;i:2;i:1;i:3;}}'
    (case / "body.serialize").write_bytes(body)
    pytester.runpytest_inprocess(*PLUGIN, "--update-goldens").assert_outcomes(passed=1)
    assert [file.name for file in case.glob("body.*")] == ["body.serialize"]
    assert (case / "body.serialize").read_bytes() == body


def test_a_case_without_a_body_is_not_written(pytester: pytest.Pytester, case: Path) -> None:
    for file in case.glob("body.*"):
        file.unlink()
    result = pytester.runpytest_inprocess(*PLUGIN, "--update-goldens")
    result.assert_outcomes(failed=1)


def test_this_librarys_own_fixtures_are_cases(pytester: pytest.Pytester) -> None:
    cases = sorted((ROOT / "fixtures" / "valid").iterdir())
    (pytester.path / "empty.ini").write_text("[pytest]\n")
    settings = ("-o", f"envelope_cases={ROOT / 'fixtures'}", "-o", "envelope_canonical=true")
    result = pytester.runpytest_inprocess(*PLUGIN, *settings, str(ROOT / "fixtures" / "valid"), "-c", "empty.ini")
    result.assert_outcomes(passed=len(cases))


def test_pytest_finds_the_plugin_by_itself(pytester: pytest.Pytester, case: Path) -> None:
    (stated,) = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"][
        "pytest11"
    ].items()
    assert stated == ("envelope", "envelope.testing.plugin")
    assert stated in [(entry.name, entry.value) for entry in importlib.metadata.entry_points(group="pytest11")]
    pytester.makepyfile(
        "def test_it(envelope_php):\n    assert envelope_php.ask_one('unserialize', b'i:1;') == b'i:1;'\n"
    )
    has_php = not testing_php.missing()
    result = pytester.runpytest_subprocess("-p", "no:xdist")
    result.assert_outcomes(passed=1 + has_php, skipped=1 - has_php)


def test_the_example_of_the_page_passes(pytester: pytest.Pytester, case: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (settings,) = (text for text in blocks if "[tool.pytest" in text)
    examples = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (example,) = (text for text in examples if "envelope.testing" in text)
    (pytester.path / "tox.ini").unlink()
    pytester.makepyprojecttoml(settings)
    case.parent.rename(pytester.path / "cases")
    pytester.makepyfile(example)
    result = pytester.runpytest_inprocess(*PLUGIN)
    has_php = not testing_php.missing()
    result.assert_outcomes(passed=2 + has_php, skipped=1 - has_php)


# ----------------------------------------------------------------------------------------------------------------- PHP


def test_without_php_a_test_is_skipped_with_the_reason(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert testing_php.missing() == "no php on this machine"
    with pytest.raises(RuntimeError, match="no php"):
        Php()
    pytester.makepyfile("def test_it(envelope_php):\n    raise AssertionError\n")
    result = pytester.runpytest_inprocess(*PLUGIN)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*no php on this machine"])


@pytest.mark.parametrize(
    ("version", "wanted", "why"),
    [
        ("8.0.30", "", "php is 8.0.30; 8.1 is the oldest supported"),
        ("8.10.1", "", ""),
        ("8.3.1", "8.2.", "php is 8.3.1, not 8.2."),
        ("oops", "", "php does not report its version"),
    ],
)  # fmt: skip
def test_an_old_php_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, wanted: str, why: str
) -> None:
    program = tmp_path / "php"
    program.write_text(f"#!/bin/sh\nprintf '%s' '{version}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert testing_php.missing(wanted) == why


@pytest.mark.php
@given(value=values())
def test_php_agrees_on_every_value(php: Php, value: Any) -> None:
    for format in ("serialize", "var_export", "json", "jsonu"):
        for maps in ("array", "object"):
            assert list(php.disagreements([value], format, maps=maps)) == []


@pytest.mark.php
def test_disagreements_with_php_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with Php() as process:
        monkeypatch.setattr(testing_php, "dumps", lambda *_, **__: b"i:2;")
        assert list(process.disagreements([1], "serialize")) == [
            "serialize maps=array 1: PHP wrote b'i:1;', this library b'i:2;'"
        ]
        monkeypatch.undo()
        monkeypatch.setattr(testing_php, "loads", lambda *_: 2)
        assert "it is another value" in next(process.disagreements([1], "serialize", maps="object"))
        assert "written again, it differs" in next(process.disagreements([1], "serialize"))


@pytest.mark.php
def test_custom_operations(tmp_path: Path) -> None:
    own = tmp_path / "own.php"
    own.write_text("<?php class A { public $x = 1; } return ['upper' => strtoupper(...)];")
    with Php(own) as process:
        assert process.ask("upper", [b"a", b"\xff"]) == [b"A", b"\xff"]
        assert process.ask_one("unserialize json", b'O:1:"A":0:{}') == b'{"x":1}'
        assert process.ask_one("unserialize", b"broken") is None
        with pytest.raises(RuntimeError, match="php ended"):
            process.ask_one("nonsense", b"")
        process._process.wait(10)
        with pytest.raises(RuntimeError, match="php ended"):
            process.ask_one("upper", b"a" * 100_000)


@pytest.mark.php
def test_a_busy_php_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own.php"
    own.write_text("<?php return ['busy' => function () { while (true) {} }];")
    monkeypatch.setattr(testing_php, "PATIENCE", 0.1)

    def interrupt(_: Php) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Php, "_read_number", interrupt)
    with pytest.raises(KeyboardInterrupt), Php(own) as process:
        process.ask_one("busy", b"")
    assert process._process.returncode is not None


def test_what_is_ignored_need_not_be_the_same() -> None:
    one = Envelope.ok({"id": 1, "at": [1, 2]}, request_id="1.6403f86cd67f6")
    other = Envelope.ok({"id": 1, "at": [3]}, request_id="1.6403f86cd67f7")
    assert_same_envelope(one, other, ignore=["$.request_id", "$.response.at"])
    with pytest.raises(AssertionError, match=r"request_id"):
        assert_same_envelope(one, other, ignore=["$.response.at"])
