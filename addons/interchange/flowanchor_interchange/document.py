# SPDX-License-Identifier: Apache-2.0
"""XML as timelines use it: read within bounds, and changed by insertion alone.

A parsed element knows where it lies in the file's bytes. What is added is cut into these bytes, so that all
the rest of a document (effects, identifiers, comments, the order of attributes) stays as it was to the byte.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from flowanchor_interchange.problems import TimelineProblem

MAX_BYTES = 128 << 20
MAX_DEPTH = 200
MAX_ELEMENTS = 2_000_000

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(eq=False, slots=True)
class Node:
    """An element. `begin` and `end` are its first byte and the one after its last; `inside` is the byte after
    its opening tag, `close` the first of its closing tag. Both are `end` if it is written `<like-this/>`."""

    tag: str
    attributes: dict[str, str]
    begin: int
    inside: int = 0
    close: int = 0
    end: int = 0
    text: str = ""
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)

    def get(self, name: str, default: str = "") -> str:
        """An attribute's value."""
        return self.attributes.get(name, default)

    def child(self, path: str) -> Node | None:
        """The first element at a path such as "media/video"."""
        node: Node | None = self
        for tag in path.split("/"):
            node = next((one for one in node.children if one.tag == tag), None) if node else None
        return node

    def all(self, tag: str) -> list[Node]:
        """Children of a tag."""
        return [one for one in self.children if one.tag == tag]

    def value(self, path: str, default: str = "") -> str:
        """Text of the first element at a path, without the space around it."""
        found = self.child(path)
        return default if found is None else found.text.strip()

    def walk(self) -> Iterator[Node]:
        """This element and all below it, in the order of the document."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


def parse(data: bytes) -> Node:
    """The root element of a document.

    Raises:
        TimelineProblem: not XML, too large, nested too deeply, declares entities, or is not of an encoding
            that has ASCII in it.
    """
    check_size(data)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:64]:
        raise _unreadable("it is in UTF-16")
    return _Builder(data).root()


def check_size(data: bytes) -> None:
    """Raise TimelineProblem for more bytes than are read."""
    if len(data) > MAX_BYTES:
        raise TimelineProblem(
            "timeline-too-large",
            f"The timeline has more than {MAX_BYTES >> 20} MB.",
            "Export only the sequence with the clip.",
        )


def _unreadable(why: str) -> TimelineProblem:
    return TimelineProblem(
        "timeline-unreadable",
        f"The timeline cannot be read: {why}.",
        "Export it again, in UTF-8.",
    )


class _Builder:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._root: Node | None = None
        self._open: list[Node] = []
        self._texts: list[list[str]] = []
        self._count = 0
        parser = self._parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._entity
        parser.SkippedEntityHandler = self._skipped
        parser.buffer_text = False

    def root(self) -> Node:
        try:
            self._parser.Parse(self._data, True)
        except expat.ExpatError as failure:
            raise _unreadable(f"line {failure.lineno} is no XML") from failure
        except (LookupError, ValueError) as failure:
            raise _unreadable("its encoding is not known") from failure
        if self._root is None:
            raise _unreadable("it is empty")
        return self._root

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS or len(self._open) >= MAX_DEPTH:
            raise TimelineProblem(
                "timeline-too-large",
                "The timeline has too many elements, or too many within each other.",
                "Export only the sequence with the clip.",
            )
        begin = self._parser.CurrentByteIndex
        node = Node(tag, attributes, begin, parent=self._open[-1] if self._open else None)
        node.inside = self._tag_end(begin)
        if node.parent is None:
            self._root = node
        else:
            node.parent.children.append(node)
        self._open.append(node)
        self._texts.append([])

    def _tag_end(self, begin: int) -> int:
        # Quoted values may hold a ">".
        place = re.compile(rb"""[^"'>]*(?:"[^"]*"[^"'>]*|'[^']*'[^"'>]*)*>""").match(self._data, begin)
        if place is None:
            raise _unreadable(f"byte {begin} begins no tag")
        return place.end()

    def _end(self, tag: str) -> None:
        node = self._open.pop()
        node.text = "".join(self._texts.pop())
        if self._data[node.inside - 2 : node.inside] == b"/>":
            node.close = node.end = node.inside
        else:
            node.close = self._parser.CurrentByteIndex
            node.end = self._data.index(b">", node.close) + 1

    def _text(self, text: str) -> None:
        if self._texts:
            self._texts[-1].append(text)

    def _entity(self, name: str, *rest: object) -> None:
        raise TimelineProblem(
            "timeline-unsafe",
            f"The timeline declares an entity, '{name[:40]}', which no editing program does.",
            "Export it again from your editing program.",
        )

    def _skipped(self, name: str, is_parameter: bool) -> None:
        raise _unreadable(f"it uses '{name[:40]}' without saying what that is")


@dataclass(frozen=True)
class Splice:
    """Bytes `begin` to `end` of a document become `text`; nothing is removed where the two are the same."""

    begin: int
    end: int
    text: bytes


def spliced(data: bytes, splices: list[Splice]) -> bytes:
    """The document with all splices made; those at the same place keep their order."""
    parts, cursor = [], 0
    for splice in sorted(splices, key=lambda one: one.begin):
        parts += [data[cursor : splice.begin], splice.text]
        cursor = splice.end
    return b"".join([*parts, data[cursor:]])


def appended(data: bytes, parent: Node, *elements: ElementTree.Element) -> Splice:
    """Put elements behind all that an element holds."""
    return placed(data, parent, None, *elements)


def placed(data: bytes, parent: Node, before: Node | None, *elements: ElementTree.Element) -> Splice:
    """Put elements into `parent`, before one of its children or behind all of them.

    They are indented as their new siblings are. An element written `<like-this/>` is opened for them.
    """
    outer = _indent(data, parent.begin)
    inner = _indent(data, parent.children[0].begin) if parent.children else outer + b"  "
    text = b"".join(b"\n" + inner + source(one, inner.decode("ascii", "replace")) for one in elements)
    if parent.close == parent.end:
        tag = data[parent.begin + 1 : parent.inside].split(b"/>")[0].split(None, 1)[0]
        return Splice(parent.end - 2, parent.end, b">" + text + b"\n" + outer + b"</" + tag + b">")
    at = parent.close if before is None else before.begin
    at -= len(data[:at]) - len(data[:at].rstrip())  # before the line's own indentation
    if before is None and not parent.children:
        return Splice(at, at, text + (b"" if data[at : parent.close] else b"\n" + outer))
    return Splice(at, at, text)


def _indent(data: bytes, begin: int) -> bytes:
    line = data[data.rfind(b"\n", 0, begin) + 1 : begin]
    return line if not line.strip() else b""


def source(element: ElementTree.Element, indent: str = "") -> bytes:
    """An element's text in ASCII (other letters as references), its lines after the first one indented."""
    ElementTree.indent(element, "  ")
    text: bytes = ElementTree.tostring(element, encoding="us-ascii")
    return text.strip().replace(b"\n", b"\n" + indent.encode("ascii"))


def make(
    tag: str, text: object = None, /, *children: ElementTree.Element, **attributes: object
) -> ElementTree.Element:
    """A new element. Letters that XML cannot hold are left out; a trailing underscore of an attribute's name,
    needed where Python has a word of its own, too."""
    element = ElementTree.Element(tag, {name.rstrip("_"): clean(value) for name, value in attributes.items()})
    if text is not None:
        element.text = clean(text)
    element.extend(children)
    return element


def clean(value: object) -> str:
    """As text without what XML cannot hold."""
    return _NOT_IN_XML.sub("", str(value))


def unused(data: bytes, name: str) -> str:
    """`name`, or with a number behind it, so that it occurs nowhere in a document yet."""
    number, found = 1, name
    while found.encode() in data:
        number += 1
        found = f"{name}-{number}"
    return found
