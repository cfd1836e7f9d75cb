# SPDX-License-Identifier: Apache-2.0
"""What an edit sends, and that the engine reads from it what the user asked for."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import types_pb2
from flowanchor_daemon.cli.edit_upload import Footage, message, plain_value, ship, uploaded, value_message
from flowanchor_daemon.engine.request_of import request_of

from flowanchor_core.edit_plan import EditPlan, plan_edit
from flowanchor_core.geometry import Box, Keyframe, Polygon, Scribble
from flowanchor_core.request import DeliverySettings, EditRequest, RegionSettings
from tests.core.footage.clips import FFV1, HEIGHT, WIDTH, write_movie, write_png, write_sequence

WHITE = np.full((HEIGHT, WIDTH), 255, np.uint8)
SUFFIXES = [".mkv", ".mov", ".png"]


def request_for(clip: Path, out: Path, **changes: object) -> EditRequest:
    plain = EditRequest(
        clip=clip,
        delivery=DeliverySettings(out, "full", "ffv1"),
        source_prompt="a red circle",
        target_prompt="a blue circle",
        geometry=(Box(8, 8, 16, 16),),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # fields by name


def sent(plan: EditPlan, device: str = "auto") -> types_pb2.EditRequest:
    """The message of a plan, each file's hash being its name."""
    shipment = ship(plan)
    hashes = uploaded(lambda paths: [path.name for path in paths], shipment)
    return message(plan, shipment, hashes, SUFFIXES, "tiny-1", device, {"out": "/somewhere"})


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    return write_movie(tmp_path / "shot.mkv", FFV1, frames=12)


def test_the_engine_reads_what_the_user_asked_for(movie: Path, tmp_path: Path) -> None:
    mask = write_png(tmp_path / "mask.png", WHITE)
    asked = request_for(
        movie,
        tmp_path / "out.mkv",
        masks=(mask,),
        geometry=(
            Box(8, 8, 16, 16),
            Polygon((Keyframe(0, ((1, 2), (30, 2), (3, 20))), Keyframe(3, ((2, 2), (31, 2), (4, 20))))),
            Scribble((Keyframe(0, ((5.5, 6.25),)),), 3.0),
        ),
        first=2,
        last=7,
        words=("blue circle",),
        negative_prompt="",
        params={"gamma": 0.5, "tau": 1},
        preset="draft",
        steps=12,
        shift=2.5,
        skip=0,
        seed=2**63 - 1,
        region=RegionSettings(margin=0.0, mode="fast", grow=3, feather=0),
        sheet=tmp_path / "sheet.png",
    )
    edit = sent(plan_edit(asked), "cpu")
    run = engine_pb2.Run(
        edit=types_pb2.EditRequest.FromString(edit.SerializeToString()),
        clip=engine_pb2.ClipFiles(path=str(movie)),
        masks=[engine_pb2.ClipFiles(path=str(mask))],
        output_folder=str(tmp_path),
    )
    read = request_of(run)
    assert read == replace(
        asked, delivery=replace(asked.delivery, out=tmp_path / "result.mkv"), model="tiny-1", sheet=read.sheet
    )
    assert (edit.device, edit.delivery.sheet, edit.delivery.container) == ("cpu", True, ".mkv")
    assert json.loads(edit.host_context) == {"out": "/somewhere"}
    assert (edit.clip.movie.name, edit.clip.movie.suffix, edit.clip.HasField("rate")) == (
        "shot.mkv",
        ".mkv",
        False,
    )


def test_what_was_left_out_stays_left_out(movie: Path, tmp_path: Path) -> None:
    edit = sent(plan_edit(request_for(movie, tmp_path / "out.mkv")))
    assert not edit.HasField("negative_prompt")
    assert not any(edit.sampling.HasField(name) for name in ("steps", "shift", "skip"))
    assert (list(edit.words), dict(edit.parameters), edit.last) == ([], {}, 11)


def test_of_an_image_sequence_only_the_range_is_sent(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "in", frames=12, start=20)
    masks = write_sequence(tmp_path / "masks", frames=12, start=1)
    still = write_png(tmp_path / "still.png", WHITE)
    asked = request_for(
        folder, tmp_path / "out.mkv", masks=(masks, still), rate=Fraction(25), first=3, last=6
    )
    plan = plan_edit(asked)
    shipment = ship(plan)
    assert shipment.clip == Footage(plan.clip.files[3:7], 23)
    assert (shipment.first, shipment.last) == (0, 3)
    assert [len(mask.files) for mask in shipment.masks] == [4, 1]
    assert shipment.masks[0].files[0].name == sorted(path.name for path in masks.iterdir())[3]
    edit = sent(plan)
    assert (edit.first, edit.last, edit.clip.images.first_number) == (0, 3, 23)
    assert edit.clip.rate == types_pb2.Rational(numerator=25, denominator=1)
    assert [frame.suffix for frame in edit.clip.images.frames] == [".png"] * 4


def test_a_mask_movie_as_long_as_the_clip_keeps_the_whole_sequence(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "in", frames=12, start=20)
    mask = write_movie(tmp_path / "mask.mkv", FFV1, frames=12)
    shipment = ship(plan_edit(request_for(folder, tmp_path / "out.mkv", masks=(mask,), first=3, last=6)))
    assert (len(shipment.clip.files), shipment.clip.first_number) == (12, 20)
    assert (shipment.first, shipment.last) == (3, 6)
    short = write_movie(tmp_path / "short.mkv", FFV1, frames=4)
    shipment = ship(plan_edit(request_for(folder, tmp_path / "out.mkv", masks=(short,), first=3, last=6)))
    assert len(shipment.clip.files) == 4


def test_a_file_named_twice_is_sent_once(movie: Path, tmp_path: Path) -> None:
    shipment = ship(plan_edit(request_for(movie, tmp_path / "out.mkv", masks=(movie, movie))))
    assert shipment.files == (movie,)


def test_a_movie_of_an_unusual_name_is_sent_under_a_known_one(movie: Path, tmp_path: Path) -> None:
    odd = movie.rename(movie.with_suffix(".camera"))
    edit = sent(plan_edit(request_for(odd, tmp_path / "out.mkv")))
    assert (edit.clip.movie.name, edit.clip.movie.suffix) == ("shot.camera", ".mov")


@pytest.mark.parametrize("value", [True, False, 0, -3, 2**63 - 1, 0.5, -1e300, "magnitude", ""])
def test_parameters_keep_their_type(value: object) -> None:
    found = plain_value(value_message(value))
    assert (found, type(found)) == (value, type(value))


def test_a_number_beyond_64_bits_becomes_a_floating_one() -> None:
    assert plain_value(value_message(2**70)) == 2.0**70


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' names are Unicode")
def test_a_name_that_is_not_unicode_is_told_as_far_as_it_is(movie: Path, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/sh\xffot.mkv"))
    movie.rename(odd)
    plan = plan_edit(request_for(odd, tmp_path / "out.mkv"))
    shipment = ship(plan)
    hashes = dict.fromkeys(shipment.files, "0" * 64)
    edit = message(plan, shipment, hashes, SUFFIXES, "tiny-1", "auto", {"clip": str(odd)})
    assert edit.clip.movie.name == "sh\N{REPLACEMENT CHARACTER}ot.mkv"
