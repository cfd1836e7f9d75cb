# SPDX-License-Identifier: Apache-2.0
import torch
from torch import Tensor
from torch.nn import functional as F

from flowanchor_core.preview import fit_projection, project


def encode(picture: Tensor) -> Tensor:
    """A toy VAE of stride 4 whose five latent channels are linear in the colours."""
    generator = torch.Generator().manual_seed(5)
    matrix, offset = torch.randn(5, 3, generator=generator), torch.randn(5, generator=generator)
    small = F.avg_pool2d(picture[:, 0][None], 4)[0]
    return (torch.einsum("ck,khw->chw", matrix, small) + offset[:, None, None])[None, :, None]


def test_a_linear_vae_is_inverted() -> None:
    picture = torch.rand(3, 1, 32, 48) * 2 - 1
    colours = F.avg_pool2d((picture[:, 0][None] + 1) / 2, 4)[0].permute(1, 2, 0)
    preview = project(encode(picture), fit_projection(encode, stride=4))
    assert preview.shape == (1, 8, 12, 3)
    assert preview.dtype == torch.uint8
    assert (preview[0].float() / 255 - colours).abs().max() < 2 / 255


def test_colours_out_of_range_are_clipped() -> None:
    preview = project(100 * torch.randn(1, 5, 2, 4, 4), fit_projection(encode, stride=4))
    assert preview.min() == 0
    assert preview.max() == 255
