# SPDX-License-Identifier: Apache-2.0
"""The quality benchmark on the embedded model, at two steps an edit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from flowanchor_core import models, presets
from flowanchor_core.evaluate import quality
from flowanchor_core.evaluate.cases import make_cases
from flowanchor_core.evaluate.quality import Bench, Variant, run
from flowanchor_core.oracle import Query, VelocityOracle

FLOWEDIT = Variant("flowedit", "flowedit")
ANCHORED = Variant("flowanchor", "flowanchor")


@pytest.fixture(scope="module")
def bench() -> Bench:
    folder = models.find_model("shapes")
    settings = replace(presets.get(models.read_card(folder, "shapes"), "standard"), steps=2, skip=0)
    return Bench(folder, settings, seed=0)


def test_variants_differ_and_their_twins_are_edited_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    original = VelocityOracle.velocities

    def counted(self: VelocityOracle, sigma: float, queries: list[Query]) -> list[torch.Tensor]:
        asked.append(sigma)
        return original(self, sigma, queries)

    monkeypatch.setattr(VelocityOracle, "velocities", counted)
    case = make_cases("tuning", 1)[0]
    spelt_out = Variant("twin", "flowanchor", bench.settings.params_for("flowanchor"))
    found = bench.edit(case, [Variant("autoencoder alone", None), FLOWEDIT, ANCHORED, spelt_out])
    assert [result.forwards for result in found] == [0, 7, 7, 7]
    assert len(asked) == 4
    assert found[2].verdict == found[3].verdict
    assert found[1].verdict != found[2].verdict
    assert found[0].verdict.keep == 1


def test_the_oracle_batched_and_one_by_one_agree(bench: Bench) -> None:
    case = make_cases("tuning", 1)[0]
    inputs = bench._inputs(case, bench.backbone.encode_video(case.videos()[0]))
    text = inputs.conditioning
    queries = [Query(inputs.source, words) for words in (text.source, text.target, text.negative)]
    transformer = bench.backbone.transformer
    both = [
        VelocityOracle(transformer, text.text_length, batched=batched).velocities(0.7, queries)
        for batched in (True, False)
    ]
    for batched, single in zip(*both, strict=True):
        # Rounding of fp32: 1.1e-6 on these trained weights, nothing at all in fp64.
        assert float((batched - single).norm() / single.norm()) < 2e-6


def test_a_finished_run_is_read_from_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[tuple[int, int]] = []

    def go() -> list[quality.Result]:
        return run(
            "shapes",
            tmp_path,
            split="tuning",
            count=1,
            variants=[Variant("autoencoder alone", None)],
            report=lambda done, total: reported.append((done, total)),
        )

    first = go()
    assert reported == [(0, 1), (1, 1)]
    lines = (tmp_path / "edits-tuning.jsonl").read_text().splitlines()
    assert [json.loads(line)["case"] for line in lines] == ["tuning-000"]

    def broken(*_: object, **__: object) -> None:
        raise AssertionError("a finished run must not edit again")

    monkeypatch.setattr(quality, "ProcessPoolExecutor", broken)
    assert go() == first
