# SPDX-License-Identifier: Apache-2.0
"""Sending and fetching against a store made up here: resuming, checking, and leaving nothing behind."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from flowanchor.v1 import jobs_pb2, media_pb2, types_pb2
from flowanchor_client import ServiceFailure
from flowanchor_client.results import download_images
from flowanchor_client.transfer import download_file, hash_file, upload_files

CONTENT = os.urandom(10_000)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Store:
    """A daemon's store: what arrived of each file, and results to fetch."""

    def __init__(self, results: Sequence[bytes] = (), received: dict[str, bytes] | None = None) -> None:
        self.received = received or {}
        self.results = results
        self.pieces = 0
        self.forgets_at = -1
        self.asked: list[list[str]] = []

    def stat_media(self, hashes: Sequence[str]) -> list[media_pb2.MediaState]:
        self.asked.append(list(hashes))
        return [self._state(one) for one in hashes]

    def _state(self, one: str) -> media_pb2.MediaState:
        have = self.received.get(one, b"")
        return media_pb2.MediaState(sha256=one, complete=sha256(have) == one, received_bytes=len(have))

    def upload_chunk(self, header: media_pb2.UploadHeader, data: bytes) -> media_pb2.MediaState:
        self.pieces += 1
        if self.pieces == self.forgets_at:
            self.received.clear()
        have = self.received.get(header.sha256, b"")
        if header.offset <= len(have):
            have = have[: header.offset] + data
            if len(have) == header.total_bytes and sha256(have) != header.sha256:
                raise ServiceFailure("media-hash", "Not the file announced.", "")
            self.received[header.sha256] = have
        return self._state(header.sha256)

    def download_chunk(
        self, job: str, artifact: int, offset: int, max_bytes: int
    ) -> media_pb2.DownloadChunkResponse:
        return media_pb2.DownloadChunkResponse(data=self.results[artifact][offset : offset + 3000])

    def artifacts(self) -> list[jobs_pb2.Artifact]:
        return [
            jobs_pb2.Artifact(index=index, name=f"result.{index}.png", bytes=len(data), sha256=sha256(data))
            for index, data in enumerate(self.results)
        ]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mov"
    path.write_bytes(CONTENT)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_hashed_in_pieces(clip: Path) -> None:
    told: list[tuple[int, int]] = []
    assert hash_file(clip, lambda done, total: told.append((done, total))) == (sha256(CONTENT), len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_an_upload_arrives_whole_and_tells_how_far_it_is(clip: Path) -> None:
    store, told = Store(), []
    found = upload_files(store, [clip], 900, lambda done, total: told.append((done, total)))
    assert found == [sha256(CONTENT)]
    assert store.received[found[0]] == CONTENT
    assert store.pieces == 12
    assert told == sorted(told)
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_an_upload_goes_on_where_an_earlier_one_broke_off(clip: Path) -> None:
    store = Store(received={sha256(CONTENT): CONTENT[:7000]})
    upload_files(store, [clip], 1000)
    assert store.pieces == 3
    assert store.received[sha256(CONTENT)] == CONTENT


def test_an_upload_goes_back_when_the_daemon_lost_what_it_had(clip: Path) -> None:
    store = Store()
    store.forgets_at = 5
    upload_files(store, [clip], 1000)
    assert store.received[sha256(CONTENT)] == CONTENT


def test_what_the_daemon_has_is_not_sent_again(clip: Path) -> None:
    store = Store(received={sha256(CONTENT): CONTENT})
    assert upload_files(store, [clip], 1000) == [sha256(CONTENT)]
    assert store.pieces == 0


def test_images_are_asked_for_together_and_equal_ones_sent_once(tmp_path: Path) -> None:
    paths = []
    for index in range(1200):
        paths.append(tmp_path / f"{index}.png")
        paths[-1].write_bytes(b"same" if index % 2 else b"%d" % index)
    store = Store()
    found = upload_files(store, paths, 1000)
    assert [len(asked) for asked in store.asked] == [1000, 200]
    assert store.pieces == 601
    assert found[1] == found[3] == sha256(b"same")


def test_a_store_that_takes_nothing_is_given_up(clip: Path) -> None:
    class Full(Store):
        def upload_chunk(self, header: media_pb2.UploadHeader, data: bytes) -> media_pb2.MediaState:
            return self._state(header.sha256)

    with pytest.raises(ServiceFailure) as caught:
        upload_files(Full(), [clip], 1000)
    assert caught.value.code == "media-offset"


def test_a_file_that_changes_on_the_way_is_named(clip: Path) -> None:
    class Meddled(Store):
        def stat_media(self, hashes: Sequence[str]) -> list[media_pb2.MediaState]:
            clip.write_bytes(CONTENT[::-1])
            return super().stat_media(hashes)

    with pytest.raises(ServiceFailure, match=r"clip\.mov changed while it was sent"):
        upload_files(Meddled(), [clip], 1000)


def test_a_file_that_is_missing_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(ServiceFailure) as caught:
        upload_files(Store(), [tmp_path / "gone.mov"], 1000)
    assert caught.value.kind == types_pb2.FAILURE_KIND_INPUT


def test_a_download_replaces_the_target_once_it_is_whole(tmp_path: Path) -> None:
    store, target = Store([CONTENT]), tmp_path / "out.mkv"
    target.write_bytes(b"old")
    told: list[tuple[int, int]] = []
    download_file(store, "job", store.artifacts()[0], target, lambda *now: told.append(now))
    assert target.read_bytes() == CONTENT
    assert names(tmp_path) == ["out.mkv"]
    assert told[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize("wrong", [CONTENT[:-1], CONTENT[:-1] + b"?", b""])
def test_a_download_that_is_not_what_was_made_leaves_the_target_alone(wrong: bytes, tmp_path: Path) -> None:
    artifact = Store([CONTENT]).artifacts()[0]
    target = tmp_path / "out.mkv"
    target.write_bytes(b"old")
    with pytest.raises(ServiceFailure) as caught:
        download_file(Store([wrong]), "job", artifact, target)
    assert caught.value.code == "media-hash"
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["out.mkv"]


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "disk-full"), (errno.EDQUOT, "disk-full"), (errno.EIO, "write-failed")],
)
def test_a_disk_that_takes_no_more_is_told_and_nothing_is_left(
    number: int, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    store = Store([CONTENT])
    with pytest.raises(ServiceFailure) as caught:
        download_file(store, "job", store.artifacts()[0], tmp_path / "out.mkv")
    assert (caught.value.code, caught.value.kind) == (code, types_pb2.FAILURE_KIND_DELIVERY)
    with pytest.raises(ServiceFailure):
        download_images(store, "job", store.artifacts(), [tmp_path / "new" / "0.png"])
    assert names(tmp_path) == []


def test_an_interrupted_download_leaves_nothing(tmp_path: Path) -> None:
    class Interrupted(Store):
        def download_chunk(
            self, job: str, artifact: int, offset: int, max_bytes: int
        ) -> media_pb2.DownloadChunkResponse:
            if offset:
                raise KeyboardInterrupt
            return super().download_chunk(job, artifact, offset, max_bytes)

    store = Interrupted([CONTENT])
    with pytest.raises(KeyboardInterrupt):
        download_file(store, "job", store.artifacts()[0], tmp_path / "out.mkv")
    assert names(tmp_path) == []


IMAGES = [b"first", b"second", b"third"]


def test_images_come_in_a_new_folder_that_appears_whole(tmp_path: Path) -> None:
    store = Store(IMAGES)
    targets = [tmp_path / "new" / f"shot.{number:04d}.png" for number in (24, 25, 26)]
    download_images(store, "job", store.artifacts(), targets)
    assert [path.read_bytes() for path in targets] == IMAGES
    assert names(tmp_path) == ["new"]


def test_images_join_other_files_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "other.txt").touch()
    store = Store(IMAGES)
    targets = [tmp_path / f"shot.{number}.png" for number in range(3)]
    download_images(store, "job", store.artifacts(), targets)
    assert [path.read_bytes() for path in targets] == IMAGES
    assert names(tmp_path) == ["other.txt", "shot.0.png", "shot.1.png", "shot.2.png"]


