# SPDX-License-Identifier: Apache-2.0
"""Where models are found, and what a model folder says about itself.

A model is a diffusers-layout Wan text-to-video folder. It is named `shapes` (the one shipped in this
package), by the name of a folder in the user's models folder, by the name of a link there (a file
`<name>.link.json` that tells the folder), or by the path of any folder.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowanchor_core.errors import ModelError
from flowanchor_core.folders import models_folder

EMBEDDED = "shapes"
EMBEDDED_FOLDER = Path(__file__).parent / "shapes" / "weights"
CARD_FILE = "flowanchor.json"
LINK_SUFFIX = ".link.json"
PARTS = ("transformer", "vae", "text_encoder", "tokenizer")


@dataclass(frozen=True)
class ModelCard:
    """What an edit needs to know about a model before any weight is read.

    Read from the folder's `flowanchor.json`; a folder without one is taken for a Wan2.1 release.
    `native_size` is (width, height) in pixels and `native_frames` a count of pixel frames: what the model was
    trained on. `world` names the only kind of footage a toy model understands, None for a model of the real
    one. `sampling` overrides fields of the presets (see presets.py). `preview` shows latents as colours
    (`preview.Projection.of`); None lets the maps be fitted when the first preview is made.
    """

    name: str
    folder: Path
    text_length: int = 512
    native_frames: int = 81
    native_size: tuple[int, int] = (832, 480)
    world: str | None = None
    sampling: Mapping[str, Any] = field(default_factory=dict)
    preview: Sequence[Sequence[Sequence[float]]] | None = None


def find_model(name: str) -> Path:
    """Folder of the model called `name` (see the module's docstring); ModelError if there is none."""
    if name == EMBEDDED:
        return _checked(EMBEDDED_FOLDER, name)
    if (named := _named(name)) is not None:
        return _checked(named, name)
    if (path := _folder_at(name)) is not None:
        return _checked(path, name)
    shown = name if len(name) <= 80 else f"{name[:77]}..."
    raise ModelError(
        "unknown-model",
        f"There is no model called '{shown}' and no such folder: known are {', '.join(names())}.",
        f"Give one of these or the path of a model folder, or put one into {models_folder()}.",
    )


def names() -> list[str]:
    """The embedded model first, then what the user's models folder holds by name: folders, and links whose
    folder is there."""
    folder = models_folder()
    if not folder.is_dir():
        return [EMBEDDED]
    extra = {entry.name for entry in folder.iterdir() if _looks_like_model(entry)}
    for link in folder.glob(f"*{LINK_SUFFIX}"):
        try:
            target = read_link(link)
        except ModelError:  # find_model says by name what is wrong with it
            continue
        if _looks_like_model(target):
            extra.add(link.name.removesuffix(LINK_SUFFIX))
    return [EMBEDDED, *sorted(extra - {EMBEDDED})]


def read_link(link: Path) -> Path:
    """The folder that a link in the models folder tells; ModelError if it cannot be read or leads nowhere."""
    name = link.name.removesuffix(LINK_SUFFIX)
    try:
        raw = json.loads(link.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as failure:
        raise ModelError(
            "model-link", f"The link of the model '{name}' is not readable JSON.", f"Remove {link}."
        ) from failure
    target = raw.get("folder") if isinstance(raw, dict) else None
    if not isinstance(target, str) or not Path(target).is_absolute():
        raise ModelError("model-link", f"The link of the model '{name}' tells no folder.", f"Remove {link}.")
    if (found := _folder_at(target)) is None:
        raise ModelError(
            "model-link",
            f"The model '{name}' lies in {target}, which is gone.",
            f"Bring the folder back, or remove {link}.",
        )
    return found


def read_card(folder: Path, name: str | None = None) -> ModelCard:
    """The folder's card, checked; ModelError names the file and the field that cannot be used."""
    path = folder / CARD_FILE
    name = name or folder.name
    if not path.exists():
        return ModelCard(name, folder)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as failure:
        raise _bad_card(path, "is not readable JSON") from failure
    if not isinstance(raw, dict):
        raise _bad_card(path, "does not hold a JSON object")
    plain = ModelCard(name, folder)
    size = raw.get("native_size", list(plain.native_size))
    if not (isinstance(size, list) and len(size) == 2 and all(_is_count(side) for side in size)):
        raise _bad_card(path, "has a native_size that is not [width, height]")
    counts = {key: raw.get(key, getattr(plain, key)) for key in ("text_length", "native_frames")}
    for key, value in counts.items():
        if not _is_count(value):
            raise _bad_card(path, f"has a {key} that is not a positive whole number")
    world, sampling = raw.get("world"), raw.get("sampling", {})
    if not (world is None or isinstance(world, str)) or not isinstance(sampling, dict):
        raise _bad_card(path, "has a world that is not a word or a sampling that is not an object")
    preview = raw.get("preview")
    if not (preview is None or _are_maps(preview)):
        raise _bad_card(path, "has a preview that is not two maps of as many rows of three numbers")
    return ModelCard(
        name=name,
        folder=folder,
        text_length=counts["text_length"],
        native_frames=counts["native_frames"],
        native_size=(size[0], size[1]),
        world=world,
        sampling=sampling,
        preview=preview,
    )


def _named(name: str) -> Path | None:
    """Folder of what the models folder holds under `name`: a folder, or a link to one."""
    if not name or Path(name).name != name:
        return None
    if (folder := _folder_at(str(models_folder() / name))) is not None:
        return folder
    link = models_folder() / f"{name}{LINK_SUFFIX}"
    try:
        return read_link(link) if link.is_file() else None
    except OSError:  # a name too long for a file
        return None


def _folder_at(path: str) -> Path | None:
    try:
        folder = Path(path).expanduser()
        return folder if path and folder.is_dir() else None
    except (OSError, RuntimeError):  # too long for a path, or the home of nobody
        return None


def _checked(folder: Path, name: str) -> Path:
    missing = [part for part in PARTS if not (folder / part).is_dir()]
    if missing:
        raise ModelError(
            "model-incomplete",
            f"The model '{name}' lacks {', '.join(missing)} in {folder}.",
            "Give a folder in the diffusers layout with all of its parts.",
        )
    return folder


def _looks_like_model(folder: Path) -> bool:
    return all((folder / part).is_dir() for part in PARTS)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 1_000_000


def _are_maps(value: object) -> bool:
    """Two lists of as many rows of three numbers."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(rows, list) and 2 <= len(rows) <= 1000 for rows in value)
        and len(value[0]) == len(value[1])
        and all(isinstance(row, list) and len(row) == 3 for rows in value for row in rows)
        and all(_is_number(number) for rows in value for row in rows for number in row)
    )


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]


def _bad_card(path: Path, problem: str) -> ModelError:
    return ModelError(
        "model-card", f"{path} {problem}.", "Correct the file or remove it to get Wan2.1's values."
    )
