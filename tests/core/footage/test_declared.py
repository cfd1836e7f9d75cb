# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import zlib
from pathlib import Path

import av
import pytest

from flowanchor_core.errors import InputError
from flowanchor_core.footage import probe
from flowanchor_core.footage.declared import check_declared
from tests.core.footage.clips import H264, MPEG4, PRORES, Recipe, write_movie
from tests.security import boxes, threats

PCM = Recipe("pcm.mov", "mpeg4", "yuv420p", MPEG4.options)


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        check_declared(path)
    assert path.name in caught.value.message
    with pytest.raises(InputError) as again:
        probe(path)
    assert again.value.code == caught.value.code
    return caught.value.code


def remuxed(source: Path, target: Path, flags: str) -> Path:
    with (
        av.open(str(source)) as read,
        av.open(str(target), "w", options={"movflags": flags} if flags else {}) as written,
    ):
        streams = {stream.index: written.add_stream_from_template(stream) for stream in read.streams}
        for packet in read.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                written.mux(packet)
    return target


@pytest.mark.parametrize(
    "flags", ["", "faststart", "frag_keyframe+empty_moov", "frag_every_frame+default_base_moof"]
)
@pytest.mark.parametrize(("recipe", "sound"), [(H264, "aac"), (PRORES, "pcm_s16le")], ids=["mp4", "mov"])
def test_movies_as_they_are_made_pass(tmp_path: Path, recipe: Recipe, sound: str, flags: str) -> None:
    path = remuxed(
        write_movie(tmp_path / recipe.name, recipe, 12, sound=sound), tmp_path / f"a-{recipe.name}", flags
    )
    assert check_declared(path)
    assert probe(path).frames == 12


def test_what_is_no_movie_of_boxes_is_never_opened_as_one(tmp_path: Path) -> None:
    """A box FFmpeg would skip in front of a movie must not keep it from being looked at."""
    path = tmp_path / "a.mov"
    path.write_bytes(boxes.box(b"what", bytes(8)) + threats.plain_movie(tmp_path))
    assert not check_declared(path)
    with pytest.raises(InputError) as caught:
        probe(path)
    assert caught.value.code == "clip-unreadable"


@pytest.mark.parametrize(
    "reference", [boxes.url_reference("http://127.0.0.1:9/a.mov"), boxes.alias_reference("/a.mov")]
)
@pytest.mark.parametrize("whole", [True, False])
def test_samples_in_another_file_are_refused(tmp_path: Path, reference: boxes.Rewrite, whole: bool) -> None:
    movie = threats.plain_movie(tmp_path)
    path = tmp_path / "a.mov"
    path.write_bytes(boxes.rewrite(movie if whole else boxes.without_samples(movie), b"dref", reference))
    assert refusal(path) == "clip-refers-elsewhere"


@pytest.mark.parametrize("place", [b"udta", b"uuid", b"meta", b"skip"])
def test_a_reference_is_found_wherever_it_stands(tmp_path: Path, place: bytes) -> None:
    reference = boxes.box(b"dref", boxes.url_reference("file:///a.mov")(b""))
    path = tmp_path / "a.mov"
    path.write_bytes(threats.plain_movie(tmp_path) + boxes.box(place, boxes.box(b"trak", reference)))
    assert refusal(path) == "clip-refers-elsewhere"


@pytest.mark.parametrize("count", [1 << 22, 1 << 28, (1 << 32) - 1])
def test_more_samples_than_bytes_are_refused(tmp_path: Path, count: int) -> None:
    path = tmp_path / "a.mov"
    path.write_bytes(threats.declared_samples(threats.plain_movie(tmp_path), count))
    assert refusal(path) == "clip-unreadable"


def test_edits_without_end_fragments_without_end_and_packed_indices_are_refused(tmp_path: Path) -> None:
    movie = threats.plain_movie(tmp_path, frames=300)
    bombs = (
        threats.declared_edits(movie, 100_000),
        movie + threats.endless_fragment(),
        boxes.packed_index(movie),
    )
    for bomb in bombs:
        path = tmp_path / "a.mov"
        path.write_bytes(bomb)
        assert refusal(path) == "clip-unreadable"


def test_a_movie_of_pngs_is_refused_and_a_cover_left_alone(tmp_path: Path) -> None:
    """FFmpeg decodes both when it opens a movie, unless it is kept from it."""
    path = tmp_path / "a.mov"
    path.write_bytes(threats.movie_of_pngs(tmp_path))
    with pytest.raises(InputError) as caught:
        probe(path)
    assert caught.value.code == "codec-unknown"
    bomb = threats.png(extra=threats.chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(1 << 26))))
    path.write_bytes(threats.with_cover(threats.plain_movie(tmp_path), bomb))
    with av.open(str(path), options={"codec_whitelist": "mpeg4"}) as container:
        assert len(container.streams.video) == 2
    assert probe(path).frames == 9


@pytest.mark.parametrize("size", [1 << 20, 1 << 26])
def test_profiles_and_texts_may_be_as_large_as_they_need_to(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.png"
    packed = zlib.compress(bytes(size))
    for extra in (
        threats.chunk(b"iCCP", b"x\0\0" + packed),
        threats.chunk(b"zTXt", b"x\0\0" + packed),
        threats.chunk(b"iTXt", b"x\0\1\0en\0word\0" + packed),
    ):
        path.write_bytes(threats.png(extra=extra))
        if size <= 1 << 20:
            assert not check_declared(path)
            assert probe(path).frames == 1
        else:
            assert refusal(path) == "clip-unreadable"
