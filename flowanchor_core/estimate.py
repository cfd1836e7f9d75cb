# SPDX-License-Identifier: Apache-2.0
"""What an edit will cost, before its clip is read or its model loaded: plain arithmetic, without torch.

Windows, forwards and the model's picture are those of the edit itself; only the first step's shared forward
aside, which some windows have more than once. Memory is a rough sum of weights and of the largest
activations.
"""

from __future__ import annotations

from dataclasses import dataclass

from flowanchor_core.crops import SNAP, Crop, Mode, model_size, plan_crop
from flowanchor_core.errors import InputError, ModelError
from flowanchor_core.model_files import read_json
from flowanchor_core.models import PARTS, ModelCard
from flowanchor_core.presets import Preset
from flowanchor_core.spans import plan_windows

TIME_STRIDE = 4
BRANCHES = 4
"""Forwards of a step: source and target, each with its prompt and with the negative one."""

_VAE_MAPS = 16  # feature maps of full size the decoder holds, in multiples of its base width


@dataclass(frozen=True)
class Cost:
    """What an edit costs.

    Attributes:
        forwards: runs of the transformer.
        windows: windows of frames it runs in.
        crop: what the model sees, native pixels.
        model_width, model_height: at what size, pixels.
        work: of all forwards, floating-point operations: for ratios between edits of one model.
        memory_bytes: roughly, at its most, on the device.
    """

    forwards: int
    windows: int
    crop: Crop
    model_width: int
    model_height: int
    work: float
    memory_bytes: int


@dataclass(frozen=True)
class Architecture:
    """What of a model's configuration decides its cost."""

    layers: int
    width: int
    ffn: int
    text: int
    frequencies: int
    channels: int
    space_stride: int
    patch: int
    vae_width: int
    other_bytes: int
    """Text encoder and VAE on disk."""

    @classmethod
    def read(cls, card: ModelCard) -> Architecture:
        """From the folder's config files; ModelError names one that is missing or damaged."""
        transformer = read_json(card.folder / "transformer" / "config.json")
        vae = read_json(card.folder / "vae" / "config.json")
        weights = [
            file.stat().st_size
            for part in PARTS
            if part not in ("transformer", "tokenizer")
            for file in (card.folder / part).glob("*.safetensors")
        ]
        try:
            return cls(
                layers=int(transformer["num_layers"]),
                width=int(transformer["num_attention_heads"]) * int(transformer["attention_head_dim"]),
                ffn=int(transformer["ffn_dim"]),
                text=int(transformer["text_dim"]),
                frequencies=int(transformer["freq_dim"]),
                channels=int(transformer["in_channels"]),
                space_stride=2 ** (len(vae["dim_mult"]) - 1),
                patch=int(transformer["patch_size"][1]),
                vae_width=int(vae["base_dim"]),
                other_bytes=sum(weights),
            )
        except (KeyError, IndexError, TypeError, ValueError) as failure:
            raise _no_cost(card) from failure

    @property
    def parameters(self) -> int:
        """Of the transformer, within a percent."""
        wide = self.width
        block = 8 * wide * wide + 2 * wide * self.ffn
        ends = wide * (2 * 4 * self.channels + self.text + wide + self.frequencies + 7 * wide)
        return self.layers * block + ends

    def tokens(self, latents: int, width: int, height: int) -> int:
        """Video tokens of a window of `latents` latent frames at a model size in pixels."""
        side = self.space_stride * self.patch
        return latents * (width // side) * (height // side)

    def work(self, tokens: int) -> float:
        """Floating-point operations of a forward over so many tokens: the linear layers, and attention."""
        wide = self.width
        return self.layers * (2.0 * tokens * (8 * wide * wide + 2 * wide * self.ffn) + 4.0 * tokens**2 * wide)


def latents_of(frames: int) -> int:
    """Latent frames of a clip."""
    return -(-(frames - 1) // TIME_STRIDE) + 1


def window_latents(card: ModelCard, frames: int) -> int:
    """Latent frames the model sees at once of a clip."""
    return min(latents_of(frames), (card.native_frames - 1) // TIME_STRIDE + 1)


def cost_of(
    card: ModelCard,
    preset: Preset,
    draws: int,
    frames: int,
    frame_size: tuple[int, int],
    bounds: tuple[int, int, int, int],
    *,
    margin: float,
    around: int,
    mode: Mode,
    bytes_each: int,
) -> Cost:
    """The cost of an edit.

    Args:
        card, preset: of the model; the preset with the request's own steps and skip in it.
        draws: noise draws averaged in a step (`n_avg`).
        frames: of the range, at least 1.
        frame_size: width and height, pixels.
        bounds: left, top, right, bottom (exclusive) of all that is marked, pixels.
        margin, mode: as in the request's region.
        around: pixels the composite reaches beyond the marks (grow and feather).
        bytes_each: of a number on the device: 4 on the CPU, 2 on a GPU.

    Raises:
        InputError: there is no frame, or nothing is marked inside the picture.
        ModelError: the model's configuration cannot be read.
    """
    left, top = max(0, bounds[0]), max(0, bounds[1])
    right, bottom = min(frame_size[0], bounds[2]), min(frame_size[1], bounds[3])
    if frames < 1 or left >= right or top >= bottom:
        raise InputError("mask-empty", "There is no region in the picture.", "Mark one.")
    model = Architecture.read(card)
    least = (preset.minimum_crop,) * 2 if preset.minimum_crop else card.native_size
    crop = plan_crop(
        (left, top, right, bottom),
        frame_size,
        max(around, round(margin * max(right - left, bottom - top))),
        SNAP,
        (min(least[0], frame_size[0]), min(least[1], frame_size[1])),
    )
    token = model.space_stride * model.patch
    width, height = model_size(crop, card.native_size[0] * card.native_size[1], token, mode)
    native = (card.native_frames - 1) // TIME_STRIDE + 1
    windows = len(plan_windows(latents_of(frames), native, min(preset.overlap, native - 1)))
    steps = preset.steps - preset.skip
    # Source and edit coincide in the first step: their negative forwards are one.
    forwards = windows * draws * (BRANCHES * steps - 1)
    tokens = model.tokens(window_latents(card, frames), width, height)
    return Cost(
        forwards=forwards,
        windows=windows,
        crop=crop,
        model_width=width,
        model_height=height,
        work=forwards * model.work(tokens),
        memory_bytes=_memory(model, tokens, width * height, bytes_each),
    )


def _memory(model: Architecture, tokens: int, pixels: int, bytes_each: int) -> int:
    sampling = BRANCHES * tokens * (8 * model.width + 2 * model.ffn) * bytes_each
    decoding = pixels * model.vae_width * _VAE_MAPS * 4
    return model.parameters * bytes_each + model.other_bytes + max(sampling, decoding)


def _no_cost(card: ModelCard) -> ModelError:
    return ModelError(
        "model-config", f"The model '{card.name}' has no usable configuration.", "Restore its config files."
    )
