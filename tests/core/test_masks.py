# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from flowanchor_core.errors import InputError
from flowanchor_core.masks import Box, Keyframe, Polygon, Scribble, rasterize, to_token_grid


@given(st.integers(0, 16), st.integers(0, 31), st.integers(0, 47))
def test_one_pixel_lights_exactly_its_token(frame: int, y: int, x: int) -> None:
    mask = torch.zeros(17, 32, 48, dtype=torch.bool)
    mask[frame, y, x] = True
    tokens = to_token_grid(mask)
    assert tokens.shape == (5, 2, 3)
    # Frame 0 stands alone; latent frame j covers pixel frames 4j-3 .. 4j.
    assert tokens.nonzero().tolist() == [[(frame + 3) // 4, y // 16, x // 16]]


@given(st.integers(0, 2**16), st.integers(0, 4), st.sampled_from([(4, 8, 8), (4, 16, 16), (2, 4, 8)]))
def test_a_token_is_in_when_any_of_its_pixels_is(seed: int, rest: int, cell: tuple[int, int, int]) -> None:
    stride, high, wide = cell
    torch.manual_seed(seed)
    mask = torch.rand(1 + stride * rest, 3 * high, 2 * wide) > 0.99
    tokens = to_token_grid(mask, *cell)
    for frame, row, column in torch.cartesian_prod(*(torch.arange(n) for n in tokens.shape)).tolist():
        frames = slice(0, 1) if frame == 0 else slice(stride * (frame - 1) + 1, stride * frame + 1)
        pixels = mask[frames, row * high : (row + 1) * high, column * wide : (column + 1) * wide]
        assert tokens[frame, row, column] == pixels.any()


def test_soft_masks_count_from_one_half() -> None:
    mask = torch.zeros(1, 16, 32)
    mask[0, 3, 3], mask[0, 3, 20] = 0.5, 0.49
    assert to_token_grid(mask).tolist() == [[[True, False]]]


@pytest.mark.parametrize("shape", [(4, 16, 16), (1, 17, 16), (1, 16, 15), (16, 16), (0, 16, 16)])
def test_masks_off_the_grid_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError):
        to_token_grid(torch.zeros(shape))


@given(st.integers(-5, 25), st.integers(-5, 25), st.integers(1, 30), st.integers(1, 30))
def test_a_box_covers_its_pixels_and_is_cut_at_the_border(x: int, y: int, width: int, height: int) -> None:
    expected = torch.zeros(2, 18, 20, dtype=torch.bool)
    expected[:, max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = True
    assert torch.equal(rasterize(Box(x, y, width, height), 2, 18, 20), expected)


def test_a_polygon_moves_linearly_between_keyframes_and_holds_outside() -> None:
    def square(x: float) -> tuple[tuple[float, float], ...]:
        return ((x, 2), (x + 4, 2), (x + 4, 6), (x, 6))

    shape = Polygon((Keyframe(6, square(12)), Keyframe(2, square(4))))
    mask = rasterize(shape, 9, 10, 20)
    for frame, x in enumerate([4, 4, 4, 6, 8, 10, 12, 12, 12]):
        assert torch.equal(mask[frame : frame + 1], rasterize(Box(x, 2, 4, 4), 1, 10, 20))


@given(st.lists(st.tuples(st.floats(-3, 23), st.floats(-3, 23)), min_size=3, max_size=6))
def test_polygon_fill_agrees_with_counting_crossings(points: list[tuple[float, float]]) -> None:
    mask = rasterize(Polygon((Keyframe(0, tuple(points)),)), 1, 20, 20)[0]
    for row in range(0, 20, 3):
        for column in range(20):
            y, x, crossings = row + 0.5, column + 0.5, 0
            for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
                if (y0 <= y) != (y1 <= y) and x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x:
                    crossings += 1
            assert mask[row, column] == (crossings % 2 == 1)


def test_a_scribble_is_as_wide_as_asked_with_round_caps() -> None:
    stroke = Scribble((Keyframe(0, ((10.0, 10.5), (30.0, 10.5))),), width=5)
    mask = rasterize(stroke, 1, 21, 40)[0]
    assert mask[:, 20].nonzero().flatten().tolist() == [8, 9, 10, 11, 12]
    assert mask[10].nonzero().flatten().tolist() == list(range(7, 33))
    assert mask[10, 7]
    assert not mask[8, 7]


def test_a_scribble_of_one_point_is_a_dot_and_follows_its_keyframes() -> None:
    dot = Scribble((Keyframe(0, ((5.5, 5.5),)), Keyframe(4, ((9.5, 5.5),))), width=1)
    assert rasterize(dot, 5, 12, 12).nonzero().tolist() == [[t, 5, 5 + t] for t in range(5)]


def test_several_shapes_are_united() -> None:
    both = rasterize([Box(0, 0, 3, 3), Box(5, 5, 3, 3)], 1, 10, 10)
    assert both.sum() == 18
    assert not rasterize([], 1, 10, 10).any()


@pytest.mark.parametrize(
    "shape",
    [
        Box(0, 0, 0, 5),
        Box(0, 0, float("nan"), 5),
        Polygon(()),
        Polygon((Keyframe(0, ((0, 0), (1, 1))),)),
        Polygon((Keyframe(0, ((0, 0), (1, 1), (2, 0))), Keyframe(1, ((0, 0),) * 4))),
        Polygon((Keyframe(0, ((0, 0), (1, 1), (2, 0))), Keyframe(0, ((0, 0), (1, 1), (2, 0))))),
        Polygon((Keyframe(0, ((0, 0), (1, float("inf")), (2, 0))),)),
        Scribble((Keyframe(0, ((0, 0),)),), width=0),
        Scribble((Keyframe(0, ()),), width=3),
        Box(0, 0, 10**400, 5),
        Box(-(10**5000), 0, 5, 5),
        Box(1e308, 0, 1e308, 5),
        Scribble((Keyframe(0, ((0, 0),)),), width=10**5000),
        Scribble((Keyframe(0, ((0, 10**400),)),), width=3),
        Scribble((Keyframe(10**400, ((0, 0),)),), width=3),
    ],
)
def test_senseless_geometry_is_refused(shape: Box | Polygon | Scribble) -> None:
    with pytest.raises(InputError, match=r"box|polygon|scribble"):
        rasterize(shape, 3, 10, 10)


def test_an_empty_picture_is_refused() -> None:
    with pytest.raises(InputError):
        rasterize(Box(0, 0, 1, 1), 0, 10, 10)
