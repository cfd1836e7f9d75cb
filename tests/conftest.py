# SPDX-License-Identifier: Apache-2.0
"""What all tests share: folders of their own in place of the user's, and a tiny random Wan text-to-video
model, built and saved with the stock classes."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import isolation

# Enough words for prompts in tests; anything else is spelled by letters.
WORDS = (
    "a",
    "an",
    "the",
    "red",
    "blue",
    "green",
    "circle",
    "square",
    "fox",
    "owl",
    "cat",
    "and",
    "on",
    "grass",
)
TEXT_LENGTH = 16

# Wall-clock deadlines fail on a busy machine and say nothing about the code, and the same code is to pass or
# fail in every run. $FLOWANCHOR_TEST_EXPLORE looks for new examples.
settings.register_profile(
    "flowanchor",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=not os.environ.get("FLOWANCHOR_TEST_EXPLORE"),
    print_blob=True,
)
settings.load_profile("flowanchor")


def pytest_configure(config: pytest.Config) -> None:
    # A script that starts the run in the background hands down an ignored Ctrl-C, which tests are about.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    isolation.begin()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run if a test made one of the user's folders or left a daemon behind."""
    complaints = isolation.complaints()
    for complaint in complaints:
        print(f"\nisolation: {complaint}")
    if complaints and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    isolation.end()


def tiny_tokenizer() -> Any:
    """A small Unigram tokenizer of T5's class."""
    from transformers import T5TokenizerFast

    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -50.0), ("▁", -4.0), (",", -2.0)]
    vocabulary += [(f"▁{word}", -1.0) for word in WORDS]
    vocabulary += [("▁kan", -1.0), ("garo", -1.0), ("o", -1.5), ("-", -5.0)]
    vocabulary += [(letter, -12.0) for letter in "abcdefghijklmnpqrstuvwxyz"]
    return T5TokenizerFast(vocab=vocabulary, extra_ids=0)


def tiny_transformer() -> Any:
    """A random Wan transformer: 2 blocks, 2 heads of 24, 4 latent channels, text of 16 dimensions."""
    import torch
    from diffusers import WanTransformer3DModel

    torch.manual_seed(0)
    return WanTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=24,
        in_channels=4,
        out_channels=4,
        text_dim=16,
        freq_dim=32,
        ffn_dim=64,
        num_layers=2,
        rope_max_seq_len=32,
    ).eval()


def save_tiny_wan(folder: Path, max_shard_size: str = "10GB") -> Path:
    """A whole random model in the diffusers layout: 4x space, 4x time, text padded to 16."""
    import torch
    from diffusers import AutoencoderKLWan, FlowMatchEulerDiscreteScheduler, WanPipeline
    from transformers import UMT5Config, UMT5EncoderModel

    torch.manual_seed(0)
    tokenizer = tiny_tokenizer()
    vae = AutoencoderKLWan(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 2, 2],
        num_res_blocks=1,
        temperal_downsample=[True, True],
        latents_mean=[0.1, -0.2, 0.3, 0.0],
        latents_std=[0.5, 1.0, 2.0, 1.5],
        scale_factor_spatial=4,
    )
    config = UMT5Config(
        vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, dropout_rate=0.0
    )
    pipeline = WanPipeline(
        tokenizer=tokenizer,
        text_encoder=UMT5EncoderModel(config),
        vae=vae,
        transformer=tiny_transformer(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    )
    pipeline.save_pretrained(folder, safe_serialization=True, max_shard_size=max_shard_size)
    (folder / "flowanchor.json").write_text(
        f'{{"text_length": {TEXT_LENGTH}, "native_frames": 17, "native_size": [32, 32]}}'
    )
    return folder


@pytest.fixture(scope="session")
def wan_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a tiny random Wan model; not to be changed (copy it first)."""
    return save_tiny_wan(tmp_path_factory.mktemp("wan"))


@pytest.fixture(scope="session")
def sharded_wan_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model with each component's weights in several files."""
    return save_tiny_wan(tmp_path_factory.mktemp("wan-sharded"), max_shard_size="40KB")


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """The tiny model's tokenizer: some words whole, "kangaroo" in three pieces, the rest by letter."""
    return tiny_tokenizer()


@pytest.fixture
def transformer() -> Any:
    """A tiny random Wan transformer of one's own."""
    return tiny_transformer()
