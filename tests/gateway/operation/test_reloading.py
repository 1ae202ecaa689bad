"""SIGHUP: new settings in place. No call is lost, no connection closed, and settings that will not do change nothing."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from envelope.gateway.operation.reloading import reload
from envelope.gateway.vault import Vault
from tests.client.servers import serving as serving_upstream
from tests.gateway.operation.load import TARGET, Load
from tests.gateway.operation.nodes import Slow, node
from tests.gateway.served import KEY, Served, served, wait_until

PRICE = '[[prices]]\ncall = "0.{:06}"'


@pytest.mark.parametrize("workers", [1, 2])
def test_a_reload_under_load_loses_no_call_and_keeps_connections(tmp_path: Path, workers: int) -> None:
    with node(tmp_path, workers=workers, text=PRICE.format(1)) as gateway, Load(gateway.port, 8).running() as load:
        load.more()
        for price in range(2, 7):
            gateway.write(PRICE.format(price))
            gateway.send(signal.SIGHUP)
            wait_until(lambda price=price: {row.charge for row in gateway.records()[:40] if row.code} == {price}, 60)  # type: ignore[misc]
        load.stop()
        assert load.failures == []
        assert {*load.codes} == {"0000"}
        assert len(load.sockets) == 8
        assert len(load.codes) == len(gateway.records())


@pytest.mark.parametrize("workers", [1, 2])
def test_an_upstream_is_added_and_another_preferred(tmp_path: Path, workers: int) -> None:
    with node(tmp_path, workers=workers) as gateway, serving_upstream(Slow().reply) as other:
        assert gateway.call() == "0000"
        text = f'[[upstreams]]\nname = "new"\naddress = "{other.url}"\n[[upstreams]]\nname = "u"\norder = 1\naddress = "{gateway.upstream}"\n'
        (tmp_path / "gateway.toml").write_text(f'log = "none"\n{text}')
        gateway.send(signal.SIGHUP)

        def newest() -> str:
            assert gateway.call() == "0000"
            return gateway.records()[0].upstream

        wait_until(lambda: [newest() for _ in range(8)] == ["new"] * 8, 60)


@pytest.mark.parametrize("workers", [1, 2])
def test_hanging_up_ends_no_process_of_the_gateway(tmp_path: Path, workers: int) -> None:
    """A terminal that closes tells all processes at once, and nobody reads any more what they say."""
    with node(tmp_path, workers=workers, text='apis = ["custom"]') as gateway:
        assert gateway.process is not None
        wait_until(lambda: len(gateway.workers) == (workers if workers > 1 else 0), 60)
        processes = [gateway.process.pid, *gateway.workers]
        for _ in range(20):
            for process in processes:
                os.kill(process, signal.SIGHUP)
            assert gateway.call() == "0000"
        assert [gateway.process.pid, *gateway.workers] == processes


@pytest.mark.parametrize("workers", [1, 2])
def test_calls_are_answered_although_nobody_reads_the_log(tmp_path: Path, workers: int) -> None:
    with node(tmp_path, workers=workers) as gateway:
        file = tmp_path / "gateway.toml"
        file.write_text(file.read_text().replace('"none"', '"json"'))
        gateway.send(signal.SIGHUP)
        gateway.heard('"taken"', workers)
        assert gateway.process is not None
        assert gateway.process.stdout is not None
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, gateway.process.stdout.fileno())
        os.close(null)
        for _ in range(5):
            assert gateway.call() == "0000"


def test_a_worker_that_dies_while_the_file_is_bad_is_tried_again(tmp_path: Path) -> None:
    with node(tmp_path, workers=2) as gateway:
        gateway.serving()
        good = (tmp_path / "gateway.toml").read_text()
        (tmp_path / "gateway.toml").write_text(f'seconds = "{KEY}"\n{good}')
        gateway.send(signal.SIGHUP)
        gateway.heard("$.seconds", 2)
        gateway.kill_one()
        gateway.heard("another is started", 3)
        for _ in range(5):
            assert gateway.call() == "0000"
        (tmp_path / "gateway.toml").write_text(good)
        gateway.serving()
    assert KEY not in "".join(gateway.said)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("reload")) as world:
        yield world


def settings_file(world: Served, text: str) -> Path:
    """A file with the settings of *world*, after *text*."""
    file = world.folder / "gateway.toml"
    upstream = world.settings.upstreams[0]
    assert upstream.key is not None
    own = f'name = "demo"\naddress = "{upstream.address}"\nkey = "{upstream.key.get_secret_value()}"\nrest = 0\n'
    file.write_text(f"{text}\n[[upstreams]]\n{own}")
    return file


def reloaded(world: Served, text: str) -> None:
    assert world.node is not None
    world.run(reload(settings_file(world, text), world.node))


BAD = [
    ("upstreams = [", "$"),
    (f'seconds = "{KEY}"', "$.seconds"),
    ('codes = "none.toml"', "$.codes"),
    ('codes = "bad.toml"', "$.codes"),
    ('key_file = "none.key"', "$.key_file"),
    ('key_file = "other.key"', "$.key_file"),
    ('key_file = "open.key"', "$.key_file"),
]


@pytest.mark.parametrize(("text", "path"), BAD)
def test_settings_that_will_not_do_change_nothing(
    world: Served, text: str, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert world.node is not None
    (world.folder / "bad.toml").write_text('[[overrides]]\ncode = "0001"\n')
    for name, mode in (("other.key", 0o600), ("open.key", 0o644)):
        if not (world.folder / name).exists():
            Vault.make_file(world.folder / name)
        (world.folder / name).chmod(mode)
    before = world.node.current
    reloaded(world, f"receipts = true\n{text}")
    assert world.node.current is before
    assert world.call().code == "0000"
    said = capfd.readouterr().err
    assert f"path={path}" in said
    assert "result=refused" in said
    for value in (KEY, "none.", "bad.toml", "other.key", "open.key", str(world.folder)):
        assert value not in said
    assert not (world.folder / "none.key").exists()


def test_another_store_needs_a_restart(world: Served, capfd: pytest.CaptureFixture[str]) -> None:
    reloaded(world, 'store = "other.db"\nlog = "none"\nreceipts = true')
    assert "path=$.store" in capfd.readouterr().err
    assert "receipt" in world.call().envelope.extras
    assert not (world.folder / "other.db").exists()
    reloaded(world, 'log = "none"')
    assert "receipt" not in world.call().envelope.extras


def test_a_changed_limit_is_taken(world: Served) -> None:
    big = "x" * 5000

    def called() -> str:
        return world.send("POST", TARGET, f'_o_args={{"prompt":"{big}"}}'.encode(), FORM).code

    assert called() == "0000"
    reloaded(world, 'log = "none"\n[limits]\nbody = 1024')
    assert called() == "4003"
    reloaded(world, 'log = "none"')
    assert called() == "0000"


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_what_a_call_uses_is_closed_after_its_end(tmp_path: Path) -> None:
    slow = Slow(None)
    with serving_upstream(slow.reply) as upstream:
        told: dict[str, Any] = {"name": "slow", "address": upstream.url}
        with served(tmp_path, upstreams=[told]) as world:
            assert world.node is not None
            old = world.node.current
            session = old.upstreams._connections._session
            with Load(world.port, 1).running() as load:
                wait_until(lambda: slow.asked == 1)
                file = tmp_path / "gateway.toml"
                file.write_text(
                    f'log = "none"\nreceipts = true\n[[upstreams]]\nname = "slow"\naddress = "{upstream.url}"\n'
                )
                world.run(reload(file, world.node))
                new = world.node.current
                assert new is not old
                world.run(asyncio.sleep(0.3))
                assert not session.closed
                slow.released.set()
                load.more(2)
                wait_until(lambda: session.closed)
            assert {*load.codes} == {"0000"}
            assert not new.upstreams._connections._session.closed


def test_a_job_that_was_begun_is_finished_by_the_settings_of_its_time(tmp_path: Path) -> None:
    slow = Slow(None)
    with (
        serving_upstream(slow.reply) as upstream,
        served(tmp_path, upstreams=[{"name": "slow", "address": upstream.url}]) as world,
    ):
        assert world.node is not None
        job = world.call("images/submit", {"prompt": "x"}).envelope.response["imgid"]
        wait_until(lambda: slow.asked == 1)
        file = tmp_path / "gateway.toml"
        file.write_text('log = "none"\n[[upstreams]]\nname = "none"\naddress = "http://127.0.0.1:9"\n')
        world.run(reload(file, world.node))
        slow.released.set()
        wait_until(lambda: world.call("images/get", {"imgid": job}).envelope.response["status"] == "done")
