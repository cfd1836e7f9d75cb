# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import types_pb2
from flowanchor_daemon.engine.shown_names import shown, with_shown_names


def ref(name: str, suffix: str) -> types_pb2.MediaRef:
    return types_pb2.MediaRef(name=name, suffix=suffix)


MOVIE = types_pb2.Clip(movie=ref("shot 12.mov", ".mov"))
STILL = types_pb2.Clip(images=types_pb2.ImageSequence(frames=[ref("garbage matte.png", ".png")]))
IMAGES = types_pb2.Clip(
    images=types_pb2.ImageSequence(frames=[ref("a.20.png", ".png"), ref("a.21.png", ".png")], first_number=20)
)


@pytest.mark.parametrize(
    ("clip", "path", "message", "expected"),
    [
        (MOVIE, "clip.mov", "Frame 3 of clip.mov is bad.", "Frame 3 of shot 12.mov is bad."),
        (MOVIE, "clip.mov", "The mask mask0.png is 8x8.", "The mask garbage matte.png is 8x8."),
        (MOVIE, "clip.mov", "The clip has 3.5 frames.", "The clip has 3.5 frames."),
        (IMAGES, "clip", "000021.png could not be read.", "a.21.png could not be read."),
    ],
)
def test_files_are_called_as_their_senders_called_them(
    clip: types_pb2.Clip, path: str, message: str, expected: str
) -> None:
    run = engine_pb2.Run(
        edit=types_pb2.EditRequest(clip=clip, masks=[STILL]),
        clip=engine_pb2.ClipFiles(path=f"/state/jobs/1/{path}"),
        masks=[engine_pb2.ClipFiles(path="/state/jobs/1/mask0.png")],
    )
    said = types_pb2.Failure(code="clip-damaged", message=message, action="Convert it.")
    told = with_shown_names(said, run)
    assert (told.code, told.message, told.action) == ("clip-damaged", expected, "Convert it.")
    assert shown(message, run) == expected, "notices name files as failures do"
