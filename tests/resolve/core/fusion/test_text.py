# SPDX-License-Identifier: Apache-2.0
"""Fusion's notation is read whole or refused with its line, never run."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import pytest
from flowanchor_resolve.fusion import text as module
from flowanchor_resolve.fusion.text import DEEPEST, Table, parse
from flowanchor_resolve.problems import ResolveProblem
from hypothesis import given
from hypothesis import strategies as st

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("true", "false", "nil", "nan", "inf")
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
leaves = numbers | texts | st.booleans() | st.none()
tables: st.SearchStrategy[Table] = st.deferred(
    lambda: st.builds(
        Table,
        st.just("") | names,
        st.lists(leaves | tables, max_size=4),
        st.dictionaries(names | texts | numbers, leaves | tables, max_size=4),
    )
)


def written(value: Any) -> str:
    """A value in Fusion's notation."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "nil"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    inside = [written(one) for one in value.listed]
    inside += [f"[{written(key)}] = {written(one)}" for key, one in value.named.items()]
    return f"{value.name} {{ {', '.join(inside)} }}"


@given(tables)
def test_a_written_table_is_read_back(table: Table) -> None:
    assert parse(written(table)) == table


def test_a_composition_as_fusion_writes_it() -> None:
    table = parse(
        """-- a comment
        Composition { CurrentTime = 0, Tools = ordered() {
            ["A.b"] = Fuse.Thing_1 {
                Inputs = { X = Input { Value = -1.5e+2, }, [3] = 0x10; [-2.5] = [[long ]text]] } },
            --[[ another
            comment ]] Call("a", 2),
        }, Last = 'single', }"""
    )
    assert (table.name, table.number("CurrentTime"), table.named["Last"]) == ("Composition", 0.0, "single")
    tools = table.table("Tools")
    assert tools is not None
    thing = tools.table("A.b")
    assert thing is not None
    assert thing.name == "Fuse.Thing_1"
    inputs = thing.table("Inputs")
    assert inputs is not None
    assert inputs.named[3.0] == 16.0
    assert inputs.named[-2.5] == "long ]text"
    value = inputs.table("X")
    assert value is not None
    assert value.number("Value") == -150.0
    assert tools.listed == [Table("Call", ["a", 2.0])]


@pytest.mark.parametrize("odd", ["-1.#IND", "1.#INF", "nan", "-nan(ind)", "inf"])
def test_numbers_that_are_none(odd: str) -> None:
    value = parse(f"{{ X = {odd} }}").named["X"]
    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("{", 1),
        ("{\n\n X = }", 3),
        ("{ X = Y }", 1),
        ("{ X 1 }", 1),
        ("{ [nil] = 1 }", 1),
        ("{ [1 = 1 }", 1),
        ("{ [1] 1 }", 1),
        ("{ }\n{ }", 2),
        ("{ @ }", 1),
        ('{ X = "open }', 1),
        ("1", 1),
        ("{" * (DEEPEST + 1), 1),
        ("f(" * (DEEPEST + 200), 1),
        ("f(" * 100_000, 1),
        ("{ a = " + "f(" * 100_000, 1),
    ],
)
def test_what_is_no_composition_is_told_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ResolveProblem) as problem:
        parse(text)
    assert problem.value.code == "fusion-unreadable"
    assert f"in line {line}." in problem.value.message


@given(st.text("{}[]()=,;\"'\\-.# \nabT0", max_size=60))
def test_nothing_else_comes_out_of_it(text: str) -> None:
    with suppress(ResolveProblem):
        assert isinstance(parse(text), Table)


def test_a_long_text_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 10)
    with pytest.raises(ResolveProblem) as problem:
        parse("{" + " " * 10 + "}")
    assert problem.value.code == "fusion-too-large"
