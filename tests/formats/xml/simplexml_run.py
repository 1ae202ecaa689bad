"""XML of other hands against SimpleXML: `python -m tests.formats.xml.simplexml_run --count 5000 --seed 1`.

Random documents are read by PHP's SimpleXML, and by us with ``lists="repeated"``; what `json_encode` shows of the one
must be the other, but for what `docs/how-to/plain-xml.md` says:

- SimpleXML shows comments and processing instructions as members, and loses text behind one: PHP's DOM drops them first;
- it has `{}` where an element is empty or white space, we have the text;
- it hides what is in a declared namespace with a prefix, and the attributes of an element with text (but the root's).
"""

from __future__ import annotations

import json
from typing import Any

import envelope
from envelope.testing.php import Php
from tests.formats.xml.documents import random_document
from tests.php_comparison import comparison

COUNT_IN_TESTS = 500
BATCH = 250
WHITE = " \t\r\n"


def compare(php: Php, seed: int, count: int) -> list[str]:
    """The differences between SimpleXML and us over *count* random documents, one line each."""
    found: list[str] = []
    for start in range(0, count, BATCH):
        documents = [random_document(seed * count + start + n) for n in range(min(BATCH, count - start))]
        for document, answer in zip(documents, php.ask("simplexml json", documents), strict=True):
            shown = None if answer is None else json.loads(answer)
            for attributes in ("keep", "drop"):
                value = envelope.loads(
                    document,
                    "xml",
                    dialect="plain",
                    lists="repeated",
                    attributes=attributes,
                    namespaces="keep",
                )
                ours, expected = as_simplexml(value, root=True), shown if attributes == "keep" else bare(shown)
                if json.dumps(ours) != json.dumps(expected):  # members are in order, too
                    found.append(f"{document!r}, attributes={attributes}: SimpleXML has {expected!r}, this {ours!r}")
    return found


def as_simplexml(value: Any, *, root: bool = False) -> Any:
    """Our *value* of an element as SimpleXML shows it."""
    if isinstance(value, str):
        value = {"0": value}
    members = {name: member for name, member in value.items() if not is_hidden(name)}
    text = members.pop("0", "")  # no element has such a name
    attributes = members.pop("@attributes", {})
    attributes = {name: text for name, text in attributes.items() if not is_hidden(name)}
    shown: dict[str, Any] = {"@attributes": attributes} if attributes else {}
    if text.strip(WHITE):
        return {**shown, "0": text} if root else text
    for name, member in members.items():
        many = isinstance(member, list)
        shown[name] = [as_simplexml(one) for one in member] if many else as_simplexml(member)
    return shown


def is_hidden(name: str) -> bool:
    """Whether a name has a prefix that the document declares; ``xml`` always is."""
    return name.startswith(("p:", "xml:"))


def bare(shown: Any) -> Any:
    """What SimpleXML shows, without attributes."""
    if isinstance(shown, list):
        return [bare(member) for member in shown]
    if isinstance(shown, dict):
        return {name: bare(member) for name, member in shown.items() if name != "@attributes"}
    return shown


main = comparison(compare, "documents", count=5000)


if __name__ == "__main__":
    main()
