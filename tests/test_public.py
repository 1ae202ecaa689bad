"""The public interface: its names, its errors, its arguments, and what importing it costs."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path
from typing import Any, get_args

import pytest

import envelope
from envelope import (
    DecodeError,
    EncodeError,
    EnvelopeError,
    Limits,
    LossError,
    LossWarning,
    PhpEnum,
    PhpObject,
    ResultType,
)
from envelope.conversion.projection import project
from envelope.formats import ResultTypeName
from envelope.formats import native as compiled
from envelope.hints import Hint
from envelope.registry import REGISTRY
from tests import native

ROOT = Path(__file__).parent.parent
FACE = {
    "NATIVE", "DecodeError", "EncodeError", "Envelope", "EnvelopeError", "Lang", "Limits", "Loss", "LossError", "LossWarning", "Note", "PhpEnum",
    "PhpObject", "PhpProperty", "PhpReference", "RequestError", "RequestIds", "ResultType", "UnknownCode", "UnknownFormat", "ValidationError", "convert", "decode", "dumps",
    "encode", "from_phpserialize", "loads", "loads_first", "losses", "repair", "same", "to_phpserialize", "unwrap",
}  # fmt: skip


def test_the_names() -> None:
    assert set(envelope.__all__) == FACE
    modules = {path.stem for path in (ROOT / "envelope").iterdir()}
    # pytest adds names that are not identifiers to the modules of a distribution with a plugin.
    names = {name for name in dir(envelope) if name.isidentifier() and not name.startswith("_")}
    assert names - modules == FACE
    assert envelope.NATIVE is compiled.NATIVE


def test_the_literal_of_formats_is_their_enum() -> None:
    assert get_args(ResultTypeName) == tuple(ResultType)


def test_the_registry_and_what_needs_it_are_imported_lazily() -> None:
    code = (
        "import sys, envelope; before = {'envelope.registry.codes', 'tomllib'} & set(sys.modules);"
        "print(before, len(envelope.registry.REGISTRY), envelope.answers.judge, envelope.answers.check_bill,"
        "envelope.registry.Messages, envelope.answers.translate)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith(f"set() {len(REGISTRY)} <function judge")
    missing = "dmups"
    with pytest.raises(AttributeError, match="no attribute 'dmups'"):
        getattr(envelope, missing)


def test_lazily_imported_names_work_like_any_other() -> None:
    code = (
        "import envelope; before = {*vars(envelope)}; names = {*dir(envelope)};"
        "print(sorted({*envelope.__all__} - before), sorted({*envelope.__all__} - names));"
        "from envelope import *; print(Lang.CN, RequestIds.__module__, envelope.PhpObject is PhpObject)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    late = [
        "Lang",
        "Loss",
        "PhpEnum",
        "PhpObject",
        "PhpProperty",
        "PhpReference",
        "RequestIds",
        "from_phpserialize",
        "repair",
        "same",
        "to_phpserialize",
        "unwrap",
    ]
    assert ran.stdout.splitlines() == [f"{late} []", "cn envelope.answers.request_ids True"]


@native.requires_native
def test_the_python_codecs_are_imported_when_the_compiled_ones_leave_something_to_them() -> None:
    code = (
        "import sys, envelope; from envelope import Envelope;"
        "there = lambda: [name for name in ('formats.common.conform', 'values.php_types', *(f'formats.{name}.{side}' for name in "
        "('json', 'serialize', 'var_export', 'xml') for side in ('read', 'write'))) if f'envelope.{name}' in sys.modules];"
        "answer = Envelope.ok({'a': [1, 'x', None]});"
        "same = [envelope.decode(envelope.encode(answer, name), name) == answer for name in envelope.ResultType];"
        "print(same, there());"
        "envelope.dumps(float('nan'), 'serialize', values='php', default=str); print(there());"
        "envelope.dumps((), 'xml', default=list); print(there())"
    )
    environ = {**os.environ, "ENVELOPE_PURE": ""}
    ran = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [
        "[True, True, True, True, True] []",
        "['values.php_types']",  # the classes of PHP's objects, which its writers must know before they begin
        "['formats.common.conform', 'values.php_types', 'formats.xml.write']",
    ]


def test_importing_envelope_imports_nothing_it_may_not_need() -> None:
    code = "import sys, envelope; print([name for name in ('lxml', 'phpserialize', 'click', 'rich') if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_exception_tree() -> None:
    for name, base in (
        ("EncodeError", ValueError), ("DecodeError", ValueError), ("LossError", ValueError), ("ValidationError", ValueError),
        ("UnknownFormat", LookupError), ("UnknownCode", LookupError),
    ):  # fmt: skip
        assert issubclass(getattr(envelope, name), EnvelopeError)
        assert issubclass(getattr(envelope, name), base)


@pytest.mark.parametrize(
    "error",
    [
        DecodeError("reason", kind="limit", format="json", offset=5, path="$.a", hint=Hint("raise-limit", "max_depth")),
        EncodeError("reason", kind="limit", format="json", path="$.a", hint=Hint("raise-limit", "max_depth")),
        envelope.ValidationError("reason", path="$.a", hint=Hint("raise-limit", "max_depth")),
        LossError([envelope.Loss("$", 1.0, 1)] * 5, "json"),
        envelope.UnknownFormat("reason"),
        envelope.UnknownCode("reason"),
    ],
)
def test_errors_survive_pickling(error: EnvelopeError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
    assert "limit" not in str(error) or str(error).startswith("json: limit at ")


def test_errors_hold_no_input_but_short_keys() -> None:
    secret = "s3cret" * 10
    for fmt in ResultType:
        for data in (
            secret.encode(),
            b'{"a":' + secret.encode(),
            b's:5:"' + secret.encode(),
            b"<root>" + secret.encode(),
        ):
            with pytest.raises(DecodeError) as caught:
                envelope.loads(data, fmt)
            assert "s3cret" not in str(caught.value) + repr(caught.value)
            assert caught.value.__context__ is None
    for fmt in ResultType:
        with pytest.raises(EncodeError) as unwritten:
            envelope.dumps([secret, "\ud800"], fmt)
        assert unwritten.value.__context__ is None
    with pytest.raises(DecodeError) as caught:
        envelope.loads(b'{"' + b"k" * 100 + b'":x}', "json")
    assert len(caught.value.path) < 50


@pytest.mark.parametrize("data", [None, 5, [b"x"], object()])
def test_input_is_bytes_like_or_text(fmt: ResultType, data: Any) -> None:
    with pytest.raises(TypeError, match="bytes-like"):
        envelope.loads(data, fmt)


@pytest.mark.parametrize(
    "options", [{"values": "x"}, {"dialect": "x"}, {"maps": "x"}, {"nonsense": 1}, {"dialect": None}]
)
def test_unknown_options_are_type_errors(fmt: ResultType, options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        envelope.dumps(1, fmt, **options)
    with pytest.raises(TypeError):
        envelope.loads(b"1", fmt, **options)


def test_options_are_keyword_only() -> None:
    with pytest.raises(TypeError):
        envelope.dumps(1, "json", "portable")  # type: ignore[call-arg]


# ---- convert


def test_convert_refuses_warns_or_ignores() -> None:
    body = b'{"a":{},"b":1.0}'
    with pytest.raises(LossError) as caught:
        envelope.convert(body, "json", "serialize")
    assert [loss.path for loss in caught.value.losses] == ["$.a"]
    assert "on_loss" in str(caught.value)
    with pytest.warns(LossWarning, match=r"\$\.a: \{\} → \[\]") as warned:
        assert envelope.convert(body, "json", "serialize", on_loss="warn") == b'a:2:{s:1:"a";a:0:{}s:1:"b";d:1;}'
    assert warned[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert envelope.convert(body, "json", "jsonu", target_dialect="php", on_loss="ignore") == b'{"a":[],"b":1}'
    with pytest.raises(TypeError):
        envelope.convert(body, "json", "xml", on_loss="sometimes")  # type: ignore[arg-type]
    with pytest.raises(LossError, match="and 1 more"):
        envelope.convert(b"[{},{},{},{}]", "json", "serialize")


def test_convert_has_a_dialect_for_each_side() -> None:
    plain = envelope.convert(b'{"a":1,"b":[null]}', "json", "xml", target_dialect="plain", on_loss="ignore")
    assert plain.endswith(b"<root><a>1</a><b><item/></b></root>")
    assert envelope.convert(plain, "xml", "json", source_dialect="plain") == b'{"a":"1","b":[""]}'


def test_convert_projects_the_domain_of_php() -> None:
    body = (
        b'a:3:{i:0;O:1:"A":4:{s:1:"x";i:1;s:4:"\0*\0p";i:2;i:7;a:0:{}s:2:"\0z";i:3;}i:1;a:2:{i:5;N;s:1:"k";i:1;}i:2;R:2;}'
    )  # fmt: skip
    with pytest.raises(LossError) as caught:
        envelope.convert(body, "serialize", "json", values="php")
    assert [loss.path for loss in caught.value.losses] == ["$[0]", "$[1]", "$[2]"]
    assert envelope.convert(body, "serialize", "json", values="php", on_loss="ignore") == (
        b'[{"x":1,"7":[]},{"5":null,"k":1},{"x":1,"7":[]}]'
    )


def test_an_enum_is_projected_as_its_backing_value_its_name_or_by_default() -> None:
    body = b'a:1:{i:0;E:3:"S:H";}'
    options: dict[str, Any] = {"values": "php", "default": lambda case: case.case}
    assert envelope.convert(body, "serialize", "json", on_loss="ignore", **options) == b'["H"]'
    for more in (options, {"values": "php"}):
        with pytest.raises(LossError) as lost:
            envelope.convert(body, "serialize", "json", **more)
        assert lost.value.losses == [envelope.Loss("$[0]", PhpEnum("S", "H"), "H")]
    assert project([PhpEnum("S", "H", "h"), PhpEnum("S", "H")], "json", Limits()) == ["h", "H"]
    with pytest.raises(EncodeError, match="backing value"):
        envelope.dumps([PhpEnum("S", "H")], "json", values="php")


def test_the_losses_of_a_projection_are_in_document_order_each_once() -> None:
    body = b'a:2:{s:1:"b";d:1;s:1:"a";a:2:{i:5;O:1:"A":2:{s:1:"0";d:1;s:4:"\0*\0p";i:2;}i:6;a:0:{}}}'
    with pytest.raises(LossError) as caught:
        envelope.convert(body, "serialize", "json", values="php", target_dialect="php", maps="object")
    assert [str(loss) for loss in caught.value.losses] == [
        "$.b: float → int",
        "$.a: map of 2 → map of 2 (other keys)",
        "$.a[5]: PhpObject A → map of 1",
        '$.a[5]["0"]: float → int',
    ]


def test_json_writes_an_object_as_a_map_whatever_its_names() -> None:
    body = b'a:2:{i:0;O:8:"stdClass":0:{}i:1;O:8:"stdClass":1:{s:1:"0";a:0:{}}}'
    for dialect in ("typed", "php"):
        assert (
            envelope.convert(
                body,
                "serialize",
                "json",
                values="php",
                target_dialect=dialect,
                on_loss="ignore",
            )
            == b'[{},{"0":[]}]'
        )


def test_warnings_leave_nothing_behind() -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default")  # with it, Python records in the caller's module what it has shown
        envelope.convert(b'{"a":{}}', "json", "serialize", on_loss="warn")
    assert len(shown) == 1
    assert not any("serialize" in str(key) for key in globals().get("__warningregistry__", {}))


@pytest.mark.parametrize(
    ("body", "path", "kind"),
    [
        (b's:1:"\xff";', "$", "unrepresentable"),
        (b"a:1:{i:0;d:NAN;}", "$[0]", "unrepresentable"),
        (b'a:1:{s:1:"k";O:1:"A":1:{s:1:"s";r:2;}}', "$.k.s", "unrepresentable"),
        (b'C:1:"A":1:{x}', "$", "unrepresentable"),
    ],
)
def test_what_has_no_projection_is_an_error(body: bytes, path: str, kind: str) -> None:
    for target in ("json", "xml"):
        with pytest.raises(EncodeError) as caught:
            envelope.convert(body, "serialize", target, values="php", on_loss="ignore")
        assert (caught.value.path, caught.value.kind) == (path, kind)


def test_objects_that_would_multiply_as_they_are_written_out_are_a_limit() -> None:
    value: Any = PhpObject("A")
    for _ in range(40):
        value = PhpObject("A", {"a": value, "b": value})
    body = envelope.dumps(value, "serialize", values="php")
    for target in ("json", "var_export"):
        with pytest.raises(EncodeError) as caught:
            envelope.convert(body, "serialize", target, values="php", limits=Limits(max_items=20_000), on_loss="ignore")
        assert caught.value.kind == "limit"


# ---- the project's own files


def test_the_extras_that_messages_name_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = set()
    for path in [*(ROOT / "envelope").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]:
        named |= {
            name for names in re.findall(r"envelope-engine\[([\w,]+)\]", path.read_text()) for name in names.split(",")
        }
    assert named <= set(project["optional-dependencies"])
    assert project["name"] == "envelope-engine"
