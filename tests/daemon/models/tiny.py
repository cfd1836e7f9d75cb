# SPDX-License-Identifier: Apache-2.0
"""The files of a model as far as it can be checked without building it: a few kilobytes, no torch."""

from __future__ import annotations

import json
from pathlib import Path

TRANSFORMER = "transformer/diffusion_pytorch_model.safetensors"


def safetensors(size: int, seed: int) -> bytes:
    """A file with one tensor of `size` bytes."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    content = bytes((index * 31 + seed) % 251 for index in range(size))
    return len(header).to_bytes(8, "little") + header + content


def tiny_files() -> dict[str, bytes]:
    return {
        "model_index.json": b'{"_class_name": "WanPipeline"}',
        "README.md": b"A model.\n",
        "scheduler/scheduler_config.json": b"{}",
        "text_encoder/config.json": b"{}",
        "text_encoder/model-00001-of-00002.safetensors": safetensors(30_000, 1),
        "text_encoder/model-00002-of-00002.safetensors": safetensors(20_000, 2),
        "text_encoder/model.safetensors.index.json": json.dumps(
            {
                "weight_map": {
                    "a": "model-00001-of-00002.safetensors",
                    "b": "model-00002-of-00002.safetensors",
                }
            }
        ).encode(),
        "tokenizer/tokenizer.json": b"{}",
        "tokenizer/spiece.model": b"\x0a\x0b",
        "transformer/config.json": b'{"in_channels": 16}',
        TRANSFORMER: safetensors(200_000, 3),
        "vae/config.json": b"{}",
        "vae/diffusion_pytorch_model.safetensors": safetensors(40_000, 4),
    }


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder
