"""Jobs: work that outlasts its call. One worker at a time has a job, and only that one can finish it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from envelope.gateway.stores.store import Transaction

__all__ = ["Job", "JobState", "add_job", "finish_job", "has_job", "job_of", "renew_job", "take_job"]

JobState = Literal["queued", "running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Job:
    """A job of an account, submitted by one of its calls. ``tries`` counts how often it was taken, ``node`` has it now.

    ``args`` and ``result`` are bytes of the caller's own making; ``result`` is None until it is done or failed.
    """

    id: int
    account: int
    call: int
    method: str
    args: bytes = field(repr=False)
    state: JobState
    result: bytes | None = field(repr=False)
    tries: int
    node: str


_FIELDS: Final = "id, account, call, method, args, state, result, tries, node"
_ADD: Final = """
INSERT INTO job (account, call, method, args, state, tries, node, until, at)
VALUES (:account, :call, :method, :args, 'queued', 0, '', :now, :now)
RETURNING id
"""
_FREE: Final = "(state = 'queued' OR (state = 'running' AND until <= :now))"
_ANY: Final = f"SELECT 1 FROM job WHERE {_FREE} LIMIT 1"  # noqa: S608  # constants
# The condition stands twice, for databases in which two transactions may find the same job: one of them then gets none.
_TAKE: Final = f"""
UPDATE job SET state = 'running', tries = tries + 1, node = :node, until = :until
WHERE id = (
  SELECT min(id) FROM job WHERE {_FREE}
) AND {_FREE}
RETURNING {_FIELDS}
"""  # noqa: S608  # constants
_RENEW: Final = """
UPDATE job SET until = :until WHERE id = :job AND state = 'running' AND tries = :tries AND node = :node RETURNING id
"""
_FINISH: Final = """
UPDATE job SET state = :state, result = :result, until = :until
WHERE id = :job AND state = 'running' AND tries = :tries AND node = :node
RETURNING id
"""
_OF: Final = f"SELECT {_FIELDS} FROM job WHERE id = :job AND account = :account"  # noqa: S608


def add_job(db: Transaction, *, account: int, call: int, method: str, args: bytes) -> int:
    """Queue a job; its number."""
    [(number,)] = db.execute(_ADD, account=account, call=call, method=method, args=args, now=db.now)
    return int(number)


def has_job(db: Transaction) -> bool:
    """Whether there is a job that `take_job` would give: to look writes nothing."""
    return bool(db.execute(_ANY, now=db.now))


def take_job(db: Transaction, node: str, seconds: float) -> Job | None:
    """The oldest job that nobody has, now this process's for *seconds*; None if there is none.

    A job that was not finished in its time is anybody's again, and so is one whose process is gone (`recover`).
    """
    until = db.now + round(seconds * 1_000_000)
    while True:
        rows = db.execute(_TAKE, node=node, now=db.now, until=until)
        if rows or not has_job(db):  # another process may have taken the oldest, and left others
            return _job(rows)


def renew_job(db: Transaction, job: Job, seconds: float) -> bool:
    """Keep a job for *seconds* more; False if it is somebody else's by now."""
    until = db.now + round(seconds * 1_000_000)
    return bool(db.execute(_RENEW, job=job.id, tries=job.tries, node=job.node, until=until))


def finish_job(
    db: Transaction, job: Job, state: Literal["done", "failed"], result: bytes, *, keep: float = 86_400.0
) -> bool:
    """End a job, and keep its result for *keep* seconds; False, and nothing changes, if it is somebody else's."""
    until = db.now + round(keep * 1_000_000)
    return bool(
        db.execute(_FINISH, job=job.id, tries=job.tries, node=job.node, state=state, result=result, until=until)
    )


def job_of(db: Transaction, account: int, job: int) -> Job | None:
    """The account's own job of that number; None if there is none, or it is another's."""
    return _job(db.execute(_OF, job=job, account=account))


def _job(rows: list[tuple[Any, ...]]) -> Job | None:
    return Job(*rows[0]) if rows else None
