# SPDX-License-Identifier: Apache-2.0
"""The stock Wan2.1 classes at the embedded model's sizes, freshly initialised for training."""

from __future__ import annotations

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from transformers import UMT5Config, UMT5EncoderModel

Z_DIM = 16
TEXT_DIM = 128
TEXT_LENGTH = 32
"""Tokens a prompt is padded to. The model attends to its pads, so the length is part of the model."""


def build_vae() -> AutoencoderKLWan:
    """Video autoencoder: 4x in space, 4x in time (first frame alone), 16 latent channels."""
    return AutoencoderKLWan(
        base_dim=16,
        z_dim=Z_DIM,
        dim_mult=[1, 2, 3],
        num_res_blocks=1,
        attn_scales=[],
        temperal_downsample=[True, True],
        scale_factor_spatial=4,
        scale_factor_temporal=4,
        latents_mean=[0.0] * Z_DIM,
        latents_std=[1.0] * Z_DIM,
    )


def build_text_encoder(vocabulary: int) -> UMT5EncoderModel:
    """UMT5 encoder of three layers over `vocabulary` pieces; output width 128."""
    return UMT5EncoderModel(
        UMT5Config(
            vocab_size=vocabulary,
            d_model=TEXT_DIM,
            d_kv=32,
            d_ff=256,
            num_layers=3,
            num_decoder_layers=1,
            num_heads=4,
            relative_attention_num_buckets=32,
            relative_attention_max_distance=64,
            dropout_rate=0.0,
            feed_forward_proj="gated-gelu",
        )
    )


def build_transformer() -> WanTransformer3DModel:
    """Six Wan blocks of width 128. The output starts at zero and gates start open, so that depth trains
    early."""
    transformer = WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=4,
        attention_head_dim=32,
        in_channels=Z_DIM,
        out_channels=Z_DIM,
        text_dim=TEXT_DIM,
        freq_dim=128,
        ffn_dim=512,
        num_layers=6,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        eps=1e-6,
        rope_max_seq_len=128,
    )
    with torch.no_grad():
        transformer.proj_out.weight.zero_()
        transformer.proj_out.bias.zero_()
        transformer.scale_shift_table.zero_()
        transformer.condition_embedder.time_proj.weight.normal_(0, 0.01)
        transformer.condition_embedder.time_proj.bias.zero_()
        for block in transformer.blocks:
            block.scale_shift_table.zero_()
            block.scale_shift_table[:, [2, 5]] = 0.4
    return transformer
