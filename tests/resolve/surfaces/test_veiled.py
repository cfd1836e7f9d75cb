# SPDX-License-Identifier: Apache-2.0
"""What of a string stays in a recording."""

from __future__ import annotations

import re

import pytest
from flowanchor_resolve import veiled
from flowanchor_resolve.veiled import Veil
from hypothesis import given
from hypothesis import strategies as st

WORDS = [
    "edit",
    "24",
    "23.976",
    "29.97 DF",
    "01:00:00:00",
    "mov",
    "ProRes4444",
    "FlowAnchor",
    "FA MASK",
    "20.0.1b2",
]
PRIVATE = [
    "Muellers Hochzeit",
    "a red car on a street",
    "C0001",
    "4711470815",
    "Ä",
    "Nr. 5 lebt",
    "0612345678",
]


@pytest.mark.parametrize("text", WORDS)
def test_the_interfaces_own_words_stay(text: str) -> None:
    assert Veil().text(text) == text


@pytest.mark.parametrize("text", PRIVATE)
def test_all_else_is_veiled(text: str) -> None:
    assert veiled.TOKEN.fullmatch(Veil().part(text))


def test_parts_are_veiled_alike_and_recordings_differ() -> None:
    one = Veil()
    path = one.text("/mnt/Kunde/Film.mov")
    assert re.fullmatch(r"/~\w{10}/~\w{10}/~\w{10}\.mov", path)
    assert one.text("/mnt/Kunde") == path.rsplit("/", 1)[0]
    assert one.text("Film.mov") == path.rsplit("/", 1)[1]
    assert Veil().text("/mnt/Kunde/Film.mov") != path


def test_a_note_keeps_its_form_and_custom_data_its_keys() -> None:
    note = Veil().text("shows: a red car\nshould show: a green car")
    assert re.fullmatch(r"shows: ~\w{10}\nshould show: ~\w{10}", note)
    data = 'flowanchor:{"job":"0abc","path":"/x/y.mov","seed":7,"settings":{"words":"green car"}}'
    found = veiled.custom_data(Veil().text(data))
    assert found["seed"] == 7
    assert veiled.TOKEN.fullmatch(found["settings"]["words"])
    assert found["path"].endswith(".mov")


@given(st.text())
def test_any_text_can_be_veiled_and_only_once(text: str) -> None:
    veil = Veil(b"key")
    once = veil.text(text)
    assert veil.text(once) == once
    assert len(veiled.parts(once)) == len(veiled.parts(text))
