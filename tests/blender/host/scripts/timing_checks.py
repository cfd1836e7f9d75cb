# SPDX-License-Identifier: Apache-2.0
"""Exported frame i is what the timeline shows on the range's frame i, however the strip is timed."""

from __future__ import annotations

from fractions import Fraction

import bpy
from flowanchor_vse import compat, export
from flowanchor_vse import strips as rules
from flowanchor_vse.logic.frames import FrameRange

from tests.blender.host.scripts import bench
from tests.blender.host.scripts.bench import (
    FRAMES,
    MEDIA,
    check,
    effect,
    movie,
    refused,
    scene,
    strips,
)
from tests.blender.host.scripts.exporting import as_shown, exported, numbers


def at_rate(file: str, fps: int, base: float, rate: Fraction) -> None:
    scene().render.fps, scene().render.fps_base = fps, base
    strip = movie("clip", file, start=5)
    result = exported(strip)
    assert numbers(result) == list(range(FRAMES))
    assert result.rate == rate
    own = exported(strip, direct=True)
    assert own.direct
    assert own.files == (MEDIA / file,)
    assert own.first_number is None
    assert (own.first, own.last, own.rate) == (0, FRAMES - 1, rate)
    part = FrameRange(9, 11)
    own = exported(strip, part, direct=True)
    assert (own.direct, own.first, own.last) == (True, 4, 6)
    assert numbers(exported(strip, part)) == [4, 5, 6]


@check
def rate_23_976() -> None:
    at_rate("23.976.mp4", 24, 1.001, Fraction(24000, 1001))


@check
def rate_24() -> None:
    at_rate("24.mp4", 24, 1.0, Fraction(24))


@check
def rate_25() -> None:
    at_rate("25.mp4", 25, 1.0, Fraction(25))


@check
def rate_29_97() -> None:
    at_rate("29.97.mp4", 30, 1.001, Fraction(30000, 1001))


@check
def rate_30() -> None:
    at_rate("30.mp4", 30, 1.0, Fraction(30))


@check
def rate_50() -> None:
    at_rate("50.mp4", 50, 1.0, Fraction(50))


@check
def movie_of_another_rate_as_the_operator_adds_it() -> None:
    with bench.sequencer():
        added = {"filepath": str(MEDIA / "29.97.mp4"), "frame_start": 1, "channel": 1, "sound": False}
        if "move_strips" in bpy.ops.sequencer.movie_strip_add.get_rna_type().properties:
            added["move_strips"] = False
        if "use_framerate" in bpy.ops.sequencer.movie_strip_add.get_rna_type().properties:
            added["use_framerate"] = False
        bpy.ops.sequencer.movie_strip_add(**added)
    (strip,) = strips()
    part = rules.edited_range(scene(), strip)
    assert part.count < FRAMES, "29.97 in 24 frames a second is shorter"
    result = exported(strip, direct=True)
    assert not result.direct
    as_shown(result, part)
    found = numbers(result)
    assert found[0] == 0
    assert None not in found
    assert found == sorted(found)
    assert len(set(found)) == part.count
    assert found != list(range(part.count))


@check
def trimmed() -> None:
    strip = movie("clip", start=-3)
    bench.trim(strip, 4, 25)
    part = rules.edited_range(scene(), strip)
    assert part == FrameRange(4, 24)
    assert numbers(exported(strip)) == list(range(7, 28))
    own = exported(strip, direct=True)
    assert (own.direct, own.first, own.last) == (True, 7, 27)


@check
def held_beyond_its_ends() -> None:
    strip = movie("clip", start=10)
    bench.trim(strip, 7, 53)
    result = exported(strip, direct=True)
    assert not result.direct
    assert numbers(result) == [0] * 3 + list(range(FRAMES)) + [FRAMES - 1] * 3


@check
def before_frame_0() -> None:
    strip = movie("clip", start=-20)
    assert numbers(exported(strip, FrameRange(-12, -9))) == [8, 9, 10, 11]


