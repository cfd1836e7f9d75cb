# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_daemon.media.quota import MediaLimits
from flowanchor_daemon.queue import requests
from flowanchor_daemon.queue.limits import MAX_REQUEST_BYTES, limits_with
from hypothesis import given
from hypothesis import strategies as st

from flowanchor_core.errors import FlowAnchorError
from flowanchor_core.footage import formats
from tests.daemon.queue.wishes import CLIP, edit

LIMITS = limits_with(MediaLimits())

Edit = types_pb2.EditRequest
Change = Callable[[Edit], object]


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(FlowAnchorError) as refused:
        call()
    assert refused.value.message
    assert refused.value.action
    return refused.value.code


def refused(change: Change) -> str:
    wanted = edit()
    change(wanted)
    return code_of(lambda: requests.normalised(wanted, LIMITS))


def accepted(change: Change) -> Edit:
    wanted = edit()
    change(wanted)
    before = wanted.SerializeToString(deterministic=True)
    made = requests.normalised(wanted, LIMITS)
    assert wanted.SerializeToString(deterministic=True) == before, "the caller's message was changed"
    assert requests.normalised(made, LIMITS) == made, "not a fixed point"
    return made


def test_every_default_is_written_out() -> None:
    made = accepted(lambda e: None)
    assert (made.editor, made.model, made.preset, made.device) == ("flowanchor", "shapes", "standard", "auto")
    assert (made.region.margin, made.region.feather, made.region.mode) == (0.25, 8, "detail")
    assert (made.delivery.kind, made.delivery.format, made.delivery.container) == ("full", "h264", ".mp4")
    assert made.seed_mode == types_pb2.SEED_MODE_FIXED
    assert not made.HasField("last")
    assert not made.HasField("negative_prompt")


def test_what_means_the_same_becomes_the_same_bytes() -> None:
    def explicit(e: Edit) -> None:
        e.editor, e.model, e.preset, e.device = "flowanchor", "shapes", "standard", "auto"
        e.region.margin, e.region.feather = 0.25, 8
        e.delivery.container = ".mp4"

    assert accepted(explicit).SerializeToString(deterministic=True) == accepted(
        lambda e: None
    ).SerializeToString(deterministic=True)


def test_zero_is_not_left_out() -> None:
    def zeros(e: Edit) -> None:
        e.region.margin, e.region.feather = 0, 0
        e.negative_prompt, e.last = "", 0

    made = accepted(zeros)
    assert (made.region.margin, made.region.feather, made.last) == (0, 0, 0)
    assert made.HasField("negative_prompt")


