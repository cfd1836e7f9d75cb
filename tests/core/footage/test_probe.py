# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import av
import pytest

from flowanchor_core.errors import InputError
from flowanchor_core.footage import check_range, probe, read_frames
from tests.core.footage.clips import (
    FFV1,
    H264,
    MPEG4,
    PRORES,
    RECIPES,
    VP8,
    Recipe,
    picture,
    write_movie,
    write_png,
    write_sequence,
)

RATES = [Fraction(text) for text in ("24000/1001", "24", "25", "30000/1001", "50", "60000/1001")]


def code_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        probe(path)
    assert caught.value.message.endswith(".")
    assert caught.value.action.endswith(".")
    return caught.value.code


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_counts_frames_that_the_container_does_not(tmp_path: Path, recipe: Recipe) -> None:
    clip = probe(write_movie(tmp_path / recipe.name, recipe, frames=23))
    assert (clip.frames, clip.width, clip.height, clip.kind) == (23, 64, 48, "movie")
    assert (clip.pix_fmt, clip.rate, clip.audio) == (recipe.pix_fmt, Fraction(25), False)


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("recipe", [H264, FFV1, PRORES, MPEG4], ids=lambda recipe: recipe.name)
def test_rate_is_the_exact_fraction(tmp_path: Path, recipe: Recipe, rate: Fraction) -> None:
    clip = probe(write_movie(tmp_path / recipe.name, recipe, frames=12, rate=rate))
    assert (clip.rate, clip.frames) == (rate, 12)


@pytest.mark.parametrize("frames", [2, 30])
@pytest.mark.parametrize("nominal", [24, 30, 48, 60, 96, 120, 240])
def test_every_ntsc_rate_survives_matroska(tmp_path: Path, nominal: int, frames: int) -> None:
    rate = Fraction(nominal * 1000, 1001)
    clip = probe(write_movie(tmp_path / "a.mkv", FFV1, frames, rate=rate))
    assert (clip.rate, clip.frames) == (rate, frames)


@pytest.mark.parametrize("text", ["2997/125", "2997/100", "2997/50", "1199/50"])
def test_a_rate_near_a_standard_one_stays_itself(tmp_path: Path, text: str) -> None:
    assert probe(write_movie(tmp_path / "a.mp4", H264, 12, rate=Fraction(text))).rate == Fraction(text)


def test_reads_timecode_and_sound(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "a.mov", PRORES, 5, timecode="10:20:30:04", sound="aac")
    clip = probe(path)
    assert clip.start_timecode == "10:20:30:04"
    assert clip.audio


def test_a_movie_that_does_not_start_at_zero(tmp_path: Path) -> None:
    clip = probe(write_movie(tmp_path / "a.mkv", FFV1, 7, first_pts=40))
    assert clip.frames == 7
    assert abs(clip.start - Fraction(40, 25)) < Fraction(1, 1000)


def test_image_sequence(tmp_path: Path) -> None:
    folder = write_sequence(tmp_path / "in", frames=4, start=8)
    clip = probe(folder, Fraction(30000, 1001))
    assert (clip.kind, clip.frames, clip.rate, clip.first_number) == ("images", 4, Fraction(30000, 1001), 8)
    assert (clip.pix_fmt, clip.colour.matrix, clip.notes) == ("rgb24", "rgb", ())
    assert "24 is assumed" in probe(folder).notes[0]


@pytest.mark.parametrize(
    ("tags", "matrix", "full", "assumed"),
    [
        ((1, 1, 1, 1), "bt709", False, ""),
        ((6, 1, 6, 6), "bt601", False, ""),
        ((5, 2, 6, 5), "bt601", True, ""),
        ((2, 1, 2, 2), "bt601", False, "Rec.601 assumed"),
    ],
)
def test_colour_tags_are_read(
    tmp_path: Path, tags: tuple[int, int, int, int], matrix: str, full: bool, assumed: str
) -> None:
    clip = probe(write_movie(tmp_path / "a.mkv", FFV1, 2, tags=tags))
    assert (clip.colour.matrix, clip.colour.full_range) == (matrix, full)
    assert assumed in clip.colour.assumed
    assert bool(clip.notes) == bool(assumed)


def test_untagged_hd_is_709(tmp_path: Path) -> None:
    clip = probe(write_movie(tmp_path / "a.mkv", FFV1, 1, size=(576, 720)))
    assert clip.colour.matrix == "bt709"
    assert "Rec.709 and limited range assumed" in clip.notes[0]


@pytest.mark.parametrize("tags", [(9, 1, 16, 9), (9, 1, 18, 9), (1, 1, 9, 1), (9, 1, 14, 9), (1, 1, 8, 1)])
def test_what_cannot_be_honoured_is_refused(tmp_path: Path, tags: tuple[int, int, int, int]) -> None:
    recipe = Recipe("a", "ffv1", "yuv420p10le", {"strict": "experimental"})
    assert code_of(write_movie(tmp_path / "a.mkv", recipe, 2, tags=tags)) == "colour-unsupported"


def test_a_varying_rate_is_refused(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "a.mp4", H264, times=[0, 1, 2, 3, 9, 10, 11, 30, 31, 60])
    assert code_of(path) == "varying-rate"


