# SPDX-License-Identifier: Apache-2.0
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLWan, WanPipeline
from torch.nn import functional as F

from flowanchor_core import backbone as module
from flowanchor_core import editors
from flowanchor_core.backbone import Backbone
from flowanchor_core.editors import Conditioning, EditInputs
from flowanchor_core.errors import InputError
from flowanchor_core.memory import MemoryPlan
from flowanchor_core.schedule import wan_sigmas
from flowanchor_core.tokens import target_tokens


@pytest.fixture(scope="module")
def backbone(wan_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return Backbone.load(wan_folder, cache_folder=tmp_path_factory.mktemp("text"))


@pytest.fixture(scope="module")
def vae(wan_folder: Path) -> Any:
    return AutoencoderKLWan.from_pretrained(wan_folder / "vae").eval()


def statistics(vae: Any) -> tuple[torch.Tensor, torch.Tensor]:
    mean, std = (
        torch.tensor(values).view(1, -1, 1, 1, 1)
        for values in (vae.config.latents_mean, vae.config.latents_std)
    )
    return mean, std


def test_a_backbone_knows_its_model(backbone: Backbone) -> None:
    assert backbone.text_length == 16
    assert backbone.strides == (4, 4)
    assert backbone.patch == (1, 2, 2)


def test_without_a_card_text_is_padded_as_wan_does(wan_folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "plain"
    other.mkdir()
    for part in ("transformer", "vae", "text_encoder", "tokenizer"):
        (other / part).symlink_to(wan_folder / part)
    assert Backbone.load(other, cache_folder=tmp_path).text_length == 512


@pytest.mark.parametrize("frames", [1, 5, 17])
def test_encoding_frame_by_frame_equals_encoding_the_whole(backbone: Backbone, vae: Any, frames: int) -> None:
    torch.manual_seed(0)
    video = torch.rand(3, frames, 32, 24) * 2 - 1
    mean, std = statistics(vae)
    with torch.no_grad():
        expected = (vae.encode(video[None]).latent_dist.mode() - mean) / std
    assert torch.equal(backbone.encode_video(video), expected)
    assert torch.equal(backbone.encode_video(torch.split(video, 1, dim=1)), expected)
    assert torch.equal(backbone.encode_video(iter(torch.split(video, 3, dim=1))), expected)


def test_decoding_frame_by_frame_equals_decoding_the_whole(backbone: Backbone, vae: Any) -> None:
    latent = torch.randn(1, 4, 4, 8, 6)
    mean, std = statistics(vae)
    with torch.no_grad():
        expected = vae.decode(latent * std + mean).sample[0]
    chunks = list(backbone.decode_video(latent))
    assert [chunk.shape[1] for chunk in chunks] == [1, 4, 4, 4]
    assert torch.equal(torch.cat(chunks, dim=1), expected)


def test_a_decode_left_early_or_interleaved_disturbs_no_other(backbone: Backbone) -> None:
    latent = torch.randn(1, 4, 3, 8, 6)
    expected = torch.cat(list(backbone.decode_video(latent)), dim=1)
    abandoned = backbone.decode_video(torch.randn(1, 4, 3, 8, 6))
    next(abandoned)
    chunks = []
    for chunk in backbone.decode_video(latent):
        chunks.append(chunk)
        next(abandoned, None)
        backbone.encode_video(torch.zeros(3, 1, 8, 8))
    assert torch.equal(torch.cat(chunks, dim=1), expected)


@pytest.mark.parametrize("shape", [(3, 2, 32, 32), (3, 0, 32, 32), (3, 1, 36, 32), (3, 5, 32, 20)])
def test_sizes_the_model_cannot_take_are_refused(backbone: Backbone, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        backbone.encode_video(torch.zeros(shape))


def test_a_failure_of_the_frame_source_is_not_mistaken_for_a_wrong_count(backbone: Backbone) -> None:
    def broken() -> Iterator[torch.Tensor]:
        yield torch.zeros(3, 1, 8, 8)
        raise ValueError("the decoder tripped")

    with pytest.raises(ValueError, match="tripped"):
        backbone.encode_video(broken())


def test_unpadded_text_equals_padded_text(backbone: Backbone, wan_folder: Path) -> None:
    pipeline = WanPipeline.from_pretrained(wan_folder)
    prompts = ["a red circle and a blue square", "", "a kangaroo on the grass"]
    with torch.no_grad():
        padded = pipeline.encode_prompt(prompts, do_classifier_free_guidance=False, max_sequence_length=16)[0]
    for embedding, reference in zip(backbone.encode_text(prompts), padded, strict=True):
        torch.testing.assert_close(
            F.pad(embedding, (0, 0, 0, 16 - len(embedding))), reference.float(), atol=1e-6, rtol=0
        )


def test_text_is_cleaned_as_the_token_indices_expect(backbone: Backbone) -> None:
    a, b = backbone.encode_text(["a red   cat\n", "a red cat"])
    assert torch.equal(a, b)
    found = target_tokens(backbone.tokenizer, "a cat", " a red   cat\n")
    assert max(found.indices) < len(a)


def test_a_prompt_the_model_cannot_hold_is_refused(backbone: Backbone) -> None:
    backbone.encode_text(["a " * 15])
    with pytest.raises(InputError, match="17 tokens"):
        backbone.encode_text(["a " * 16])


def test_a_known_text_needs_no_encoder(
    wan_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Backbone.load(wan_folder, cache_folder=tmp_path).encode_text(["a red cat"])[0]
    monkeypatch.setattr(module, "load_component", _refuse_to_load)
    again = Backbone.load(wan_folder, cache_folder=tmp_path)
    assert torch.equal(again.encode_text(["a red cat"])[0], first)
    with pytest.raises(AssertionError):
        again.encode_text(["a blue cat"])


def _refuse_to_load(*_: object) -> None:
    raise AssertionError("a component was loaded")


def garble(path: Path) -> None:
    path.write_bytes(b"garbage")


def shorten(path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"embedding": torch.zeros(1, 16)}, path)


@pytest.mark.parametrize("damage", [garble, shorten])
def test_a_damaged_cache_file_is_made_again(
    wan_folder: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    first = Backbone.load(wan_folder, cache_folder=tmp_path).encode_text(["a red cat"])[0]
    (file,) = tmp_path.iterdir()
    sound = file.read_bytes()
    damage(file)
    again = Backbone.load(wan_folder, cache_folder=tmp_path).encode_text(["a red cat"])[0]
    assert torch.equal(again, first)
    assert file.read_bytes() == sound


def test_a_cache_that_cannot_be_written_does_not_fail_the_edit(wan_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    loaded = Backbone.load(wan_folder, cache_folder=tmp_path / "file")
    assert loaded.encode_text(["a cat"])[0].shape == (3, 16)


def test_shards_hold_the_same_model(backbone: Backbone, sharded_wan_folder: Path, tmp_path: Path) -> None:
    sharded = Backbone.load(sharded_wan_folder, cache_folder=tmp_path)
    whole = backbone.transformer.state_dict()
    assert sharded.transformer.state_dict().keys() == whole.keys()
    assert all(torch.equal(tensor, whole[name]) for name, tensor in sharded.transformer.state_dict().items())
    assert torch.equal(sharded.encode_text(["a cat"])[0], backbone.encode_text(["a cat"])[0])


def test_components_compute_in_the_plans_precision(wan_folder: Path, tmp_path: Path) -> None:
    plan = MemoryPlan(dtype=torch.bfloat16, resident=False, batched=False)
    loaded = Backbone.load(wan_folder, plan, cache_folder=tmp_path)
    oracle = loaded.oracle()
    assert oracle.dtype == torch.bfloat16
    assert not oracle.batched
    latent = loaded.encode_video(torch.zeros(3, 5, 16, 16))
    assert latent.dtype == torch.float32
    assert len(list(loaded.decode_video(latent))) == 2


def test_a_preview_moves_no_component(
    wan_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In the middle of an edit the transformer is on its device and must stay there.
    loaded = Backbone.load(wan_folder, MemoryPlan(resident=False), cache_folder=tmp_path)
    latent = loaded.encode_video(torch.zeros(3, 5, 16, 16))
    monkeypatch.setattr(Backbone, "_use", _refuse_to_load)
    assert loaded.preview(latent).shape == (2, 4, 4, 3)


def test_a_plan_for_a_device_that_is_not_there_is_refused() -> None:
    for name in ("cuda:99", "abacus"):
        with pytest.raises(InputError, match=name):
            MemoryPlan.choose(name)
    assert MemoryPlan.choose("cpu").compute == torch.device("cpu")


def test_an_edit_runs_from_pictures_to_pictures(backbone: Backbone) -> None:
    torch.manual_seed(0)
    latent = backbone.encode_video(torch.rand(3, 5, 16, 24) * 2 - 1)
    prompts = ["a red cat", "a blue cat", ""]
    target = target_tokens(backbone.tokenizer, *prompts[:2])
    source, target_text, negative = backbone.encode_text(prompts)
    conditioning = Conditioning(source, target_text, negative, backbone.text_length, target.indices)
    mask = torch.zeros(2, 2, 3, dtype=torch.bool)
    mask[:, 0, 1] = True
    inputs = EditInputs(latent, conditioning, wan_sigmas(4, 3.0), 1, 0, mask, (range(2),))
    editor = editors.get("flowanchor")
    *_, last = editor.edit(backbone.oracle(), inputs, editor.parse({}))
    assert torch.cat(list(backbone.decode_video(last.z)), dim=1).shape == (3, 5, 16, 24)
    assert backbone.preview(last.z).shape == (2, 4, 6, 3)


def test_weights_read_ahead_are_the_ones_an_edit_uses(
    wan_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = Backbone.load(wan_folder, cache_folder=tmp_path)
    assert list(loaded.read_weights()) == ["vae", "transformer"]
    monkeypatch.setattr(module, "load_component", _refuse_to_load)
    latent = loaded.encode_video(torch.zeros(3, 5, 16, 16))
    assert loaded.preview(latent).shape == (2, 4, 4, 3)
    assert loaded.transformer is loaded.transformer


def test_a_fingerprint_changes_with_the_weights_and_the_precision(
    backbone: Backbone, wan_folder: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(wan_folder, tmp_path / "other")
    weights = next((other / "transformer").glob("*.safetensors"))
    assert Backbone.load(other, cache_folder=tmp_path).fingerprint() == backbone.fingerprint()
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert Backbone.load(other, cache_folder=tmp_path).fingerprint() != backbone.fingerprint()
    half = Backbone.load(wan_folder, MemoryPlan(dtype=torch.bfloat16), cache_folder=tmp_path)
    assert half.fingerprint() != backbone.fingerprint()
    small = Backbone.load(wan_folder, MemoryPlan().smaller(), cache_folder=tmp_path)
    assert small.fingerprint() == backbone.fingerprint()


def test_without_room_for_all_only_the_part_at_work_is_held(wan_folder: Path, tmp_path: Path) -> None:
    loaded = Backbone.load(wan_folder, MemoryPlan().smaller(), cache_folder=tmp_path)
    loaded.encode_text(["a red cat"])
    latent = loaded.encode_video(torch.zeros(3, 5, 16, 16))
    assert list(loaded._loaded) == ["vae"]
    assert loaded.oracle().transformer is loaded.transformer
    assert list(loaded._loaded) == ["transformer"]
    assert len(list(loaded.decode_video(latent))) == 2
