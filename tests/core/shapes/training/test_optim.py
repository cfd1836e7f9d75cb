# SPDX-License-Identifier: Apache-2.0
"""The trainer: Muon's orthogonal updates, descent, and a resumed run that goes on with the same bits."""

from __future__ import annotations

import torch
from torch import nn

from flowanchor_core.shapes.training.optim import Trainer, orthogonalise


def test_orthogonalise_brings_singular_values_near_one() -> None:
    torch.manual_seed(0)
    for shape in ((3, 16, 40), (3, 40, 16)):
        values = torch.linalg.svdvals(orthogonalise(torch.randn(shape)))
        assert float(values.min()) > 0.3
        assert float(values.max()) < 1.3


def _problem() -> tuple[nn.Parameter, nn.Parameter, Trainer, torch.Tensor]:
    torch.manual_seed(1)
    matrix, vector = nn.Parameter(torch.zeros(4, 6)), nn.Parameter(torch.zeros(4))
    trainer = Trainer([matrix], [vector], muon_rate=0.05, adam_rate=0.05, decay=0.9)
    return matrix, vector, trainer, torch.randn(4, 6)


def _step(matrix: nn.Parameter, vector: nn.Parameter, trainer: Trainer, wanted: torch.Tensor) -> float:
    loss = (matrix - wanted).square().mean() + (vector - 1).square().mean()
    trainer.step(torch.autograd.grad(loss, [matrix, vector]), 1.0)
    return float(loss.detach())


def test_training_descends_and_the_average_follows() -> None:
    matrix, vector, trainer, wanted = _problem()
    losses = [_step(matrix, vector, trainer, wanted) for _ in range(200)]
    assert losses[-1] < 0.05 * losses[0]
    live = matrix.detach().clone()
    trainer.swap_average()
    assert not torch.equal(live, matrix)
    assert float((live - matrix.detach()).norm()) < 0.5 * float(live.norm())
    trainer.swap_average()
    assert torch.equal(live, matrix)


def test_a_resumed_run_goes_on_with_the_same_bits() -> None:
    matrix, vector, trainer, wanted = _problem()
    for _ in range(5):
        _step(matrix, vector, trainer, wanted)
    kept = trainer.state()
    for _ in range(5):
        _step(matrix, vector, trainer, wanted)
    other_matrix, other_vector, other, _ = _problem()
    other.restore(kept)
    for _ in range(5):
        _step(other_matrix, other_vector, other, wanted)
    assert torch.equal(matrix, other_matrix)
    assert torch.equal(vector, other_vector)
    assert all(torch.equal(a, b) for a, b in zip(trainer.average, other.average, strict=True))