def test_missing_empty_and_unreadable(tmp_path: Path) -> None:
    assert code_of(tmp_path / "nowhere.mp4") == "clip-missing"
    assert code_of(tmp_path / "nowhere.png") == "clip-missing"
    (tmp_path / "empty.mp4").write_bytes(b"")
    assert code_of(tmp_path / "empty.mp4") == "clip-unreadable"
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 50)
    assert code_of(tmp_path / "noise.mp4") == "clip-unreadable"
    whole = write_movie(tmp_path / "a.mp4", H264, 10).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    assert code_of(tmp_path / "cut.mp4") == "clip-unreadable"
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    assert code_of(tmp_path / "bad.png") == "clip-unreadable"


@pytest.mark.parametrize("name", ["n" * 300 + ".mp4", "n" * 300 + ".png", "n" * 300, "no\0name.mp4"])
def test_a_name_that_cannot_be_looked_up(tmp_path: Path, name: str) -> None:
    assert code_of(tmp_path / name) == "path-unusable"


@pytest.mark.parametrize("recipe", [FFV1, VP8], ids=lambda recipe: recipe.name)
def test_a_clip_that_is_cut_short_says_so(tmp_path: Path, recipe: Recipe) -> None:
    whole = write_movie(tmp_path / recipe.name, recipe, 30)
    assert not any("can be read" in note for note in probe(whole).notes)
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    cut = probe(whole)
    assert cut.stated_frames == 30
    assert cut.frames < 28
    assert any(f"states 30 frames, {cut.frames} can be read" in note for note in cut.notes)
    assert len(list(read_frames(cut, 0, cut.frames - 1))) == cut.frames
    assert check_range(cut, 0, None) == (0, cut.frames - 1)
    with pytest.raises(InputError) as caught:
        check_range(cut, 0, 29)
    assert caught.value.code == "clip-truncated"
    with pytest.raises(InputError) as caught:
        check_range(cut, 0, 30)
    assert caught.value.code == "range-outside"


def test_a_cut_movie_with_its_index_in_front_says_so(tmp_path: Path) -> None:
    whole = write_movie(tmp_path / "a.mp4", H264, 30)
    front = tmp_path / "front.mp4"
    with av.open(str(whole)) as source, av.open(str(front), "w", options={"movflags": "faststart"}) as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                copy.mux(packet)
    assert probe(front).stated_frames == probe(front).frames == 30
    front.write_bytes(front.read_bytes()[: front.stat().st_size * 7 // 10])
    cut = probe(front)
    assert cut.frames < 28
    assert any("states 30 frames" in note for note in cut.notes)
    assert len(list(read_frames(cut, 0, cut.frames - 1))) == cut.frames


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(50)], ids=str)
def test_a_whole_clip_is_not_called_cut_short(tmp_path: Path, recipe: Recipe, rate: Fraction) -> None:
    sound = "aac" if recipe in (H264, PRORES, FFV1) else None
    clip = probe(write_movie(tmp_path / recipe.name, recipe, 25, rate, sound=sound))
    assert not any("can be read" in note for note in clip.notes)
    assert clip.frames == 25


def test_sound_alone_is_no_clip(tmp_path: Path) -> None:
    whole = write_movie(tmp_path / "a.mkv", FFV1, 10, sound="aac")
    with av.open(str(whole)) as source, av.open(str(tmp_path / "sound.mkv"), "w") as output:
        stream = output.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    assert code_of(tmp_path / "sound.mkv") == "no-video"


def test_too_small(tmp_path: Path) -> None:
    assert code_of(write_movie(tmp_path / "a.mkv", FFV1, 1, size=(32, 14))) == "too-small"


def test_a_picture_too_large_is_not_allocated(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    assert code_of(tmp_path / "bomb.png") in ("clip-unreadable", "too-large")


def playlists(target: Path) -> dict[str, str]:
    return {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{target}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile '{target}'\n",
        "dash": f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash"><BaseURL>{target}</BaseURL></MPD>',
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        "bom": f"\ufeff#EXTM3U\n{target}\n",
        "late": "#comment\n" * 200 + f"file '{target}'\n",
    }


@pytest.mark.parametrize("kind", ["hls", "concat", "dash", "sdp", "bom", "late"])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.m3u8", "clip.ffconcat", "clip.png"])
def test_playlists_are_refused_by_content(tmp_path: Path, kind: str, name: str) -> None:
    target = write_movie(tmp_path / "real.mkv", FFV1, 2)
    (tmp_path / name).write_text(playlists(target)[kind], encoding="utf-8")
    assert code_of(tmp_path / name) in ("clip-refers-elsewhere", "clip-unreadable")


def test_a_name_is_never_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = write_movie(tmp_path / "real.mkv", FFV1, 2)
    monkeypatch.chdir(tmp_path)
    assert code_of(Path(f"concat:{target.name}|{target.name}")) == "clip-missing"
    odd = target.rename(tmp_path / "concat:a|b%04d.mkv")
    assert probe(Path(odd.name)).frames == 2


def test_a_single_image_is_one_frame(tmp_path: Path) -> None:
    clip = probe(write_png(tmp_path / "still.png", picture(0)))
    assert (clip.frames, clip.kind) == (1, "images")
