# SPDX-License-Identifier: Apache-2.0
"""Checks on a model folder before anything in it is used. Each failure is one sentence that names the file.

Weights are read from safetensors only, and whether a file is one is decided by its content: a length, a JSON
table of tensors, and bytes that match it exactly. Nothing here unpickles, and no code from a folder runs.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flowanchor_core.errors import ModelError

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_AGAIN = "Copy or download the model again."
_DTYPE_BYTES = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "I8", "U8", "BOOL"), 1),
}

WEIGHTS = {
    "transformer": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
}
"""Stem of each component's weight files."""

_EXTRAS = (
    *("model_index.json", "flowanchor.json", "LICENSE", "LICENSE.txt", "LICENSE.md", "README.md"),
    *("scheduler/*.json", "tokenizer/*.json", "tokenizer/*.model"),
)

Shapes = dict[str, tuple[int, ...]]


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; ModelError names a file that is missing or holds anything else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError("model-file-missing", f"The model file {path} is missing.", _AGAIN) from None
    except (OSError, ValueError, RecursionError) as failure:
        raise ModelError(
            "model-file-damaged", f"The model file {path} is not readable JSON.", _AGAIN
        ) from failure
    if not isinstance(content, dict):
        raise ModelError("model-file-damaged", f"The model file {path} holds no JSON object.", _AGAIN)
    return content


def weight_files(folder: Path, stem: str) -> tuple[Path, ...]:
    """The safetensors files of a component: `stem`.safetensors, or the shards its index lists.

    Raises:
        ModelError: none there, only pickled ones, both kinds at once (which one would be read is up to the
            library), or a shard of the index missing.
    """
    index = folder / f"{stem}.safetensors.index.json"
    single = folder / f"{stem}.safetensors"
    if not index.exists():
        if single.exists():
            return (single,)
        for found in sorted(folder.glob("*")) if folder.is_dir() else []:
            if found.suffix in _PICKLES:
                raise ModelError(
                    "pickled-weights",
                    f"The weights {found} are pickled, which can run code when opened.",
                    "Get the model's safetensors files.",
                )
        raise ModelError("model-file-missing", f"The model file {single} is missing.", _AGAIN)
    if single.exists():
        raise ModelError(
            "model-files-ambiguous",
            f"There are two sets of weights: {single} and the shards of {index}.",
            "Remove the one that is not meant.",
        )
    table = read_json(index).get("weight_map")
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table.values()) or not table:
        raise ModelError("model-file-damaged", f"The model file {index} has no list of weights.", _AGAIN)
    files = tuple(folder / name for name in sorted(set(table.values())))
    for file in files:
        if file.parent != folder or file.suffix != ".safetensors":
            raise ModelError("model-file-damaged", f"The model file {index} points to {file}.", _AGAIN)
        if not file.is_file():
            raise ModelError("model-file-missing", f"The model file {file} is missing.", _AGAIN)
    return files


def check_layout(folder: Path) -> tuple[Path, ...]:
    """Check a model folder as far as that goes without building the model, and list the files that make it.

    Configurations must be JSON, weights whole safetensors files, whatever they are called; anything else in
    the folder (pickled duplicates, examples) is left out of the list.

    Returns:
        paths relative to `folder`, sorted.

    Raises:
        ModelError: names the file that is missing, damaged or not what its name says.
    """
    files: set[Path] = set()
    for part, stem in WEIGHTS.items():
        config = folder / part / "config.json"
        read_json(config)
        weights = weight_files(folder / part, stem)
        for file in weights:
            read_header(file)
        index = folder / part / f"{stem}.safetensors.index.json"
        files.update((config, *weights, *([index] if index.exists() else [])))
    read_json(folder / "tokenizer" / "tokenizer.json")
    for pattern in _EXTRAS:
        for file in folder.glob(pattern):
            if file.suffix == ".json":
                read_json(file)
            files.add(file)
    return tuple(sorted(file.relative_to(folder) for file in files))


