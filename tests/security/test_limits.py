# SPDX-License-Identifier: Apache-2.0
"""What is too much is refused by what it says of itself, before memory or disk is taken for it."""

from __future__ import annotations

import gzip
import math
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import grpc
import pytest
from flowanchor.rendezvous import TOKEN_KEY, bearer
from flowanchor.v1 import jobs_pb2, media_pb2, models_pb2, types_pb2
from flowanchor_client import ServiceFailure

from tests.daemon.processes import Caller
from tests.security import http2
from tests.security.victim import Victim, code_of, memory_within

GROWTH = 48 << 20
"""Bytes the daemon may take while it refuses; it holds a request of 4 MiB, in two or three forms."""
GROWTH_OF_NOTHING = 256 << 20
"""An empty message takes two bytes on the way and a hundred in memory; no more than 2 MiB come at once."""
HASH = "0" * 64
BIG = 1 << 60


@pytest.fixture(autouse=True)
def _keeps_its_memory_and_its_files(victim: Victim, request: pytest.FixtureRequest) -> Iterator[None]:
    victim.client.stat_media([HASH])
    growth = GROWTH_OF_NOTHING if request.function is test_nothing_a_million_times else GROWTH
    with victim.keeps_to_its_places(), memory_within(victim.daemon, growth):
        yield
        assert victim.client.stat_media([HASH])[0].received_bytes == 0  # it answers, and kept nothing


@pytest.fixture
def caller(victim: Victim) -> Iterator[Caller]:
    with victim.running.call() as caller:
        yield caller


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return code_of(caught.value)


def refused_edit(victim: Victim, edit: types_pb2.EditRequest) -> str:
    with pytest.raises(ServiceFailure) as caught:
        victim.client.submit(edit)
    assert len(caught.value.message) < 500
    return caught.value.code


@pytest.mark.parametrize(
    ("total", "offset", "code"),
    [
        (BIG, 0, "media-too-large"),
        ((1 << 63) - 1, 0, "media-too-large"),
        ((64 << 30) + 1, 0, "media-too-large"),
        (0, 0, "request-invalid"),
        (-1, 0, "request-invalid"),
        (-(1 << 63), 0, "request-invalid"),
        (10, -1, "request-invalid"),
        (10, -(1 << 63), "request-invalid"),
        (10, BIG, "media-hash"),
        (10, 11, "media-hash"),
        (10, 5, "media-offset"),
    ],
)
def test_headers_of_uploads(caller: Caller, total: int, offset: int, code: str) -> None:
    header = media_pb2.UploadHeader(sha256=HASH, total_bytes=total, offset=offset)
    chunk = media_pb2.UploadChunkRequest(header=header, data=b"abc")
    assert refused(lambda: caller.media.UploadChunk(chunk, timeout=120, metadata=caller.metadata)) == code
    parts = [media_pb2.UploadMediaRequest(header=header), media_pb2.UploadMediaRequest(data=b"abc")]
    assert (
        refused(lambda: caller.media.UploadMedia(iter(parts), timeout=120, metadata=caller.metadata)) == code
    )


def test_a_huge_file_is_refused_before_its_first_byte(caller: Caller) -> None:
    """The client gets its answer while it still holds everything back."""
    header = media_pb2.UploadHeader(sha256=HASH, total_bytes=BIG)
    never = threading.Event()

    def parts() -> Iterator[media_pb2.UploadMediaRequest]:
        yield media_pb2.UploadMediaRequest(header=header)
        never.wait(120)

    call = caller.media.UploadMedia.future(parts(), timeout=120, metadata=caller.metadata)
    failure = call.exception()
    never.set()
    assert isinstance(failure, grpc.RpcError)
    assert code_of(failure) == "media-too-large"


def test_pieces_larger_than_agreed(victim: Victim, caller: Caller) -> None:
    most = victim.client.info().limits.max_chunk_bytes
    header = media_pb2.UploadHeader(sha256=HASH, total_bytes=most * 8)
    for size in (most + 1, 64 << 20):
        chunk = media_pb2.UploadChunkRequest(header=header, data=bytes(size))
        call = lambda chunk=chunk: caller.media.UploadChunk(chunk, timeout=120, metadata=caller.metadata)  # noqa: E731
        assert refused(call) in ("request-too-large", "RESOURCE_EXHAUSTED")
        parts = [media_pb2.UploadMediaRequest(header=header), media_pb2.UploadMediaRequest(data=bytes(size))]
        stream = lambda parts=parts: caller.media.UploadMedia(  # noqa: E731
            iter(parts), timeout=120, metadata=caller.metadata
        )
        assert refused(stream) in ("request-too-large", "RESOURCE_EXHAUSTED")


@pytest.mark.parametrize("with_token", [True, False])
@pytest.mark.parametrize("length", [(1 << 32) - 1, 1 << 31, 100 << 20])
def test_a_message_that_says_it_has_gigabytes(victim: Victim, length: int, with_token: bool) -> None:
    """Only its first bytes are ever sent; the answer comes without the rest."""
    sent = http2.opening("/flowanchor.v1.Media/UploadChunk", _headers(victim, with_token))
    sent += http2.data(http2.message(b"x" * 100, length), end=False)
    assert http2.ask(victim.running.address, sent) in (http2.HEADERS, http2.RST_STREAM)


