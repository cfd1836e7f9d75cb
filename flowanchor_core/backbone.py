# SPDX-License-Identifier: Apache-2.0
"""The Wan components of one model folder: checked, loaded when first needed, placed where the memory plan
says."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from flowanchor_core import folders, text_cache, video_codec, video_tiles
from flowanchor_core.components import Component, check_component, check_fit, load_component, load_tokenizer
from flowanchor_core.errors import InputError, ModelError
from flowanchor_core.failures import model_at_work, require_finite
from flowanchor_core.memory import MemoryPlan
from flowanchor_core.model_files import fingerprint
from flowanchor_core.models import CARD_FILE, read_card
from flowanchor_core.oracle import VelocityOracle
from flowanchor_core.preview import Projection, fit_projection, project
from flowanchor_core.tokens import clean_prompt


class Backbone:
    """A Wan2.1 text-to-video model. Make one with `Backbone.load`.

    Attributes:
        folder, plan: what it was loaded from and how.
        text_length: tokens the transformer's text is padded to.
        strides: (time, space) pixels a latent position covers, Wan (4, 8).
        patch: (time, rows, columns) latent positions a video token covers, Wan (1, 2, 2).
        tokenizer: the fast tokenizer of the text encoder.
    """

    def __init__(self, folder: Path, plan: MemoryPlan, cache_folder: Path, text_length: int) -> None:
        self.folder = folder
        self.plan = plan
        self.text_length = text_length
        self._specs: dict[str, Component] = {
            name: check_component(folder, name) for name in ("transformer", "vae", "text_encoder")
        }
        transformer, vae = self._specs["transformer"].config, self._specs["vae"].config
        self.strides = (video_codec.TIME_STRIDE, 2 ** (len(vae["dim_mult"]) - 1))
        self.patch: tuple[int, int, int] = tuple(transformer["patch_size"])
        self.tokenizer = load_tokenizer(folder)
        check_fit(folder, self._specs, len(self.tokenizer))
        self._loaded: dict[str, Any] = {}
        self._cache = text_cache.TextCache(cache_folder)
        self._encoder_id: str | None = None
        self._projection: Projection | None = _stored_projection(folder, len(vae["latents_mean"]))

    @classmethod
    def load(
        cls, folder: Path | str, plan: MemoryPlan | None = None, cache_folder: Path | None = None
    ) -> Backbone:
        """Check a diffusers-layout Wan text-to-video folder and make a backbone of it.

        All files are checked now (names, sizes, shapes against the configs); weights are read when a
        component is first used, so that a prompt from the cache never loads the text encoder.

        Args:
            folder: with transformer, vae, text_encoder and tokenizer; weights in safetensors, sharded or not.
                A `flowanchor.json` may give `text_length`, else it is 512.
            plan: devices and precision; default: everything on the CPU in fp32.
            cache_folder: of the text embeddings; default: the user's cache.

        Raises:
            ModelError: a file is missing, cut off, damaged, pickled or of another shape; the message names
                it.
        """
        folder = Path(folder)
        return cls(
            folder,
            plan or MemoryPlan(),
            cache_folder or folders.cache_folder() / "text",
            read_card(folder).text_length,
        )

    @property
    def transformer(self) -> Any:
        """The transformer, on its device."""
        return self._use("transformer")

    def oracle(self) -> VelocityOracle:
        """A fresh oracle over the transformer, batched as the plan says."""
        return VelocityOracle(self.transformer, self.text_length, batched=self.plan.batched)

    def read_weights(self) -> Iterator[str]:
        """Read ahead of the first edit what its sampling needs, as far as the plan has room for it, and learn
        how to show previews; yields the name of each part before it is read.

        Raises:
            ModelError, ModelRunError: a part cannot be loaded, or memory ran out.
        """
        yield "vae"
        self.preview(torch.zeros(1, len(self._specs["vae"].config["latents_mean"]), 1, 2, 2))
        if self.plan.resident:
            self._use("vae")
        yield "transformer"
        self._use("transformer")

    def fingerprint(self) -> str:
        """Hash that changes when any weight or setting of the model does, or the precision it computes in."""
        parts = [path for spec in self._specs.values() for path in (spec.folder / "config.json", *spec.files)]
        parts.append(self.folder / "tokenizer" / "tokenizer.json")
        return f"{fingerprint(parts)} {self.plan.dtype} {self.plan.vae_dtype}"

    def encode_text(self, prompts: Sequence[str]) -> list[Tensor]:
        """Embeddings of prompts: fp32 CPU [L, D] each, unpadded, with the end-of-sentence token.

        Prompts are cleaned as the tokens' indices expect (`tokens.clean_prompt`). Embeddings are kept on disk
        by (hash of the encoder, text).

        Raises:
            InputError: a prompt has more tokens than the model takes.
            ModelRunError: memory ran out, or the encoder failed.
        """
        return [self._encode_prompt(clean_prompt(prompt)) for prompt in prompts]

    def _encode_prompt(self, text: str) -> Tensor:
        ids = self.tokenizer(text)["input_ids"]
        if len(ids) > self.text_length:
            raise InputError(
                "prompt-too-long",
                f"The prompt has {len(ids)} tokens, the model takes {self.text_length}.",
                "Shorten it.",
            )
        if self._encoder_id is None:
            spec = self._specs["text_encoder"]
            parts = [*spec.files, spec.folder / "config.json", self.folder / "tokenizer" / "tokenizer.json"]
            self._encoder_id = f"{fingerprint(parts)} {self.plan.text_dtype}"
        kept = self._cache.get(self._encoder_id, text)
        if kept is not None and kept.shape == (len(ids), self._specs["text_encoder"].config["d_model"]):
            return kept
        encoder = self._use("text_encoder")
        with torch.no_grad(), model_at_work("encoding a prompt"):
            tokens = torch.tensor([ids], device=self.plan.compute)
            # Nothing is padded, so nothing is masked: equal to the padded, masked encoding, for a fraction of
            # its cost.
            embedding: Tensor = encoder(tokens, torch.ones_like(tokens)).last_hidden_state[0].float().cpu()
        require_finite(embedding, "for a prompt")
        self._cache.put(self._encoder_id, text, embedding)
        return embedding

    def encode_video(self, frames: Tensor | Iterable[Tensor]) -> Tensor:
        """Normalised latent, fp32 CPU [1, C, F, H / s, W / s], of a video of F = 1 + n latent frames.

        Args:
            frames: [3, 1 + 4n, H, W] in -1..1, or the same in chunks of any length; H and W multiples of a
                token.

        Raises:
            InputError: sizes the model cannot take.
            ModelRunError: memory ran out, or the VAE failed.
        """
        return _drained(self.encode_steps(frames))

    def encode_steps(self, frames: Tensor | Iterable[Tensor]) -> Generator[int, None, Tensor]:
        """`encode_video` a latent frame at a time: yields how many are done, returns the latent. Closing it
        early is safe."""
        chunks = [frames] if isinstance(frames, Tensor) else frames
        return (yield from self._encode(self._use("vae"), self._checked(chunks), self.plan.vae_tile))

    def _encode(self, vae: Any, chunks: Iterable[Tensor], tile: int = 0) -> Generator[int, None, Tensor]:
        offset, scale = self._statistics()
        with model_at_work("encoding the frames"):
            if tile:
                steps = video_tiles.encode_tiles(vae, chunks, self.strides[1], tile, self.plan.vae_overlap)
            else:
                steps = video_codec.encode_frames(vae, chunks)
            latent = ((yield from steps).float().cpu() - offset) / scale
        require_finite(latent, "for the frames")
        return latent

    def decode_video(self, latent: Tensor) -> Iterator[Tensor]:
        """Pictures of a normalised latent [1, C, F, h, w], frame by frame: fp32 CPU [3, n, H, W] in -1..1, n
        = 1 for the first latent frame and 4 for the others. Closing the iterator early is safe.

        Raises:
            ModelRunError: memory ran out, the VAE failed, or a picture is NaN or infinite.
        """
        offset, scale = self._statistics()
        with model_at_work("decoding the frames"):
            vae, latent = self._use("vae"), latent.float().cpu() * scale + offset
            if self.plan.vae_tile:
                chunks = video_tiles.decode_tiles(
                    vae, latent, self.strides[1], self.plan.vae_tile, self.plan.vae_overlap
                )
            else:
                chunks = video_codec.decode_frames(vae, latent)
            for chunk in chunks:
                yield chunk.float().cpu()

    def preview(self, latent: Tensor, first: int = 0) -> Tensor:
        """Small pictures of a normalised latent [1, C, F, h, w] without decoding it: uint8 [F, h, w, 3]. Its
        first frame is latent frame `first` of its clip."""
        if self._projection is None:
            # Where the VAE lies now: moving it in would push out the transformer of an edit that is running.
            vae = self._component("vae")
            self._projection = fit_projection(
                lambda clip: _drained(self._encode(vae, [clip])), self.strides[1]
            )
        return project(latent, self._projection, first)

    def _checked(self, chunks: Iterable[Tensor]) -> Iterator[Tensor]:
        rows, columns = self.strides[1] * self.patch[1], self.strides[1] * self.patch[2]
        for chunk in chunks:
            if chunk.shape[2] % rows or chunk.shape[3] % columns:
                raise InputError(
                    "frame-size",
                    f"The model cannot take frames of {chunk.shape[3]}x{chunk.shape[2]} pixels.",
                    f"Use multiples of {columns} by {rows} pixels.",
                )
            yield chunk

    def _statistics(self) -> tuple[Tensor, Tensor]:
        config = self._specs["vae"].config
        mean, std = (
            torch.tensor(config[key]).view(1, -1, 1, 1, 1) for key in ("latents_mean", "latents_std")
        )
        return mean, std

    def _use(self, name: str) -> Any:
        """A component on the computing device; others make room when the plan has none for all."""
        if not self.plan.resident:
            for other in [known for known in self._loaded if known != name]:
                if self.plan.compute.type == "cpu":
                    del self._loaded[other]
                else:
                    self._loaded[other].to("cpu")
        with model_at_work(f"moving the {name.replace('_', ' ')} in"):
            return self._component(name).to(self.plan.compute)

    def _component(self, name: str) -> Any:
        """A component where it lies; on the CPU when it was not loaded before."""
        if name not in self._loaded:
            dtypes = {"text_encoder": self.plan.text_dtype, "vae": self.plan.vae_dtype}
            self._loaded[name] = load_component(self._specs[name], dtypes.get(name, self.plan.dtype))
        return self._loaded[name]


def _stored_projection(folder: Path, channels: int) -> Projection | None:
    """How the model's card says to show latents of so many channels; None if it says nothing."""
    maps = read_card(folder).preview
    stored = Projection.of(maps) if maps is not None else None
    if stored is not None and stored.channels != channels:
        raise ModelError(
            "model-card",
            f"{folder / CARD_FILE} shows latents of {stored.channels} channels, the model has {channels}.",
            "Correct the file, or remove its preview.",
        )
    return stored


def _drained(steps: Generator[int, None, Tensor]) -> Tensor:
    """What a generator of progress returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            latent: Tensor = end.value
            return latent