def put(name: str, value: object) -> Change:
    """Set a field by its path."""
    *way, last = name.split(".")

    def change(e: Edit) -> None:
        at = e
        for step in way:
            at = getattr(at, step)
        setattr(at, last, value)

    return change


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("source_prompt", "", "prompt-empty"),
        ("target_prompt", " \n ...!", "prompt-empty"),
        ("target_prompt", "&nbsp;", "prompt-empty"),
        ("target_prompt", " a  red circle", "prompts-equal"),
        ("source_prompt", "x" * 4001, "request-too-large"),
        ("negative_prompt", "x" * 4001, "request-too-large"),
        ("first", -1, "request-invalid"),
        ("last", -1, "request-invalid"),
        ("first", 2**31 - 1, "request-invalid"),
        ("last", 2**31 - 1, "request-invalid"),
        ("last", 100_000, "request-too-large"),
        ("seed", -1, "request-invalid"),
        ("seed_mode", 7, "request-invalid"),
        ("editor", "magic", "unknown-editor"),
        ("editor", "../../editor", "request-invalid"),
        ("preset", "best", "unknown-preset"),
        ("device", "tpu", "request-invalid"),
        ("device", "cuda:", "request-invalid"),
        ("device", "cuda:0\n", "request-invalid"),
        ("region.mode", "slow", "unknown-mode"),
        ("region.margin", math.nan, "request-invalid"),
        ("region.margin", 10.1, "request-invalid"),
        ("region.grow", -1, "request-invalid"),
        ("region.grow", 1001, "request-invalid"),
        ("region.feather", 1001, "request-invalid"),
        ("sampling.steps", 0, "request-invalid"),
        ("sampling.steps", 1001, "request-invalid"),
        ("sampling.skip", -1, "request-invalid"),
        ("sampling.skip", 1000, "request-invalid"),
        ("sampling.shift", 0.0, "request-invalid"),
        ("sampling.shift", math.inf, "request-invalid"),
        ("sampling.shift", math.nan, "request-invalid"),
        ("delivery.kind", "half", "kind-unknown"),
        ("delivery.format", "gif", "format-unknown"),
        ("delivery.format", "prores4444", "format-unknown"),
        ("delivery.container", ".avi", "request-invalid"),
        ("delivery.container", "/../x.mp4", "request-invalid"),
        ("host_context", b"x" * 65537, "request-too-large"),
        ("clip.movie.sha256", CLIP.upper(), "request-invalid"),
        ("clip.movie.sha256", CLIP + "\n", "request-invalid"),
        ("clip.movie.sha256", "../" + CLIP[3:], "request-invalid"),
        ("clip.movie.sha256", "", "request-invalid"),
        ("clip.movie.suffix", "", "media-kind"),
        ("clip.movie.suffix", ".m3u8", "media-kind"),
        ("clip.movie.suffix", ".png", "media-kind"),
        ("clip.movie.suffix", ".MP4", "media-kind"),
        ("clip.movie.suffix", "/../../x.mp4", "media-kind"),
        ("clip.movie.name", "n" * 256, "request-too-large"),
        ("clip.rate.numerator", 24, "request-invalid"),
    ],
)
def test_what_cannot_be_used_is_refused(name: str, value: object, code: str) -> None:
    assert refused(put(name, value)) == code


@pytest.mark.parametrize(
    "model", ["../shapes", "/etc", "a/b", "a\\b", "..", ".hidden", "a\0", "x" * 101, "-x", "sh\n"]
)
def test_a_models_name_is_never_a_path(model: str) -> None:
    assert refused(put("model", model)) == "request-invalid"


def test_skip_stays_below_the_steps() -> None:
    def both(e: Edit) -> None:
        e.sampling.steps, e.sampling.skip = 5, 5

    assert refused(both) == "request-invalid"
    assert accepted(put("sampling.skip", 4)).sampling.skip == 4


def test_a_range_ends_after_it_begins() -> None:
    def backwards(e: Edit) -> None:
        e.first, e.last = 5, 4

    assert refused(backwards) == "request-invalid"


def test_an_edit_needs_a_region() -> None:
    assert refused(lambda e: e.ClearField("geometry")) == "no-region"


def test_an_edit_needs_a_clip() -> None:
    assert refused(lambda e: e.ClearField("clip")) == "request-invalid"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (types_pb2.ParameterValue(number=math.nan), "parameter-value"),
        (types_pb2.ParameterValue(number=1e9), "parameter-value"),
        (types_pb2.ParameterValue(flag=True), "parameter-value"),
        (types_pb2.ParameterValue(text="much"), "parameter-value"),
        (types_pb2.ParameterValue(), "request-invalid"),
    ],
)
def test_parameters_are_the_editors(value: types_pb2.ParameterValue, code: str) -> None:
    assert refused(lambda e: e.parameters["target_guidance"].CopyFrom(value)) == code


def test_parameters_of_the_right_type_are_kept() -> None:
    made = accepted(lambda e: e.parameters["n_avg"].CopyFrom(types_pb2.ParameterValue(integer=2)))
    assert made.parameters["n_avg"].integer == 2
    assert (
        refused(lambda e: e.parameters["speed"].CopyFrom(types_pb2.ParameterValue(integer=2)))
        == "unknown-parameter"
    )