def test_images_that_cannot_all_get_their_names_get_none(tmp_path: Path) -> None:
    (tmp_path / "shot.2.png").mkdir()
    store = Store(IMAGES)
    with pytest.raises(ServiceFailure):
        download_images(store, "job", store.artifacts(), [tmp_path / f"shot.{n}.png" for n in range(3)])
    assert names(tmp_path) == ["shot.2.png"]


def test_an_image_that_appears_meanwhile_is_neither_replaced_nor_removed(tmp_path: Path) -> None:
    taken = tmp_path / "shot.1.png"

    class Meanwhile(Store):
        def download_chunk(
            self, job: str, artifact: int, offset: int, max_bytes: int
        ) -> media_pb2.DownloadChunkResponse:
            taken.write_text("precious")
            return super().download_chunk(job, artifact, offset, max_bytes)

    store = Meanwhile(IMAGES)
    with pytest.raises(ServiceFailure) as caught:
        download_images(store, "job", store.artifacts(), [tmp_path / f"shot.{n}.png" for n in range(3)])
    assert caught.value.code == "output-exists"
    assert str(taken) in caught.value.message
    assert names(tmp_path) == ["shot.1.png"]
    assert taken.read_text() == "precious"


def test_a_damaged_image_leaves_no_folder(tmp_path: Path) -> None:
    artifacts = Store(IMAGES).artifacts()
    with pytest.raises(ServiceFailure):
        download_images(Store([b"first", b"xxxxxx", b"third"]), "job", artifacts, [
            tmp_path / "new" / f"{number}.png" for number in range(3)
        ])  # fmt: skip
    assert names(tmp_path) == []
