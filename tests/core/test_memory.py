# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import torch

from flowanchor_core.memory import MemoryPlan


def test_the_smaller_plan_computes_the_same_way_in_less() -> None:
    plan = MemoryPlan(dtype=torch.bfloat16, text_dtype=torch.bfloat16)
    small = plan.smaller()
    assert not small.resident
    assert not small.batched
    assert small.vae_tile > small.vae_overlap > 0
    assert replace(small, resident=True, batched=True, vae_tile=0) == plan


def test_there_is_nothing_smaller_than_the_small_plan() -> None:
    small = MemoryPlan().smaller()
    assert small.smaller() == small