@pytest.mark.parametrize("with_token", [True, False])
def test_a_message_that_unpacks_to_a_thousand_times_its_size(victim: Victim, with_token: bool) -> None:
    packed = gzip.compress(bytes(60 << 20), 9)
    headers = _headers(victim, with_token) | {"grpc-encoding": "gzip"}
    sent = http2.opening("/flowanchor.v1.Media/UploadChunk", headers)
    sent += http2.data(http2.message(packed, packed=True))
    assert len(packed) < 65_000
    assert http2.ask(victim.running.address, sent) in (http2.HEADERS, http2.RST_STREAM)


def _headers(victim: Victim, with_token: bool) -> dict[str, str]:
    plain = {"content-type": "application/grpc", "te": "trailers"}
    return plain | ({TOKEN_KEY: bearer(victim.running.token)} if with_token else {})


def test_too_many_masks_and_frames(victim: Victim) -> None:
    media = types_pb2.MediaRef(sha256=HASH, suffix=".png")
    one = types_pb2.Clip(images=types_pb2.ImageSequence(frames=[media]))
    assert (
        refused_edit(victim, victim.edit(masks=[one] * (victim.client.info().limits.max_masks + 1)))
        == "request-too-large"
    )
    assert refused_edit(victim, victim.edit(masks=[types_pb2.Clip()] * 100_000)) == "request-too-large"
    for frames in (victim.client.info().limits.max_frames + 1, 100_000):
        clip = types_pb2.Clip(images=types_pb2.ImageSequence(frames=[media] * frames))
        assert refused_edit(victim, victim.edit(clip)) == "request-too-large"
        assert refused_edit(victim, victim.edit(masks=[clip])) == "request-too-large"


@pytest.mark.parametrize("times", [1, 20])
def test_too_many_points(victim: Victim, times: int) -> None:
    point, points = types_pb2.Point(x=1, y=1), victim.client.info().limits.max_geometry_points * times
    keyframe = types_pb2.Keyframe(points=[point] * points)
    edits = [
        victim.edit(geometry=[types_pb2.Geometry(polygon=types_pb2.Polygon(keyframes=[keyframe]))]),
        victim.edit(
            geometry=[types_pb2.Geometry(scribble=types_pb2.Scribble(keyframes=[keyframe], width=1))]
        ),
    ]
    for edit in edits:
        assert refused_edit(victim, edit) == "request-too-large"


def test_nothing_a_million_times(victim: Victim) -> None:
    """Empty messages take two bytes on the way and much more in memory."""
    many = 400_000
    for edit in (
        victim.edit(geometry=[types_pb2.Geometry()] * many),
        victim.edit(
            geometry=[types_pb2.Geometry(polygon=types_pb2.Polygon(keyframes=[types_pb2.Keyframe()] * many))]
        ),
        victim.edit(words=[""] * many),
        victim.edit(masks=[types_pb2.Clip()] * many),
        victim.edit(types_pb2.Clip(images=types_pb2.ImageSequence(frames=[types_pb2.MediaRef()] * many))),
    ):
        assert refused_edit(victim, edit) == "request-too-large"


LONG = "x" * 1_000_000


@pytest.mark.parametrize(
    "change",
    [
        {"source_prompt": LONG},
        {"target_prompt": LONG},
        {"negative_prompt": LONG},
        {"target_prompt": "a " * 500_000},
        {"words": [LONG]},
        {"words": ["word"] * 10_000},
        {"host_context": bytes(65_537)},
        {"parameters": {f"p{number}": types_pb2.ParameterValue(flag=True) for number in range(10_000)}},
        {"editor": LONG},
        {"model": LONG},
        {"preset": LONG},
        {"device": LONG},
        {"delivery": types_pb2.DeliverySettings(kind=LONG)},
        {"delivery": types_pb2.DeliverySettings(format=LONG)},
        {"delivery": types_pb2.DeliverySettings(container=LONG)},
        {"region": types_pb2.RegionSettings(mode=LONG)},
        {"first": -1},
        {"first": (1 << 31) - 1},
        {"last": -1},
        {"last": (1 << 31) - 1},
        {"seed": -1},
        {"seed_mode": 77},
        {"sampling": types_pb2.Sampling(steps=1001)},
        {"sampling": types_pb2.Sampling(steps=-(1 << 31))},
        {"sampling": types_pb2.Sampling(skip=-1)},
        {"sampling": types_pb2.Sampling(shift=math.nan)},
        {"sampling": types_pb2.Sampling(shift=math.inf)},
        {"region": types_pb2.RegionSettings(margin=math.nan)},
        {"region": types_pb2.RegionSettings(grow=(1 << 31) - 1)},
        {"region": types_pb2.RegionSettings(feather=-1)},
        {"geometry": [types_pb2.Geometry(box=types_pb2.Box(x=math.nan, y=0, width=1, height=1))]},
        {"geometry": [types_pb2.Geometry(box=types_pb2.Box(x=0, y=0, width=math.inf, height=1))]},
        {"geometry": [types_pb2.Geometry(box=types_pb2.Box(x=0, y=0, width=-1, height=1))]},
        {"geometry": [types_pb2.Geometry(scribble=types_pb2.Scribble(width=1e308))]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_fields_of_an_edit(victim: Victim, change: dict[str, Any]) -> None:
    edit = victim.edit()
    edit.MergeFrom(types_pb2.EditRequest(**change))
    refusal = refused_edit(victim, edit)
    assert refusal not in ("unexpected", "RESOURCE_EXHAUSTED")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"request_id": LONG}, "request-invalid"),
        ({"request_id": "short"}, "request-invalid"),
        ({"client": LONG}, "request-invalid"),
        ({"client": "a\nb"}, "request-invalid"),
        ({"priority": 101}, "request-invalid"),
        ({"priority": -(1 << 31)}, "request-invalid"),
    ],
    ids=str,
)
def test_what_stands_beside_an_edit(
    victim: Victim, caller: Caller, change: dict[str, Any], code: str
) -> None:
    request = jobs_pb2.SubmitJobRequest(**{"request_id": "r" * 20, "edit": victim.edit(), **change})
    assert refused(lambda: caller.jobs.SubmitJob(request, timeout=120, metadata=caller.metadata)) == code


