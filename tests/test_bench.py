"""The benchmark's own arithmetic, on made-up figures. Nothing is timed here."""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

import envelope
from tests.bench.chart import draw
from tests.bench.checks import spelled_alike
from tests.bench.documents import MAIN, documents
from tests.bench.goals import GOALS, geometric_mean, judged, slowness, speed
from tests.bench.peers import xmltodict_reading, xmltodict_tree
from tests.cli import command as cli

pytest.importorskip("pyarrow")

# After importorskip: without the extra parquet it cannot be imported.
from tests.bench import wordpress

ENCODE = "serialize: encode against PHP"


def report(compiled: dict[str, float] | None = None) -> dict[str, Any]:
    """Figures of serialize's writers: PHP needs 8 for each document, pure Python 1, 2, 4 and 8 times as long."""
    times: dict[str, Any] = {
        "php": dict.fromkeys(MAIN, 8.0),
        "pure": {name: 8.0 * 2**place for place, name in enumerate(MAIN)},
    }
    if compiled:
        times["compiled"] = compiled
    return {
        "times": {peer: {"serialize": {"write": row, "read": row}} for peer, row in times.items()},
        "versions": {"php": "8.2.0", "python": "3.11.0"},
        "machine": {"processor": "R&D <1>"},
    }


def test_documents_come_from_the_seed() -> None:
    assert documents(1) == documents(1)
    assert documents(1) != documents(2)
    assert set(MAIN) < set(documents())


@pytest.mark.parametrize("name", documents())
def test_the_peers_can_agree_on_a_document(name: str) -> None:
    value = documents()[name]
    for format in envelope.ResultType:
        assert envelope.losses(value, format) == []


def test_a_geometric_mean() -> None:
    assert geometric_mean([1, 4]) == pytest.approx(2)
    assert geometric_mean([0.5, 1, 2, 8]) == pytest.approx(8**0.25)


def test_ratios_are_geometric_means_over_the_documents() -> None:
    assert speed("serialize", "write", "php")(report(), "pure") == pytest.approx(1 / 8**0.5)
    assert slowness("serialize", "write", "php")(report(), "pure") == pytest.approx(8**0.5)
    assert speed("serialize", "write", "php", mean=min)(report(), "pure") == pytest.approx(1 / 8)


@pytest.mark.parametrize("peer", ["orjson", "phpserialize"])
def test_without_a_peer_there_is_no_ratio(peer: str) -> None:
    assert speed("serialize", "write", peer)(report(), "pure") is None


def test_the_compiled_build_decides_where_it_is_there() -> None:
    def row(figures: dict[str, Any]) -> dict[str, Any]:
        return next(row for row in judged(figures) if row["goal"] == ENCODE)

    assert row(report()) == {"goal": ENCODE, "wanted": "≥ 2×", "pure": pytest.approx(8**-0.5), "met": False}
    compiled = row(report(compiled=dict.fromkeys(MAIN, 2.0)))
    assert (compiled["compiled"], compiled["met"]) == (pytest.approx(4), True)


