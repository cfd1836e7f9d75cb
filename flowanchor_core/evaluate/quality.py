# SPDX-License-Identifier: Apache-2.0
"""The quality benchmark: every editor and ablation on the same clips of the shapes world.

Editors run on the model's own frames, so nothing that the pipeline does around them (crop, matte, codec) can
hide or improve what they do. Every finished edit is one line of a log, and a run that was stopped goes on
from there.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from flowanchor_core import editors, models, presets
from flowanchor_core.backbone import Backbone
from flowanchor_core.evaluate.cases import Case, make_cases
from flowanchor_core.evaluate.judge import Verdict, judge
from flowanchor_core.masks import to_token_grid
from flowanchor_core.presets import Preset
from flowanchor_core.schedule import wan_sigmas
from flowanchor_core.tokens import target_tokens
from flowanchor_core.windows import plan_windows

Split = Literal["tuning", "held-out"]


@dataclass(frozen=True)
class Variant:
    """A row of the table: an editor with parameters over the preset's; no editor means the autoencoder
    alone."""

    name: str
    editor: str | None
    params: Mapping[str, Any] = field(default_factory=dict)


VARIANTS = (
    Variant("autoencoder alone", None),
    Variant("flowedit", "flowedit"),
    Variant("flowedit-mask", "flowedit-mask"),
    Variant("flowanchor", "flowanchor"),
    Variant("without TTM", "flowanchor", {"text_modulation": False}),
    Variant("without STM", "flowanchor", {"spatial_modulation": False}),
    Variant("without AMM", "flowanchor", {"gamma": 0.0}),
    Variant("contrast signed", "flowanchor", {"contrast": "signed"}),
    Variant("contrast magnitude", "flowanchor", {"contrast": "magnitude"}),
    Variant("without blend", "flowanchor", {"blend": False}),
)


@dataclass(frozen=True)
class Result:
    """One edit of one case. `seconds` is the process time of the edit alone, `forwards` the velocities it
    took."""

    case: str
    variant: str
    change: str
    marking: str
    frames: int
    fast: bool
    forwards: int
    seconds: float
    verdict: Verdict


def run(
    model: str,
    out: Path,
    *,
    split: Split = "held-out",
    count: int = 48,
    preset: str = "standard",
    variants: Sequence[Variant] = VARIANTS,
    jobs: int = 1,
    seed: int = 0,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Result]:
    """Edit `count` cases with every variant and return the results in a fixed order.

    Finished edits are kept in `out/edits-<split>.jsonl` and taken from there when they were made with the
    same weights, settings and seed. `report(done, total)` is called after every case.
    """
    out.mkdir(parents=True, exist_ok=True)
    log = out / f"edits-{split}.jsonl"
    folder = models.find_model(model)
    settings = presets.get(models.read_card(folder, model), preset)
    mark = _mark(folder, settings, variants, seed)
    known = _read(log, mark)
    cases = make_cases(split, count)
    waiting = [case for case in cases if any((case.name, v.name) not in known for v in variants)]
    report(len(cases) - len(waiting), len(cases))
    if waiting:
        threads = max(1, (os.cpu_count() or 1) // jobs)
        context = multiprocessing.get_context("spawn")
        start = (folder, settings, tuple(variants), seed, threads)
        with ProcessPoolExecutor(jobs, mp_context=context, initializer=_start, initargs=start) as pool:
            tasks = [pool.submit(_edit_case, case) for case in waiting]
            for number, task in enumerate(as_completed(tasks)):
                with log.open("a", encoding="utf-8") as file:
                    for result in task.result():
                        known[result.case, result.variant] = result
                        file.write(json.dumps({"mark": mark, **asdict(result)}) + "\n")
                report(len(cases) - len(waiting) + number + 1, len(cases))
    return [known[case.name, variant.name] for variant in variants for case in cases]


class Bench:
    """A loaded model that edits cases; one a process."""

    def __init__(self, folder: Path, settings: Preset, seed: int) -> None:
        self.backbone = Backbone.load(folder)
        self.card = models.read_card(folder)
        self.settings = settings
        self.seed = seed

    @torch.no_grad()
    def edit(self, case: Case, variants: Sequence[Variant]) -> list[Result]:
        source, _ = case.videos()
        latent = self.backbone.encode_video(source)
        inputs = self._inputs(case, latent)
        # A variant may spell out what is the preset's value anyway; such twins are edited once.
        done: dict[object, tuple[int, float, Verdict]] = {}
        results = []
        for variant in variants:
            editor = None if variant.editor is None else editors.get(variant.editor)
            params = editor and editor.parse({**self.settings.params_for(editor.name), **variant.params})
            key = (variant.editor, params)
            if key not in done:
                oracle = self.backbone.oracle()
                started, edited = time.process_time(), latent
                if editor is not None:
                    for step in editor.edit(oracle, inputs, params):
                        edited = step.z
                seconds = time.process_time() - started
                output = torch.cat(list(self.backbone.decode_video(edited)), dim=1)
                done[key] = (oracle.forwards, seconds, judge(case, output))
            about = (case.change, case.marking, case.frames, case.fast)
            results.append(Result(case.name, variant.name, *about, *done[key]))
        return results

    def _inputs(self, case: Case, latent: torch.Tensor) -> editors.EditInputs:
        backbone, settings = self.backbone, self.settings
        prompts = [case.source_prompt, case.target_prompt, settings.negative_prompt]
        source, target, negative = backbone.encode_text(prompts)
        tokens = target_tokens(backbone.tokenizer, case.source_prompt, case.target_prompt, case.words)
        rows, columns = (backbone.strides[1] * side for side in backbone.patch[1:])
        native = (self.card.native_frames - 1) // backbone.strides[0] + 1
        return editors.EditInputs(
            source=latent,
            conditioning=editors.Conditioning(source, target, negative, backbone.text_length, tokens.indices),
            sigmas=wan_sigmas(settings.steps, settings.shift),
            skip=settings.skip,
            seed=self.seed,
            mask=to_token_grid(case.mark(), backbone.strides[0], rows, columns),
            windows=plan_windows(latent.shape[2], native, settings.overlap),
        )


_bench: Bench
_variants: tuple[Variant, ...]


def _start(folder: Path, settings: Preset, variants: tuple[Variant, ...], seed: int, threads: int) -> None:
    global _bench, _variants
    torch.set_num_threads(threads)
    _bench, _variants = Bench(folder, settings, seed), variants


def _edit_case(case: Case) -> list[Result]:
    return _bench.edit(case, _variants)


def _mark(folder: Path, settings: Preset, variants: Sequence[Variant], seed: int) -> str:
    """What results depend on, so that a log never mixes two models or two settings."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.safetensors")):
        digest.update(path.read_bytes())
    rows = [(v.name, v.editor, sorted(v.params.items())) for v in variants]
    digest.update(repr((asdict(settings), rows, seed)).encode())
    return digest.hexdigest()[:16]


def _read(log: Path, mark: str) -> dict[tuple[str, str], Result]:
    known: dict[tuple[str, str], Result] = {}
    if log.exists():
        for line in log.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            if entry.pop("mark") == mark:
                result = Result(**{**entry, "verdict": Verdict(**entry["verdict"])})
                known[result.case, result.variant] = result
    return known
