# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import types_pb2
from flowanchor_daemon.engine.request_of import request_of, value_of
from flowanchor_daemon.engine.result_of import value_to
from hypothesis import given
from hypothesis import strategies as st

from flowanchor_core.errors import InputError
from flowanchor_core.geometry import Box, Keyframe, Polygon, Scribble
from flowanchor_core.request import EditRequest, RegionSettings


def run_of(**edit: object) -> engine_pb2.Run:
    return engine_pb2.Run(
        job="j",
        edit=types_pb2.EditRequest(**edit),  # type: ignore[arg-type]
        clip=engine_pb2.ClipFiles(path="/in/clip.mov"),
        masks=[engine_pb2.ClipFiles(path="/in/mask0.png"), engine_pb2.ClipFiles(path="/in/mask1")],
        output_folder="/out",
    )


def test_what_is_left_out_is_the_cores_default() -> None:
    request = request_of(run_of(source_prompt="a", target_prompt="b"))
    plain = EditRequest(request.clip, request.delivery, "a", "b", masks=request.masks)
    assert request == plain
    assert request.clip == Path("/in/clip.mov")
    assert request.masks == (Path("/in/mask0.png"), Path("/in/mask1"))
    assert request.delivery.out == Path("/out/result.mp4")


def test_everything_that_decides_is_carried_over() -> None:
    keyframes = [
        types_pb2.Keyframe(frame=3, points=[types_pb2.Point(x=1, y=2.5)]),
        types_pb2.Keyframe(frame=9, points=[types_pb2.Point(x=4, y=5)]),
    ]
    request = request_of(
        run_of(
            clip=types_pb2.Clip(rate=types_pb2.Rational(numerator=24000, denominator=1001)),
            first=4,
            last=0,
            geometry=[
                types_pb2.Geometry(box=types_pb2.Box(x=1, y=2, width=3, height=4)),
                types_pb2.Geometry(polygon=types_pb2.Polygon(keyframes=keyframes)),
                types_pb2.Geometry(scribble=types_pb2.Scribble(keyframes=keyframes, width=2.5)),
            ],
            source_prompt="a red fox",
            target_prompt="a blue owl",
            words=["blue", "owl"],
            negative_prompt="",
            editor="flowedit",
            parameters={
                "tau": types_pb2.ParameterValue(number=0.5),
                "n_avg": types_pb2.ParameterValue(integer=2),
                "blend": types_pb2.ParameterValue(flag=False),
                "contrast": types_pb2.ParameterValue(text="signed"),
            },
            model="wan",
            preset="draft",
            sampling=types_pb2.Sampling(steps=9, shift=2.5, skip=0),
            seed=2**63 - 1,
            region=types_pb2.RegionSettings(margin=0, mode="fast", grow=3, feather=0, invert=True),
            delivery=types_pb2.DeliverySettings(kind="full", format="prores", container=".mkv", sheet=True),
        )
    )
    points = (Keyframe(3, ((1, 2.5),)), Keyframe(9, ((4, 5),)))
    assert request.rate == Fraction(24000, 1001)
    assert (request.first, request.last) == (4, 0)
    assert request.geometry == (Box(1, 2, 3, 4), Polygon(points), Scribble(points, 2.5))
    assert (request.source_prompt, request.target_prompt) == ("a red fox", "a blue owl")
    assert request.words == ("blue", "owl")
    assert request.negative_prompt == ""
    assert request.editor == "flowedit"
    assert request.params == {"tau": 0.5, "n_avg": 2, "blend": False, "contrast": "signed"}
    assert (request.model, request.preset) == ("wan", "draft")
    assert (request.steps, request.shift, request.skip) == (9, 2.5, 0)
    assert request.seed == 2**63 - 1
    assert request.region == RegionSettings(0, "fast", 3, 0, invert=True)
    assert (request.delivery.kind, request.delivery.format) == ("full", "prores")
    assert request.delivery.out == Path("/out/result.mkv")
    assert request.sheet == Path("/out/sheet.png")


@pytest.mark.parametrize(
    ("kind", "form", "container", "name"),
    [
        ("", "", "", "result.mp4"),
        ("full", "ffv1", "", "result.mkv"),
        ("full", "h264", ".mov", "result.mov"),
        ("full", "png", "", "result.%06d.png"),
        ("patch", "", "", "result.mov"),
        ("patch", "png", "", "result.%06d.png"),
    ],
)
def test_results_get_names_of_our_own(kind: str, form: str, container: str, name: str) -> None:
    settings = types_pb2.DeliverySettings(kind=kind, format=form, container=container)
    assert request_of(run_of(delivery=settings)).delivery.out == Path("/out") / name


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        ({"delivery": types_pb2.DeliverySettings(kind="half")}, "kind-unknown"),
        ({"delivery": types_pb2.DeliverySettings(kind="patch", format="h264")}, "format-unknown"),
        ({"delivery": types_pb2.DeliverySettings(container="/../x.mp4")}, "output-name"),
        ({"delivery": types_pb2.DeliverySettings(container=".avi")}, "output-name"),
        ({"geometry": [types_pb2.Geometry()]}, "mask-geometry"),
        ({"clip": types_pb2.Clip(rate=types_pb2.Rational(numerator=1))}, "rate-out-of-range"),
    ],
)
def test_what_has_no_meaning_is_refused(edit: dict[str, object], code: str) -> None:
    with pytest.raises(InputError) as caught:
        request_of(run_of(**edit))
    assert caught.value.code == code


@given(
    st.one_of(
        st.booleans(),
        st.integers(min_value=-(2**63), max_value=2**63 - 1),
        st.floats(allow_nan=False),
        st.text(),
    )
)
def test_a_parameters_value_and_type_survive(value: bool | int | float | str) -> None:
    back = value_of(types_pb2.ParameterValue.FromString(value_to(value).SerializeToString()))
    assert back == value
    assert type(back) is type(value)