def many_parameters(e: Edit) -> None:
    for number in range(101):
        e.parameters[f"p{number}"].flag = True


def test_too_much_of_anything_is_refused_before_it_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> None:
        raise AssertionError("it was copied")

    monkeypatch.setattr(requests, "types_pb2", SimpleNamespace(EditRequest=never))
    many: list[Change] = [
        lambda e: e.masks.extend([e.clip] * (LIMITS.max_masks + 1)),
        lambda e: e.words.extend(["word"] * 101),
        many_parameters,
        put("host_context", b"x" * (MAX_REQUEST_BYTES + 1)),
    ]
    for change in many:
        assert refused(change) == "request-too-large"


def test_words_stand_in_the_target_prompt() -> None:
    """Said at once, and not by a job once its model is loaded."""
    assert refused(lambda e: e.words.extend(["blue", "fox"])) == "target-word-missing"
    assert accepted(lambda e: e.words.extend(["blue Circle"])).words == ["blue Circle"]


def images(e: Edit, count: int, suffix: str = ".png") -> types_pb2.ImageSequence:
    e.clip.images.frames.extend([types_pb2.MediaRef(sha256=CLIP, suffix=suffix, name="f.png")] * count)
    return e.clip.images


def test_image_sequences_are_checked_frame_by_frame() -> None:
    assert len(accepted(lambda e: images(e, 3)).clip.images.frames) == 3

    def mixed(e: Edit) -> None:
        images(e, 2).frames[1].suffix = ".jpg"

    def bad_hash(e: Edit) -> None:
        images(e, 2).frames[1].sha256 = "no"

    def numbers(e: Edit) -> None:
        images(e, 2).first_number = -1

    def none(e: Edit) -> None:
        images(e, 0).first_number = 1

    assert [refused(change) for change in (mixed, bad_hash, numbers, none)] == ["request-invalid"] * 4
    assert refused(lambda e: images(e, 2, ".mp4")) == "media-kind"
    assert refused(lambda e: images(e, LIMITS.max_frames + 1)) == "request-too-large"


@pytest.mark.parametrize(
    ("numerator", "denominator"),
    [(0, 1), (-24, 1), (24, 0), (24, -1), (2001, 2), (1, 1001), (2**62, 2**62 - 1)],
)
def test_a_rate_that_cannot_be_written_is_refused(numerator: int, denominator: int) -> None:
    assert refused(lambda e: rate(e, numerator, denominator)) == "request-invalid"


def test_rates_are_kept_exactly_in_lowest_terms() -> None:
    assert accepted(lambda e: rate(e, 2000, 2)).clip.rate == types_pb2.Rational(numerator=1000, denominator=1)
    made = accepted(lambda e: rate(e, 24000, 1001))
    assert made.clip.rate == types_pb2.Rational(numerator=24000, denominator=1001)


def rate(e: Edit, numerator: int, denominator: int) -> None:
    images(e, 1)
    e.clip.rate.numerator, e.clip.rate.denominator = numerator, denominator


def shape(**values: object) -> Change:
    def change(e: Edit) -> None:
        e.ClearField("geometry")
        e.geometry.add(**values)

    return change


def keyframes(*counts: int, frames: tuple[int, ...] | None = None) -> list[types_pb2.Keyframe]:
    return [
        types_pb2.Keyframe(
            frame=(frames or range(len(counts)))[n], points=[types_pb2.Point(x=1, y=2)] * count
        )
        for n, count in enumerate(counts)
    ]


