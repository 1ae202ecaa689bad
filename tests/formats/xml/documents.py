"""Random XML as others write it, from a seed: comments, processing instructions, CDATA, attributes, namespaces."""

from __future__ import annotations

from random import Random

__all__ = ["random_document"]

NAMES = ("a", "b", "item", "名", "entry-1")
TEXTS = ("", " ", "\n\t", "t", "0", "é😀", "&amp;&lt;", "&#13;", " x ", "]]&gt;", "1.0", "true")
CDATA = ("", " ", "x", "<b>&amp;</b>", "<!-- no comment -->", "<?no?>", "]]]", "xmlns:p='u'")
PASSED = (
    "<!---->",
    "<!-- <a> & ' \" -->",
    "<!--x='1'-->",
    "<!-- <!DOCTYPE r> -->",
    "<?p?>",
    "<?xml-stylesheet href='a.xsl'?>",
    '<?p <a x="1"> & > ?>',
    "<?php echo 1; ?>",
)
VALUES = ("", "1", " a  b ", "é", "&amp;&quot;", "&#10;", "<".replace("<", "&lt;"), "x:y")


class _Writer:
    def __init__(self, rng: Random, *, prefixes: bool) -> None:
        self.rng = rng
        self.prefixes = prefixes

    def name(self, names: tuple[str, ...]) -> str:
        prefix = self.rng.choice(("", "", "", "p:", "q:"))
        return (prefix if self.prefixes else "") + self.rng.choice(names)

    def passed(self, *, inside: bool = True) -> str:
        rng = self.rng
        found = [rng.choice(PASSED if inside else PASSED[:-1]) for _ in range(rng.choice((0, 0, 0, 1, 2)))]
        return "".join(rng.choice(("", " ", "\n")) + one for one in found)

    def attributes(self) -> str:
        rng = self.rng
        # The local names differ, so that no two are the same without prefixes.
        names = ["x", "key", "type", "p:y", "q:z", "xml:lang", "id"]
        chosen = rng.sample(names, k=rng.choice((0, 0, 0, 1, 1, 2, 7)))
        texts = []
        for name in chosen:
            shown = name if self.prefixes else name.partition(":")[2] or name
            quote = rng.choice("\"'")
            texts.append(f"{rng.choice((' ', chr(10)))}{shown}={quote}{rng.choice(VALUES)}{quote}")
        return "".join(texts)

    def text(self) -> str:
        rng = self.rng
        pieces = []
        for _ in range(rng.choice((0, 1, 1, 2, 4))):
            pieces.append(rng.choice((rng.choice(TEXTS), f"<![CDATA[{rng.choice(CDATA)}]]>")))
            pieces.append(self.passed())
        return "".join(pieces)

    def element(self, name: str, attributes: str, depth: int) -> str:
        rng = self.rng
        if rng.random() < 0.1:
            return f"<{name}{attributes}{rng.choice(('', ' '))}/>"
        if not depth or rng.random() < 0.4:
            return f"<{name}{attributes}>{self.text()}</{name}>"
        content = []
        names = rng.choice((("a",), ("item",), NAMES))
        for _ in range(rng.choice((1, 1, 2, 3, 5))):
            content += [self.passed(), rng.choice(("", "\n  "))]
            content.append(self.element(self.name(names), self.attributes(), depth - 1))
        return f"<{name}{attributes}>{''.join(content)}{self.passed()}{rng.choice(('', ' '))}</{name}>"

    def document(self) -> str:
        rng = self.rng
        head = rng.choice(("", '<?xml version="1.0" encoding="UTF-8"?>\n', "\ufeff<?xml version='1.0'?>"))
        # A default namespace changes no name.
        declared = [rng.choice(("", " xmlns='urn:d'")), " xmlns:p='urn:p'"]
        root = self.element("r", (("".join(declared)) if self.prefixes else "") + self.attributes(), 4)
        return head + self.passed(inside=False) + root + self.passed() + rng.choice(("", "\n"))


def random_document(seed: int, *, prefixes: bool = True) -> bytes:
    """The document of this *seed*; without *prefixes*, it is the same one without its namespaces."""
    return _Writer(Random(seed), prefixes=prefixes).document().encode()