CALLS: dict[str, tuple[str, Any]] = {
    "1001 hashes": ("media.StatMedia", media_pb2.StatMediaRequest(sha256=[HASH] * 1001)),
    "a hash of a megabyte": ("media.StatMedia", media_pb2.StatMediaRequest(sha256=[LONG])),
    "a page of a milliard": ("jobs.ListJobs", jobs_pb2.ListJobsRequest(page_size=10**9)),
    "a page of -1": ("jobs.ListJobs", jobs_pb2.ListJobsRequest(page_size=-1)),
    "a token of a megabyte": ("jobs.ListJobs", jobs_pb2.ListJobsRequest(page_token=LONG)),
    "a state that is none": ("jobs.ListJobs", jobs_pb2.ListJobsRequest(states=[99])),  # type: ignore[list-item]
    "a client of a megabyte": ("jobs.ListJobs", jobs_pb2.ListJobsRequest(client=LONG)),
    "a wait of weeks": ("jobs.GetJob", jobs_pb2.GetJobRequest(id=HASH, wait_ms=(1 << 31) - 1)),
    "a wait of -1": ("jobs.GetJob", jobs_pb2.GetJobRequest(id=HASH, wait_ms=-1)),
    "a job of a megabyte": ("jobs.GetJob", jobs_pb2.GetJobRequest(id=LONG)),
    "an artifact of a job of a megabyte": ("media.DownloadChunk", media_pb2.DownloadChunkRequest(job=LONG)),
    "a piece of -1": ("media.DownloadChunk", media_pb2.DownloadChunkRequest(job=HASH, max_bytes=-1)),
    "a task of a megabyte": ("models.GetModelTask", models_pb2.GetModelTaskRequest(id=LONG)),
    "a wait for a task of weeks": (
        "models.GetModelTask",
        models_pb2.GetModelTaskRequest(id="x", wait_ms=(1 << 31) - 1),
    ),
    "a model of a megabyte": ("models.LoadModel", models_pb2.LoadModelRequest(name=LONG)),
    "a download of a model of a megabyte": ("models.PullModel", models_pb2.PullModelRequest(name=LONG)),
    "a device of a megabyte": ("models.LoadModel", models_pb2.LoadModelRequest(name="tiny", device=LONG)),
}


@pytest.mark.parametrize("name", CALLS)
def test_fields_of_other_calls(caller: Caller, name: str) -> None:
    path, request = CALLS[name]
    service, method = path.split(".")
    stub = getattr(getattr(caller, service), method)
    assert refused(lambda: stub(request, timeout=120, metadata=caller.metadata)) not in (
        "unexpected",
        "DEADLINE_EXCEEDED",
        "UNKNOWN",
    )


def test_offsets_of_downloads(victim: Victim, caller: Caller) -> None:
    job = victim.finished(victim.edit())
    size = job.artifacts[0].bytes
    for offset in (-1, size + 1, BIG, -(1 << 63)):
        piece = partial(caller.media.DownloadChunk, media_pb2.DownloadChunkRequest(job=job.id, offset=offset))
        assert refused(partial(piece, metadata=caller.metadata)) == "request-invalid"
        stream = media_pb2.DownloadArtifactRequest(job=job.id, offset=offset)
        call = lambda stream=stream: list(caller.media.DownloadArtifact(stream, metadata=caller.metadata))  # noqa: E731
        assert refused(call) == "request-invalid"
    most = media_pb2.DownloadChunkRequest(job=job.id, max_bytes=(1 << 31) - 1)
    answer = caller.media.DownloadChunk(most, timeout=120, metadata=caller.metadata)
    assert len(answer.data) <= victim.client.info().limits.max_chunk_bytes
