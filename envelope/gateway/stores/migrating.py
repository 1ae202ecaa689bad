"""The steps that bring tables up to date, for both kinds; alembic is imported only if there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from envelope.gateway.stores.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

__all__ = ["HEAD", "is_newest", "upgrade"]

HEAD: Final = "0002"
"""The newest step."""

_FOLDER = Path(__file__).parent / "migrations"


def is_newest(found: str) -> bool:
    """Whether tables at the step *found* are the newest; `StoreError` if a newer version of this package made them."""
    if found > HEAD:
        raise StoreError("the store was made by a newer version of this package: upgrade envelope-engine")
    return found == HEAD


def upgrade(begun: Connection, step: str = HEAD) -> None:
    """Run what is missing up to *step* on a connection that is in a transaction."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    from envelope.gateway.stores.tables import METADATA

    script = ScriptDirectory(str(_FOLDER))
    missing: Any = lambda found, _: script._upgrade_revs(step, found)  # noqa: E731
    with EnvironmentContext(Config(), script, fn=missing) as environment:
        environment.configure(connection=begun, target_metadata=METADATA)
        environment.run_migrations()
