# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowanchor_core import models
from flowanchor_core.errors import ModelError


def make_model(folder: Path, card: object = None) -> Path:
    for part in models.PARTS:
        (folder / part).mkdir(parents=True)
    if card is not None:
        (folder / models.CARD_FILE).write_text(json.dumps(card), encoding="utf-8")
    return folder


def test_a_folder_without_a_card_is_taken_for_wan(tmp_path: Path) -> None:
    card = models.read_card(make_model(tmp_path / "wan"))
    assert (card.name, card.text_length, card.native_frames) == ("wan", 512, 81)
    assert card.native_size == (832, 480)
    assert card.world is None


def test_a_card_is_read(tmp_path: Path) -> None:
    written = {"text_length": 32, "native_frames": 17, "native_size": [96, 64], "world": "shapes"}
    card = models.read_card(make_model(tmp_path / "m", written), "nice name")
    assert (card.name, card.text_length, card.native_frames) == ("nice name", 32, 17)
    assert (card.native_size, card.world) == ((96, 64), "shapes")


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"text_length": 0},
        {"text_length": True},
        {"native_frames": "17"},
        {"native_size": [64]},
        {"native_size": "64x64"},
        {"world": 3},
        {"sampling": []},
        {"text_length": 10**400},
    ],
)
def test_an_unusable_card_names_its_file(tmp_path: Path, content: Any) -> None:
    folder = make_model(tmp_path / "m", content)
    with pytest.raises(ModelError, match=models.CARD_FILE):
        models.read_card(folder)


def test_a_card_that_is_no_json_names_its_file(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "m")
    for text in ('{"text_length": ', '{"sampling": ' + "[" * 100_000):
        (folder / models.CARD_FILE).write_text(text, encoding="utf-8")
        with pytest.raises(ModelError, match="not readable JSON"):
            models.read_card(folder)


def test_models_are_found_by_name_and_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = tmp_path / "shelf"
    monkeypatch.setenv("FLOWANCHOR_MODELS", str(shelf))
    named, elsewhere = make_model(shelf / "mine"), make_model(tmp_path / "elsewhere")
    (shelf / "not-a-model").mkdir()
    assert models.find_model("mine") == named
    assert models.find_model(str(elsewhere)) == elsewhere
    assert models.names() == ["shapes", "mine"]


def test_a_link_names_a_folder_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, elsewhere = tmp_path / "shelf", make_model(tmp_path / "elsewhere")
    shelf.mkdir()
    monkeypatch.setenv("FLOWANCHOR_MODELS", str(shelf))
    (shelf / f"far{models.LINK_SUFFIX}").write_text(json.dumps({"folder": str(elsewhere)}))
    (shelf / f"gone{models.LINK_SUFFIX}").write_text(json.dumps({"folder": str(tmp_path / "gone")}))
    assert models.find_model("far") == elsewhere
    assert models.names() == ["shapes", "far"]
    with pytest.raises(ModelError, match="'gone' lies in"):
        models.find_model("gone")


@pytest.mark.parametrize("name", ["~nobody-of-that-name/x", "x" * 5000, "a\0b"])
def test_what_cannot_be_a_path_is_an_unknown_model(name: str) -> None:
    with pytest.raises(ModelError) as caught:
        models.find_model(name)
    assert caught.value.code == "unknown-model"
    assert len(caught.value.message) < 1000


@pytest.mark.parametrize("name", ["", "nothing-of-that-name", "../shelf/../nowhere"])
def test_an_unknown_model_is_named_with_the_known_ones(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWANCHOR_MODELS", str(tmp_path))
    with pytest.raises(ModelError, match="known are shapes") as caught:
        models.find_model(name)
    assert caught.value.code == "unknown-model"


def test_a_folder_that_lacks_a_part_says_which(tmp_path: Path) -> None:
    (make_model(tmp_path / "m") / "vae").rmdir()
    with pytest.raises(ModelError, match="lacks vae"):
        models.find_model(str(tmp_path / "m"))
