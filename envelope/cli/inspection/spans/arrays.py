"""What the walks of the two PHP formats share: an open container, and the steps to its members."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envelope.values.php_rules import array_key

if TYPE_CHECKING:
    from envelope.cli.inspection.spans.sink import Steps
    from envelope.path import Link
    from envelope.values.php_types import PhpProperty

__all__ = ["PhpContainer"]


class PhpContainer:
    """An open container; a PHP array counts as a list as long as its keys are 0, 1, 2 …"""

    __slots__ = ("class_name", "has_key", "is_list", "length", "link", "note", "php", "steps")

    def __init__(self, class_name: str = "", link: Link = None, *, php: bool) -> None:
        self.class_name = class_name
        self.link = link
        self.php = php
        self.is_list = not class_name
        self.length = 0
        # For the member whose key was read last.
        self.has_key = False
        self.steps: Steps = ()
        self.note = ""

    @property
    def kind(self) -> str:
        """What kind of value the container is, judging by the members so far."""
        if self.class_name:
            return "object" if self.php else "map"  # the portable domain only allows stdClass
        return "list" if self.is_list else "map"

    def key(self, key: str | bytes | int) -> None:
        """Set the key of an array's next member."""
        self.has_key = True
        if isinstance(key, str):
            key = array_key(key)
        if self.is_list:
            # A repeated key is the same member.
            self.is_list = isinstance(key, int) and 0 <= key <= self.length
            self.length += key == self.length
        self.steps = (key,)

    def property(self, entry: PhpProperty) -> None:
        """Set the property that is an object's next member."""
        self.has_key = True
        is_text = self.class_name.lower() == "stdclass"
        self.steps = (str(entry.name) if is_text and isinstance(entry.name, int) else entry.name,)
        self.note = "" if entry.visibility == "public" else entry.visibility

    def take_key(self) -> tuple[Steps, str]:
        """The steps to the next member, and its visibility."""
        self.has_key = False
        return self.steps, self.note
