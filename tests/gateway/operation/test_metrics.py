"""/metrics: what is counted, over all workers, and who may see it."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envelope.gateway.operation import glances
from envelope.gateway.stores import StoreUnavailable
from tests.documents import text_of
from tests.gateway.operation.nodes import node
from tests.gateway.operation.scraped import Scraped
from tests.gateway.served import KEY, SECRET, Served, served, wait_until

TOKEN = "a-token-of-the-operator"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(glances, "_FRESH", 0.0)
    with served(tmp_path, metrics="open") as world:
        yield world


def scraped(world: Served) -> Scraped:
    got = world.send("GET", "/metrics")
    assert got.status == 200
    assert got.headers["content-type"].startswith("text/plain; version=0.0.4")
    return Scraped(got.body)


def everything(world: Served) -> None:
    """Calls of each kind, so that each metric has something to say."""
    world.call()
    world.call(cache="yes")
    world.call(cache="yes")
    for _ in range(2):
        world.call(idempotency_key="k")
    world.call(secret="wrong")
    world.call(args={"prompt": "x", "model": "fault-503"})
    world.call("images/submit", {"prompt": "x"})
    world.jobs = 1
    wait_until(lambda: scraped(world).value("unfinished_jobs") == 0)
    write = world.gateway._store.write

    async def fails(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("locked")

    world.gateway._store.write = fails  # type: ignore[method-assign]
    assert world.call().code == "4000"
    world.gateway._store.write = write  # type: ignore[method-assign]
    assert world.node is not None
    world.gateway._log.closed(1, "4017")


def test_the_books_and_the_metrics_agree(world: Served) -> None:
    everything(world)
    told = scraped(world)
    records = world.records()
    seen = Counter((row.api_name, row.method, str(row.code), str(row.billing)) for row in records)
    for (api, method, code, billing), count in seen.items():
        assert told.value("calls_total", api=api, method=method, code=code, billing=billing) == count
    assert told.value("calls_total") == told.value("call_seconds_count") == len(records)
    assert told.value("call_own_seconds_count") == len(records)
    assert told.value("call_own_seconds_sum") < told.value("call_seconds_sum")
    assert told.value("charged_microunits_total") == sum(row.charge for row in records)
    uncached = [row for row in records if not row.is_cached]
    assert told.value("tokens_total", kind="prompt") == sum(row.prompt_tokens for row in uncached)
    assert told.value("tokens_total", kind="completion") == sum(row.completion_tokens for row in uncached)
    assert told.value("repeats_total") == told.value("refused_calls_total", code="4005") == 1
    assert told.value("unanswered_calls_total", code="4000") == told.value("store_failures_total") == 1
    assert told.value("upstream_attempts_total", outcome="status") == 1
    assert told.value("faults_total") == 0
    assert (
        told.value("upstream_attempts_total")
        == told.value("upstream_attempt_seconds_count")
        == len(world.upstream.served)
    )


def test_no_label_holds_what_a_caller_chose(world: Served) -> None:
    for number in range(5):
        world.call(f"v1/mine-{number}", path=f"/type-{number}/custom/")
        world.call(path=f"/openai/api-{number}/")
        world.call(f"no\n{number}")
    told = scraped(world)
    assert told.value("calls_total", method="other") == 5
    assert told.value("refused_calls_total", code="4010") == 10
    text = world.send("GET", "/metrics").body
    for chosen in (b"mine", b"type-", b"api-", SECRET.encode(), KEY.encode(), b"127.0.0.1"):
        assert chosen not in text


def test_what_is_open_is_seen(world: Served) -> None:
    from tests.gateway.test_background import open_call

    open_call(world, node=world.gateway._store.node)
    told = scraped(world)
    assert (told.value("open_calls"), told.value("held_microunits"), told.value("store_up")) == (1, 5000, 1)
    world.close_lost()
    assert scraped(world).value("held_microunits") == 0


def test_a_store_that_cannot_be_read_is_told(world: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Any) -> Any:
        raise StoreUnavailable("locked")

    with monkeypatch.context() as patch:
        patch.setattr(world.gateway._store, "read_now", fails)
        told = scraped(world)
        assert told.value("store_up") == 0
        assert "envelope_gateway_open_calls" not in told.samples
    assert scraped(world).value("store_up") == 1


def test_an_upstream_that_rests(tmp_path: Path) -> None:
    gone = [{"name": name, "address": "http://127.0.0.1:9", "order": order} for order, name in enumerate(("a", "b"))]
    with served(tmp_path, upstreams=gone, metrics="open") as world:
        assert scraped(world).samples["envelope_gateway_upstream_resting"] == {
            (("upstream", "a"),): 0, (("upstream", "b"),): 0
        }  # fmt: skip
        world.call()
        told = scraped(world)
        assert told.value("upstream_resting", upstream="a") == told.value("upstream_resting", upstream="b") == 1


@pytest.mark.parametrize(
    ("settings", "header", "status"),
    [
        ({"metrics": "open"}, None, 200),
        ({}, None, 404),
        ({}, f"Bearer {TOKEN}", 404),
        ({"admin_token": TOKEN}, None, 401),
        ({"admin_token": TOKEN}, f"Bearer {TOKEN}x", 401),
        ({"admin_token": TOKEN}, f"Basic {TOKEN}", 401),
        ({"admin_token": TOKEN}, "Bearer \xe9", 401),
        ({"admin_token": TOKEN}, f"Bearer {TOKEN}", 200),
        ({"admin_token": TOKEN}, f"bearer  {TOKEN}", 200),
    ],
)
def test_who_may_see_them(tmp_path: Path, settings: dict[str, Any], header: str | None, status: int) -> None:
    with served(tmp_path, **settings) as world:
        for verb in ("GET", "HEAD"):
            got = world.send(verb, "/metrics", headers={} if header is None else {"Authorization": header})
            assert got.status == status
            assert ("www-authenticate" in got.headers) == (status == 401)
            assert TOKEN.encode() not in got.body
            assert (b"admin_token in gateway.toml" in got.body) == (status == 404 and verb == "GET")


def test_several_workers_are_counted_together_whoever_is_asked(tmp_path: Path) -> None:
    with node(tmp_path, workers=2, text='metrics = "open"\n[[prices]]\ncall = "0.001"') as gateway:

        def now() -> Scraped:
            return Scraped(gateway.page("/metrics").body)

        gateway.serving()
        calls = len(gateway.records())
        for _ in range(6):  # each time another worker may answer
            told = now()
            assert told.value("calls_total") == told.value("call_seconds_count") == calls
            assert told.value("charged_microunits_total") == calls * 1000
            assert [*told.samples["envelope_gateway_upstream_resting"].values()] == [0]
        gateway.kill_one()
        gateway.heard("another is started")
        gateway.serving()
        wait_until(lambda: now().value("calls_total") == len(gateway.records()))
        [folder] = folders_of_metrics(gateway.workers[0])
        assert folder.is_dir()
        assert folder.stat().st_mode & 0o777 == 0o700
        gateway.send(signal.SIGTERM)
        assert gateway.ended() == 0
        assert not folder.exists()


def folders_of_metrics(process: int) -> set[Path]:
    """Where a process has the files of its metrics."""
    maps = Path(f"/proc/{process}/maps").read_text()
    return {Path(line.split()[-1]).parent for line in maps.splitlines() if "/envelope-gateway-" in line}


def test_the_environment_of_others_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "none"))
    with node(tmp_path, text='metrics = "open"') as gateway:
        assert gateway.call() == "0000"
        assert Scraped(gateway.page("/metrics").body).value("calls_total") == 1


NAME = re.compile(r"envelope_gateway_\w+")


def test_names_and_texts(world: Served) -> None:
    everything(world)
    told = scraped(world)
    for name, family in told.families.items():
        assert name.startswith("envelope_gateway_")
        assert re.fullmatch(r"[A-Z0-9].*[^.]\.", family.documentation), name
        if family.type == "histogram":
            assert name.endswith("_seconds")
        assert not any(sample.name.endswith("_created") for sample in family.samples)


def test_the_document_has_every_metric(world: Served) -> None:
    everything(world)
    told = scraped(world)
    text = text_of("gateway-metrics.md")
    rows = dict(re.findall(r"^\| `(envelope_gateway_\w+)` \|([^|]*)\|", text, re.MULTILINE))
    families = {name + "_total" * (family.type == "counter"): family for name, family in told.families.items()}
    assert rows.keys() == families.keys()
    for name, labels in rows.items():
        sample = name + "_count" * (families[name].type == "histogram")
        assert set(re.findall(r"`(\w+)`", labels)) == told.labels(sample), name
    assert {*NAME.findall(text)} <= {*told.samples, *rows}


def test_the_dashboard_asks_for_metrics_that_there_are(world: Served) -> None:
    everything(world)
    told = scraped(world)
    dashboard = json.loads(text_of("gateway-dashboard.json"))
    source = {"type": "prometheus", "uid": "${datasource}"}
    asked = [(panel, target) for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert len(asked) > 10
    assert {variable["type"] for variable in dashboard["templating"]["list"]} == {"datasource"}
    for panel, target in asked:
        assert panel["datasource"] == source
        expression = target["expr"]
        names = NAME.findall(expression)
        assert names, expression
        labels = set.union(*(told.labels(name) for name in names)) | {"instance"}  # which Prometheus adds
        used = re.findall(r"by \(([^)]*)\)", expression) + re.findall(r"\{([^}]*)\}", expression)
        for word in re.findall(r"[a-z]+", " ".join(re.sub(r'"[^"]*"', "", part) for part in used)):
            assert word in labels, expression
        for word in re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")):
            assert word in " ".join(used), expression
    shown = {name for _, target in asked for name in NAME.findall(target["expr"])}
    for needed in ("calls_total", "call_seconds_bucket", "call_own_seconds_bucket", "charged_microunits_total", "held_microunits",
                   "upstream_resting", "upstream_attempts_total", "store_failures_total"):  # fmt: skip
        assert f"envelope_gateway_{needed}" in shown
