# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from flowanchor_core.backbone import Backbone
from flowanchor_core.errors import InputError, ModelRunError
from flowanchor_core.failures import model_at_work, ran_out_of_memory, require_finite


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (MemoryError(), "out-of-memory"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "out-of-memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "out-of-memory"),
        (RuntimeError("std::bad_alloc"), "out-of-memory"),
        (RuntimeError("could not create a primitive"), "out-of-memory"),
        (RuntimeError("shapes cannot be multiplied\nTraceback of a kernel"), "model-failed"),
        (RuntimeError(), "model-failed"),
    ],
)
def test_what_a_model_raises_becomes_one_sentence(failure: Exception, code: str) -> None:
    with pytest.raises(ModelRunError) as caught, model_at_work("velocities"):
        raise failure
    assert caught.value.code == code
    assert "velocities" in caught.value.message
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is failure


def test_memory_that_ran_out_is_seen_through_what_was_raised_later() -> None:
    plain, later = ValueError("no file of this format"), ValueError("no file of this format")
    later.__context__ = ValueError("neither of that one")
    later.__context__.__context__ = OSError(12, "Cannot allocate memory")
    assert ran_out_of_memory(later)
    assert not ran_out_of_memory(plain)


@pytest.mark.parametrize("failure", [InputError("a", "Bad.", "Fix it."), ZeroDivisionError("x")])
def test_anything_else_passes_through(failure: Exception) -> None:
    with pytest.raises(type(failure)) as caught, model_at_work("velocities"):
        raise failure
    assert caught.value is failure


def test_numbers_pass() -> None:
    require_finite(torch.tensor([0.0, -1e30]), "here")


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_pictures_that_are_no_numbers_are_refused(
    bad: float, wan_backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Infinite samples would be clamped to white, NaN ones be written as black.
    decoder = wan_backbone._use("vae").decoder
    hook = decoder.register_forward_hook(lambda module, given, out: out.index_fill(4, torch.tensor([0]), bad))
    try:
        with pytest.raises(ModelRunError, match="decoded frame") as caught:
            list(wan_backbone.decode_video(torch.zeros(1, 4, 2, 4, 4)))
    finally:
        hook.remove()
    assert caught.value.code == "model-not-finite"


def test_frames_and_prompts_that_are_no_numbers_are_refused(wan_backbone: Backbone) -> None:
    for name, call in (
        ("vae", lambda: wan_backbone.encode_video(torch.zeros(3, 1, 16, 16))),
        ("text_encoder", lambda: wan_backbone.encode_text(["a red owl"])),
    ):
        weight = next(wan_backbone._use(name).parameters())
        before = weight.clone()
        weight.fill_(float("nan"))
        with pytest.raises(ModelRunError) as caught:
            call()
        weight.copy_(before)
        assert caught.value.code == "model-not-finite"


@pytest.fixture(scope="module")
def wan_backbone(wan_folder: object, tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return Backbone.load(str(wan_folder), cache_folder=tmp_path_factory.mktemp("cache"))
