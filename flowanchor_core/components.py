# SPDX-License-Identifier: Apache-2.0
"""The classes behind a Wan text-to-video folder: checking a component against its config, and loading it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from transformers import T5TokenizerFast, UMT5Config, UMT5EncoderModel
from transformers.utils import logging as transformers_logging

from flowanchor_core.errors import ModelError
from flowanchor_core.failures import ran_out_of_memory
from flowanchor_core.model_files import check_weights, read_json, weight_files
from flowanchor_core.video_codec import TIME_STRIDE

_CLASSES: dict[str, Any] = {
    "transformer": WanTransformer3DModel,
    "vae": AutoencoderKLWan,
    "text_encoder": UMT5EncoderModel,
}
_REFUSED_KEYS = {"quantization_config": "its weights are quantized", "auto_map": "it brings its own code"}


@dataclass(frozen=True)
class Component:
    """A checked component: its folder, full configuration (defaults filled in) and weight files."""

    name: str
    folder: Path
    config: Mapping[str, Any]
    files: tuple[Path, ...]


def check_component(folder: Path, name: str) -> Component:
    """Check `folder`/`name`: its config names the class expected, and its weights are what that config asks
    for.

    Raises:
        ModelError: naming the file at fault.
    """
    kind = _CLASSES[name]
    path = folder / name / "config.json"
    raw = read_json(path)
    claimed = raw.get("_class_name") or raw.get("architectures")
    if isinstance(claimed, list) and len(claimed) == 1:
        claimed = claimed[0]
    if claimed != kind.__name__:
        raise ModelError(
            "model-class",
            f"The model file {path} describes a {claimed}, not a {kind.__name__}.",
            "Use a Wan2.1 text-to-video model in the diffusers layout.",
        )
    for key, meaning in _REFUSED_KEYS.items():
        if raw.get(key) is not None:
            raise ModelError(
                "model-config",
                f'The model file {path} has a "{key}": {meaning}, which is not supported.',
                "Use the model as its publisher released it, in safetensors of 32 or 16 bits.",
            )
    try:
        skeleton, config = _skeleton(name, raw)
    except Exception as failure:
        raise ModelError(
            "model-config", f"The model file {path} describes no model that can be built.", "Restore it."
        ) from failure
    stem = "model" if name == "text_encoder" else "diffusion_pytorch_model"
    files = weight_files(folder / name, stem)
    shapes = {key: tuple(tensor.shape) for key, tensor in skeleton.state_dict().items()}
    aliases = dict(getattr(skeleton, "_tied_weights_keys", None) or {})
    check_weights(files, shapes, aliases, allow_more=name == "text_encoder")
    return Component(name, folder / name, config, files)


def _skeleton(name: str, raw: dict[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """The component without memory for its weights, and its configuration with all defaults."""
    with torch.device("meta"):
        if name == "text_encoder":
            config = UMT5Config.from_dict(raw)
            return UMT5EncoderModel(config), config.to_dict()
        skeleton = _CLASSES[name].from_config(raw)
        return skeleton, dict(skeleton.config)


def check_fit(folder: Path, parts: Mapping[str, Component], vocabulary: int) -> None:
    """Check that the components belong together and are a Wan2.1 text-to-video model; else a ModelError."""
    transformer, vae, text = (parts[name].config for name in ("transformer", "vae", "text_encoder"))
    channels = {transformer["in_channels"], transformer["out_channels"], vae["z_dim"]}
    statistics = {len(vae["latents_mean"]), len(vae["latents_std"]), vae["z_dim"]}
    problems = {
        "transformer has image inputs": transformer["image_dim"] or transformer["added_kv_proj_dim"],
        "transformer and VAE differ in their channels": len(channels) > 1,
        "VAE has statistics for another number of channels": len(statistics) > 1,
        "transformer and text encoder differ in their width": transformer["text_dim"] != text["d_model"],
        "transformer merges frames into tokens": transformer["patch_size"][0] != 1,
        "VAE has another time stride than 4": 2 ** sum(vae["temperal_downsample"]) != TIME_STRIDE,
        "VAE works on patches (Wan2.2)": vae["patch_size"],
        "tokenizer has more tokens than the text encoder": vocabulary > text["vocab_size"],
        "pipeline has a second transformer (Wan2.2)": _second_transformer(folder),
    }
    for problem, there in problems.items():
        if there:
            raise ModelError(
                "model-kind", f"In the model {folder} the {problem}.", "Use a Wan2.1 text-to-video model."
            )


def _second_transformer(folder: Path) -> bool:
    index = folder / "model_index.json"
    return index.exists() and (read_json(index).get("transformer_2") or [None])[0] is not None


def load_component(part: Component, dtype: torch.dtype) -> Any:
    """A component's module on the CPU, in evaluation mode; its files have been checked before.

    Raises:
        ModelError: it cannot be loaded all the same; names the folder. That memory ran out passes through.
    """
    named = {"dtype": dtype} if part.name == "text_encoder" else {"torch_dtype": dtype}
    try:
        with _quiet():
            module = _CLASSES[part.name].from_pretrained(
                part.folder, use_safetensors=True, local_files_only=True, **named
            )
    except Exception as failure:
        if ran_out_of_memory(failure):
            raise
        reason = str(failure).strip().partition("\n")[0] or type(failure).__name__
        raise ModelError(
            "model-load", f"The model part in {part.folder} cannot be loaded ({reason}).", "Restore it."
        ) from failure
    return module.eval().requires_grad_(False)


def load_tokenizer(folder: Path) -> Any:
    """The fast tokenizer in `folder`/tokenizer; ModelError when tokenizer.json is missing or unusable."""
    path = folder / "tokenizer" / "tokenizer.json"
    read_json(path)
    try:
        return T5TokenizerFast.from_pretrained(path.parent, local_files_only=True)
    except Exception as failure:
        raise ModelError(
            "model-file-damaged", f"The model file {path} holds no usable tokenizer.", "Restore it."
        ) from failure


@contextmanager
def _quiet() -> Iterator[None]:
    """No progress bar of transformers while weights are read: the caller shows its own."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()
