"""An address is shown without its password, also one that is not written as it must be."""

from __future__ import annotations

from pathlib import Path

import pytest

from envelope.gateway.stores.addresses import is_postgresql, shown_address


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://u:s3cret@host/db", "postgresql://u:…@host/db"),
        ("postgres://u:s3cret@host:5432/db?sslmode=require", "postgres://u:…@host:5432/db?sslmode=require"),
        ("postgresql://:s3cret@host/db", "postgresql://:…@host/db"),
        ("postgresql://u@host:5432/db", "postgresql://u@host:5432/db"),
        ("postgresql://host:5432/db", "postgresql://host:5432/db"),
        ("postgresql://u:s3@cret@host/db", "postgresql://u:…@host/db"),
        ("postgresql://u:s3/cret@host/db", "postgresql://u:…@host/db"),
        ("postgresql://u:s3?c:r#e\nt@host/db", "postgresql://u:…@host/db"),
        ("postgresql://u@host/db?password=s3cret&x=1", "postgresql://u@host/db?password=…&x=1"),
        ("postgresql:///db?user=u&sslpassword=s3cret", "postgresql:///db?user=u&sslpassword=…"),
        ("/a/folder/u:name@of.db", "/a/folder/u:name@of.db"),
    ],
)
def test_no_password_is_shown(address: str, shown: str) -> None:
    assert is_postgresql(address) == address.startswith("postgres")
    assert shown_address(address) == shown


def test_a_path() -> None:
    assert not is_postgresql(Path("postgresql://u@host/db"))
    assert shown_address(Path("a.db")) == "a.db"