def read_header(path: Path) -> Shapes:
    """Names and shapes of the tensors in a safetensors file.

    Raises:
        ModelError: it is none, is cut off, or its table does not match its bytes.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        # 100 MB is the format's own limit; a pickle or an archive read this way claims far more.
        plausible = 2 <= length <= 100_000_000
        start = file.read(1)
        if not plausible or (start and start != b"{"):
            raise ModelError("not-safetensors", f"The model file {path} is not a safetensors file.", _AGAIN)
        if 8 + length > size:
            raise _cut_off(path, 8 + length, size)
        raw = start + file.read(length - 1)
    try:
        table = json.loads(raw)
        tensors = {name: entry for name, entry in table.items() if name != "__metadata__"}
        spans = sorted(_span(entry) for entry in tensors.values())
        shapes = {name: tuple(entry["shape"]) for name, entry in tensors.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as failure:
        raise _lies(path) from failure
    reached = 0
    for begin, end in spans:
        if begin != reached:
            raise _lies(path)
        reached = end
    expected = 8 + length + reached
    if expected > size:
        raise _cut_off(path, expected, size)
    if expected < size:
        raise _lies(path)
    return shapes


def check_weights(
    files: Sequence[Path],
    expected: Mapping[str, Sequence[int]],
    aliases: Mapping[str, str],
    allow_more: bool = False,
) -> None:
    """Compare a component's weight files with the tensors its config asks for.

    Args:
        files: from `weight_files`.
        expected: shape of each tensor by name.
        aliases: name of a tensor -> name of the one it shares its values with; either may be in the files.
        allow_more: accept tensors that are not expected (such as the decoder beside a text encoder).

    Raises:
        ModelError: names the file, and the tensor that is missing, in surplus or of another shape.
    """
    headers = {file: read_header(file) for file in files}
    found = {name: shape for header in headers.values() for name, shape in header.items()}
    home = {name: file for file, header in headers.items() for name in header}
    for name, shape in expected.items():
        if name not in found:
            if aliases.get(name) in found:
                continue
            where = files[0] if len(files) == 1 else files[0].parent
            raise ModelError(
                "model-tensor-missing", f'The weights in {where} lack the tensor "{name}".', _AGAIN
            )
        if found[name] != tuple(shape):
            raise ModelError(
                "model-tensor-shape",
                f'The tensor "{name}" in {home[name]} has the shape {list(found[name])}, not {list(shape)}.',
                "Use weights and a config.json that belong together.",
            )
    surplus = sorted(found.keys() - expected.keys())
    if surplus and not allow_more:
        raise ModelError(
            "model-tensor-surplus",
            f'The weights in {home[surplus[0]]} hold a tensor "{surplus[0]}" the model has no place for.',
            "Use weights and a config.json that belong together.",
        )


def fingerprint(files: Iterable[Path]) -> str:
    """Hash that changes when any of the files does: all bytes of small ones, 64 samples of 1 MiB of large
    ones."""
    digest = hashlib.sha256()
    block = 1 << 20
    for path in files:
        size = path.stat().st_size
        digest.update(f"{path.name} {size} ".encode())
        with path.open("rb") as file:
            if size <= 64 * block:
                digest.update(file.read())
                continue
            for sample in range(64):
                file.seek(sample * (size - block) // 63)
                digest.update(file.read(block))
    return digest.hexdigest()


def _span(entry: dict[str, Any]) -> tuple[int, int]:
    begin, end = entry["data_offsets"]
    shape = entry["shape"]
    if not all(type(number) is int and number >= 0 for number in (begin, end, *shape)):
        raise ValueError("negative or fractional numbers")
    if end - begin != math.prod(shape) * _DTYPE_BYTES[entry["dtype"]]:
        raise ValueError("shape and bytes disagree")
    return begin, end


def _cut_off(path: Path, expected: int, size: int) -> ModelError:
    return ModelError(
        "model-file-truncated",
        f"The model file {path} is cut off: {size} of {expected} bytes are there.",
        _AGAIN,
    )


def _lies(path: Path) -> ModelError:
    return ModelError("model-file-damaged", f"The model file {path} does not match its own header.", _AGAIN)