@check
def within_the_scene_or_preview_range() -> None:
    strip = movie("clip", start=1)
    scene().frame_start, scene().frame_end = 30, 90
    assert rules.edited_range(scene(), strip, within_scene=True) == FrameRange(30, FRAMES)
    scene().use_preview_range = True
    scene().frame_preview_start, scene().frame_preview_end = 5, 7
    part = rules.edited_range(scene(), strip, within_scene=True)
    assert numbers(exported(strip, part)) == [4, 5, 6]
    scene().frame_preview_start, scene().frame_preview_end = 60, 70
    refused("range-empty", lambda: rules.edited_range(scene(), strip, within_scene=True))
    refused("range-empty", lambda: exported(strip, FrameRange(30, 50)))


@check
def retimed() -> None:
    strip = movie("clip")
    scene().sequence_editor.active_strip = strip
    strip.select = True
    with bench.sequencer():
        bpy.ops.sequencer.retiming_key_add(timeline_frame=11)
        bpy.ops.sequencer.retiming_segment_speed_set(speed=50)
    part = rules.edited_range(scene(), strip)
    assert part.count > FRAMES
    result = exported(strip, direct=True)
    assert not result.direct
    as_shown(result, part)
    found = numbers(result)
    assert None not in found
    assert found == sorted(found)
    assert len(set(found)) < part.count


@check
def reversed_frames() -> None:
    strip = movie("clip")
    strip.use_reverse_frames = True
    result = exported(strip, direct=True)
    assert not result.direct
    as_shown(result, FrameRange(1, FRAMES))
    found = numbers(result)
    assert found == sorted(found, reverse=True)
    assert found[0] == FRAMES - 1


@check
def strobe_and_flip() -> None:
    strip = movie("clip")
    strip.strobe, strip.use_flip_x = 4, True
    part = FrameRange(1, 12)
    result = exported(strip, part, direct=True)
    assert not result.direct
    as_shown(result, part)
    assert numbers(result, flipped=True) == [0] * 4 + [4] * 4 + [8] * 4


@check
def meta_strip_with_a_speed_effect_inside() -> None:
    strip = movie("clip")
    speed = effect("speed", "SPEED", 2, 1, FRAMES + 1, strip)
    speed.speed_control, speed.speed_factor = "MULTIPLY", 2.0
    why = refused("strip-speed", lambda: exported(strip))
    assert "“speed”" in why.message
    assert "Ctrl G" in why.action
    for one in strips():
        one.select = True
    with bench.sequencer():
        bpy.ops.sequencer.meta_make()
    (meta,) = strips()
    part = FrameRange(1, 10)
    result = exported(meta, part)
    as_shown(result, part)
    found = numbers(result)
    assert found == sorted(found)
    assert len(set(found)) >= part.count - 1, "Blender 5.2 shows one frame twice"
    assert found[-1] >= found[0] + 16
    inside = next(one for one in compat.strips(meta) if one.type == "MOVIE")
    refused("strip-inside-meta", lambda: exported(inside))


@check
def long_groups_of_pictures() -> None:
    strip = movie("clip", "long.mp4")
    assert numbers(exported(strip)) == list(range(120))


@check
def steps_grow_only_where_that_helps() -> None:
    def paced(opening: float, frame: float) -> list[int]:
        pace, sizes = export.Pace(), []
        for _ in range(12):
            sizes.append(pace.frames)
            pace.took(pace.frames, opening + frame * pace.frames)
        return sizes

    assert paced(0.001, 0.002)[-1] == export.Pace.MOST, "quick frames"
    assert paced(0.5, 0.01)[-1] == export.Pace.MOST, "a long way to the frame, shared by many"
    assert paced(0.0, 0.2)[-1] <= 2, "each frame takes its time"
    assert max(paced(0.0, 4.0)) == 1, "never two where one takes seconds"
    pace = export.Pace(frames=16)
    pace.took(16, 20.0)
    assert pace.frames == 1, "heavier frames have come"


bench.run_all()
