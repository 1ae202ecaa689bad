"""Secrets at rest: sealed, opened, resealed under new keys; nothing of them in errors."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envelope.gateway.vault import Vault, VaultError

OLD, NEW = Vault.new_key(), Vault.new_key()


@given(st.text())
def test_what_is_sealed_can_be_opened_with_its_key_alone(secret: str) -> None:
    sealed = Vault([OLD]).seal(secret)
    assert sealed.isascii()
    assert Vault([OLD]).open(sealed) == Vault([NEW, OLD]).open(sealed) == secret
    with pytest.raises(VaultError, match="cannot be opened"):
        Vault([NEW]).open(sealed)
    with pytest.raises(VaultError):
        Vault([OLD]).open(sealed[:-5] + "AAAA=")


def test_keys_are_changed() -> None:
    sealed = Vault([OLD]).seal("secret")
    resealed = Vault([NEW, OLD]).reseal(sealed)
    assert Vault([NEW]).open(resealed) == "secret"
    with pytest.raises(VaultError):
        Vault([NEW]).reseal(sealed)


def test_a_key_for_another_purpose_is_that_of_what_was_sealed() -> None:
    """So it is the same for all who can open that, and changes with the seal alone."""
    before, after = Vault([OLD]), Vault([NEW, OLD])
    sealed = before.seal("secret")
    assert before.derive("a", sealed) == after.derive("a", sealed) == before.derive("a", before.seal("other"))
    assert before.derive("a", sealed) != before.derive("b", sealed)
    resealed = after.reseal(sealed)
    assert after.derive("a", resealed) == Vault([NEW]).derive("a", resealed) != after.derive("a", sealed)
    assert after.derive_all("a") == (after.derive("a", resealed), before.derive("a", sealed))
    assert (after.is_newest(sealed), after.is_newest(resealed)) == (False, True)
    with pytest.raises(VaultError, match="cannot be opened"):
        before.derive("a", resealed)


@pytest.mark.parametrize("keys", [[], ["short"], ["ключ"], [OLD[:-2]]])
def test_what_is_no_key(keys: list[str]) -> None:
    with pytest.raises(VaultError) as caught:
        Vault(keys)
    assert not any(key in str(caught.value) for key in keys)


def test_a_key_file_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    sealed = Vault.make_file(path).seal("secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Vault.from_file(path).open(sealed) == "secret"
    with pytest.raises(VaultError, match="cannot be made"):
        Vault.make_file(path)
    path.write_text(f"{NEW}\n{path.read_text()}")
    assert Vault.from_file(path).open(sealed) == "secret"
    for mode in (0o640, 0o604):
        path.chmod(mode)
        with pytest.raises(VaultError, match="chmod 600"):
            Vault.from_file(path)


@pytest.mark.parametrize("content", [b"", b"\xff", b"no key"])
def test_a_key_file_that_holds_no_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(VaultError):
        Vault.from_file(path)
    with pytest.raises(VaultError, match="cannot be read"):
        Vault.from_file(tmp_path / "missing")


def test_nothing_is_shown() -> None:
    assert OLD not in repr(Vault([OLD]))