def test_all_goals_are_measured_by_a_whole_report() -> None:
    names = ("write", "read", "encode", "decode")
    directions = {direction: dict.fromkeys(MAIN, 1.0) for direction in names}
    formats = dict.fromkeys(("serialize", "var_export", "json", "jsonu", "xml", "xml plain"), directions)
    peers = ("compiled", "pure", "php", "phpserialize", "orjson", "json", "xmltodict")
    growing = {"compiled": {"xml": {"write": {"8": 1.0, "16": 2.5}, "read": {"8": 1.0, "16": 2.0}}}}
    figures = {
        "times": dict.fromkeys(peers, formats),
        "envelope": dict.fromkeys(("compiled", "pure"), formats),
        "growth": growing,
        "memory": {"peaks": {"orjson": {"jsonu": 10}, "pure": {"serialize": 13, "var_export": 14, "xml": 20}}},
        "import": {"orjson": 20.0, "compiled": 29.0, "pure": 31.0},
        "client": {"build": "compiled", "sync": {"ours": 3.0, "bare": 2.0}, "async": {"ours": 1.0, "bare": 1.0}},
        "builds": ["compiled", "pure"],
        "server": {"caller": "wrk", "answers": {"completion": {"raw": 1000.0, "parsing": 700.0, "gateway": 500.0}}},
    }
    rows = {row["goal"]: row for row in judged(figures)}
    assert len(rows) == len(GOALS)
    assert rows["import envelope over import orjson"]["compiled"] == pytest.approx(9)
    assert rows["growth: encode, time of 2n over n, worst"]["met"] is False
    assert rows["growth: decode, time of 2n over n, worst"]["met"] is True
    assert rows["memory: decode of PHP's formats over orjson.loads"]["pure"] == pytest.approx(1.4)
    assert rows["client: a sync call over bare httpx2"] == {
        "goal": "client: a sync call over bare httpx2", "wanted": "≤ 1.4×", "compiled": 1.5, "met": False
    }  # fmt: skip
    assert rows["EnvelopeApp: calls a second against raw ASGI with the same answer"]["compiled"] == pytest.approx(0.5)
    assert judged({}) == []


def test_the_chart_is_well_formed_and_says_what_the_report_says() -> None:
    root = ET.fromstring(draw(report(compiled=dict.fromkeys(MAIN, 2.0))))
    texts = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts.count("4×") == 2
    assert texts.count("0.35×") == 2
    assert any("R&D <1>" in text for text in texts)


def test_without_php_there_is_no_chart() -> None:
    figures = report()
    del figures["times"]["php"]
    with pytest.raises(ValueError, match="PHP are missing"):
        draw(figures)


def test_the_shapes_of_xmltodict() -> None:
    value = {"a": [1, None], "b": ["x"], "c": {"d": True, "e": ""}}
    plain = xmltodict_tree(value, typed=False)
    assert plain == {"root": {"a": {"item": [1, None]}, "b": {"item": ["x"]}, "c": {"d": True, "e": ""}}}
    assert xmltodict_reading(plain)["root"] == {
        "a": {"item": ["1", None]},
        "b": {"item": "x"},
        "c": {"d": "true", "e": None},
    }
    assert xmltodict_tree([1], typed=True) == {"root": {"@type": "list", "item": [{"@type": "int", "#text": 1}]}}


def test_floats_in_texts_are_compared_as_numbers() -> None:
    assert spelled_alike(["1.5E-5", {"a": "1e25"}, "12", 1.5]) == [str(1.5e-5), {"a": str(1e25)}, "12", 1.5]


def test_every_row_of_wordpress_has_its_value(tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    wordpress.write_csv(source, 600)
    assert cli.run(*wordpress.convert("--csv", source, out)[3:]).exit_code == 0
    assert wordpress.differing_in_csv(out, 600) == 0
    out.write_bytes(out.read_bytes().replace(b"pa_color", b"pa_colour", 1))
    assert wordpress.differing_in_csv(out, 600) == 1
    assert wordpress.differing_in_csv(out, 603) == 4
    columns, made = tmp_path / "in.parquet", tmp_path / "out.parquet"
    wordpress.write_parquet(columns, 600)
    assert cli.run(*wordpress.convert("--parquet", columns, made)[3:]).exit_code == 0
    assert wordpress.differing_in_parquet([made], 600) == 0
    assert wordpress.differing_in_parquet([columns], 600) == 500


@pytest.mark.php
def test_php_makes_the_same_rows_of_wordpress(tmp_path: Path) -> None:
    source, out = tmp_path / "in.csv", tmp_path / "php.csv"
    wordpress.write_csv(source, 600)
    subprocess.run(["php", "-r", wordpress.PHP, "--", str(source), str(out)], check=True)
    assert wordpress.differing_in_csv(out, 600) == 0