@pytest.mark.parametrize(
    "change",
    [
        shape(),
        shape(box=types_pb2.Box(x=0, y=0, width=0, height=5)),
        shape(box=types_pb2.Box(x=math.nan, y=0, width=5, height=5)),
        shape(box=types_pb2.Box(x=0, y=0, width=math.inf, height=5)),
        shape(box=types_pb2.Box(x=1e10, y=0, width=5, height=5)),
        shape(polygon=types_pb2.Polygon()),
        shape(polygon=types_pb2.Polygon(keyframes=keyframes(2))),
        shape(polygon=types_pb2.Polygon(keyframes=keyframes(3, 4))),
        shape(polygon=types_pb2.Polygon(keyframes=keyframes(3, 3, frames=(1, 1)))),
        shape(polygon=types_pb2.Polygon(keyframes=keyframes(3, frames=(-1,)))),
        shape(scribble=types_pb2.Scribble(keyframes=keyframes(0), width=2)),
        shape(scribble=types_pb2.Scribble(keyframes=keyframes(1), width=0)),
        shape(scribble=types_pb2.Scribble(keyframes=keyframes(1), width=math.nan)),
    ],
)
def test_shapes_that_cannot_be_drawn_are_refused(change: Change) -> None:
    assert refused(change) == "request-invalid"


def test_shapes_that_can_be_drawn_are_kept_and_points_are_counted() -> None:
    accepted(shape(polygon=types_pb2.Polygon(keyframes=keyframes(3, 3, frames=(7, 2)))))
    accepted(shape(scribble=types_pb2.Scribble(keyframes=keyframes(1), width=2)))
    few = limits_with(MediaLimits())
    few.max_geometry_points = 8
    wanted = edit()
    shape(polygon=types_pb2.Polygon(keyframes=keyframes(3, 3)))(wanted)
    assert code_of(lambda: requests.normalised(wanted, few)) == "request-too-large"


def test_a_random_seed_is_drawn_once_and_kept() -> None:
    made = accepted(put("seed_mode", types_pb2.SEED_MODE_RANDOM))
    assert made.seed == 0  # so that a repeated submit is recognised
    seeds = {requests.with_seed(made).seed for _ in range(5)}
    assert len(seeds) == 5
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert requests.with_seed(accepted(lambda e: None)).seed == 7


@given(st.none() | st.integers(0, 2**63 - 1))
def test_a_variation_differs_in_the_seed_alone(seed: int | None) -> None:
    parent = edit()
    made = requests.varied(parent, seed)
    assert made.seed == seed if seed is not None else made.seed != parent.seed
    made.seed, made.seed_mode = parent.seed, parent.seed_mode
    assert made == parent


def test_a_variation_takes_no_negative_seed() -> None:
    assert code_of(lambda: requests.varied(edit(), -1)) == "request-invalid"


@pytest.mark.parametrize(
    ("request_id", "priority", "client"),
    [
        ("short", 0, ""),
        ("x" * 65, 0, ""),
        ("request-a\n", 0, ""),
        ("request/../a", 0, ""),
        ("réquest-a", 0, ""),
        ("request-a", 101, ""),
        ("request-a", -101, ""),
        ("request-a", 0, "c" * 41),
        ("request-a", 0, "c\n"),
    ],
)
def test_what_stands_beside_the_edit_is_checked(request_id: str, priority: int, client: str) -> None:
    request = jobs_pb2.SubmitJobRequest(request_id=request_id, priority=priority, client=client)
    assert code_of(lambda: requests.check_submit(request)) == "request-invalid"


def test_the_formats_are_those_the_engine_writes() -> None:
    for kind, known in requests.FORMATS.items():
        for name, containers in known.items():
            form = formats.find_format(kind, name)
            assert set(containers) == set(form.suffixes)
            for suffix in containers:
                formats.check_name(form, Path(f"result{suffix}"))


def test_fields_nobody_knows_are_not_kept() -> None:
    wanted = edit()
    unknown = Edit()
    unknown.ParseFromString(wanted.SerializeToString() + b"\xf2\x3f\x03abc")  # field 1022
    assert len(unknown.SerializeToString()) > len(wanted.SerializeToString())
    made = requests.normalised(unknown, LIMITS)
    assert made == requests.normalised(wanted, LIMITS)
