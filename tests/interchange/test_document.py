# SPDX-License-Identifier: Apache-2.0
"""Reading XML within bounds, and changing it by insertion alone."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from flowanchor_interchange import document
from flowanchor_interchange.document import Node, appended, make, parse, placed, source, spliced
from flowanchor_interchange.problems import TimelineProblem
from hypothesis import given
from hypothesis import strategies as st

LAUGHS = b"""<!DOCTYPE xmeml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><xmeml>&b;</xmeml>"""
OUTSIDE = b"""<!DOCTYPE xmeml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xmeml>&a;</xmeml>"""
PARAMETER = b"""<!DOCTYPE xmeml [<!ENTITY % a SYSTEM "http://127.0.0.1:9/x.dtd"> %a;]><xmeml/>"""
UNDECLARED = b"""<!DOCTYPE xmeml SYSTEM "http://127.0.0.1:9/x.dtd"><xmeml>&a;</xmeml>"""


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (LAUGHS, "timeline-unsafe"),
        (OUTSIDE, "timeline-unsafe"),
        (PARAMETER, "timeline-unsafe"),
        (UNDECLARED, "timeline-unreadable"),
        (b"<a><b></a>", "timeline-unreadable"),
        (b"<a/><b/>", "timeline-unreadable"),
        (b"", "timeline-unreadable"),
        ("<a/>".encode("utf-16"), "timeline-unreadable"),
        ("<a/>".encode("utf-16-le"), "timeline-unreadable"),
        (b"<a>" * 300 + b"</a>" * 300, "timeline-too-large"),
    ],
)
def test_what_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(TimelineProblem) as failure:
        parse(data)
    assert failure.value.code == code


def test_limits_on_size_and_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_BYTES", 20)
    parse(b"<a>" + b"x" * 10 + b"</a>")
    with pytest.raises(TimelineProblem):
        parse(b"<a>" + b"x" * 20 + b"</a>")
    monkeypatch.setattr(document, "MAX_BYTES", 1000)
    monkeypatch.setattr(document, "MAX_ELEMENTS", 5)
    parse(b"<a>" + b"<b/>" * 4 + b"</a>")
    with pytest.raises(TimelineProblem):
        parse(b"<a>" + b"<b/>" * 5 + b"</a>")


def test_a_document_type_without_entities_is_read() -> None:
    assert parse(b'<!DOCTYPE fcpxml SYSTEM "x.dtd">\n<fcpxml version="1.9"/>').get("version") == "1.9"


names = st.sampled_from(["a", "track", "asset-clip", "x.y"])
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)


def element(depth: int) -> st.SearchStrategy[ElementTree.Element]:
    inner = st.just([]) if depth == 0 else st.lists(element(depth - 1), max_size=3)

    def build(
        tag: str, attributes: dict[str, str], text: str, children: list[ElementTree.Element]
    ) -> ElementTree.Element:
        made = ElementTree.Element(tag, attributes)
        made.text = text
        made.extend(children)
        return made

    return st.builds(build, names, st.dictionaries(st.sampled_from(["id", "b"]), texts), texts, inner)


@given(
    element(3),
    st.booleans(),
    st.sampled_from([b"", b"\xef\xbb\xbf", b'<?xml version="1.0"?>\n<!-- > " -->\n']),
)
def test_elements_know_their_place(tree: ElementTree.Element, short: bool, head: bytes) -> None:
    data = head + ElementTree.tostring(tree, encoding="utf-8", short_empty_elements=short)
    for node in parse(data).walk():
        again = parse(data[node.begin : node.end])
        assert (again.tag, again.attributes, again.text) == (node.tag, node.attributes, node.text)
        assert len(again.children) == len(node.children)
        assert data[node.begin : node.inside].endswith(b">")
        assert data[node.close : node.end] in (b"", f"</{node.tag}>".encode())


@given(element(2), st.data())
def test_what_is_put_in_is_the_only_change(tree: ElementTree.Element, data: st.DataObject) -> None:
    text = ElementTree.tostring(tree, encoding="utf-8")
    root = parse(text)
    nodes = list(root.walk())
    host = data.draw(st.sampled_from(nodes))
    before = data.draw(st.sampled_from([None, *host.children]))
    new = make("new", "ä < & \u0007 \U0001f3ac", make("inner"), id="n")
    changed = spliced(text, [placed(text, host, before, new)])
    again = parse(changed)
    made = [node for node in again.walk() if node.tag == "new"]
    assert [(node.get("id"), node.text.strip()) for node in made] == [("n", "ä < &  \U0001f3ac")]
    (found,) = made
    assert found.parent is not None
    index = found.parent.children.index(found)
    where = len(host.children) if before is None else host.children.index(before)
    assert (found.parent.tag, index) == (host.tag, where)
    found.parent.children.remove(found)
    assert shape(again) == shape(root)


def shape(node: Node) -> object:
    return node.tag, node.attributes, node.text.strip(), [shape(child) for child in node.children]


def test_new_lines_are_indented_as_their_neighbours() -> None:
    text = b"<a>\n  <b>\n    <c/>\n  </b>\n  <d x='>/>'/>\n</a>\n"
    root = parse(text)
    new = make("new", None, make("inner", 1))
    assert spliced(text, [appended(text, root.children[0], new)]) == (
        b"<a>\n  <b>\n    <c/>\n    <new>\n      <inner>1</inner>\n    </new>\n  </b>\n  <d x='>/>'/>\n</a>\n"
    )
    assert spliced(text, [appended(text, root.children[1], make("n"))]) == (
        b"<a>\n  <b>\n    <c/>\n  </b>\n  <d x='>/>'>\n    <n />\n  </d>\n</a>\n"
    )
    assert spliced(text, [placed(text, root, root.children[0], make("n"))]) == (
        b"<a>\n  <n />\n  <b>\n    <c/>\n  </b>\n  <d x='>/>'/>\n</a>\n"
    )


def test_new_text_is_ascii_so_that_any_encoding_takes_it() -> None:
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe4</a>'.encode("latin-1")
    changed = spliced(latin, [appended(latin, parse(latin), make("n", "ö漢"))])
    assert ElementTree.fromstring(changed).findtext("n") == "ö漢"
    assert source(make("n", "ö", x="漢")).isascii()
