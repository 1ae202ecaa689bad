"""Whether a gateway answers as its own OpenAPI document says, asked by schemathesis."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from envelope.gateway.pages import RESERVED
from tests.gateway.served import SECRET, Served, served, wait_until


def check(world: Served, count: int) -> None:
    """So many calls of each operation, right ones and wrong ones: an answer that the document has not is a failure."""
    import hypothesis
    import schemathesis
    from schemathesis.generation import GenerationMode
    from schemathesis.specs.openapi import checks

    wanted = [
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
        checks.response_schema_conformance,
    ]
    schema = schemathesis.openapi.from_url(f"{world.address}/openapi.json")
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # it raises if the document is wrong
        cases = hypothesis.strategies.one_of(*map(operation.as_strategy, GenerationMode))

        @hypothesis.settings(
            max_examples=count, deadline=None, database=None, suppress_health_check=[*hypothesis.HealthCheck]
        )
        @hypothesis.given(case=cases)
        def call(case: Any) -> None:
            hypothesis.assume(
                case.path_parameters["api_type"] not in ("admin", "v1", *RESERVED)
            )  # not these operations
            case.query = {**(case.query or {}), "key": "demo", "secret": SECRET}
            case.call_and_validate(checks=wanted)

        call()
    # Whoever submitted a job was answered before it was done.
    world.jobs = sum(row.method == "images/submit" for row in world.records())
    open = "SELECT 1 FROM job WHERE state IN ('queued', 'running')"
    wait_until(lambda: not world.store.read_now(lambda db: db.execute(open)))


def main() -> None:
    """`python -m tests.gateway.pages.conformity --examples 1000`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=1000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as world:
        check(world, asked.examples)
    print(f"every answer to {asked.examples} calls of each operation is in the document")


if __name__ == "__main__":
    main()
