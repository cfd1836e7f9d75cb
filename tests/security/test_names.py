# SPDX-License-Identifier: Apache-2.0
"""Whatever a client calls things, no file appears under that name, or anywhere but in the daemon's places."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flowanchor.v1 import jobs_pb2, media_pb2, types_pb2
from flowanchor_client import ServiceFailure

from tests.security.victim import MODEL, Victim

EVIL = {
    "parent": "../../../outside",
    "parents with backslashes": "..\\..\\outside",
    "absolute": "/tmp/outside",
    "drive": "C:\\outside",
    "share": "\\\\host\\share",
    "home": "~/outside",
    "zero": "clip\0.mov",
    "console": "CON",
    "nothing": "NUL.mov",
    "printer": "LPT1",
    "stream": "clip.mov:hidden",
    "long": "x" * 5000,
    "deep": "a/" * 3000,
    "right to left": "clip\u202evom.exe",
    "joiners": "clip\u200d\ufeff.mov",
    "line breaks": "clip\r\nx-header: 1\n.mov",
    "pattern": "%04d%s%n.png",
    "protocol": "concat:a|b",
    "device": "/dev/stdin",
    "descriptor": "/proc/self/environ",
    "shell": "$(touch outside);`touch outside`",
    "dot": ".",
    "dots": "..",
    "empty": "",
}
each = pytest.mark.parametrize("name", EVIL.values(), ids=EVIL.keys())


def outcome(act: Callable[[], object]) -> str:
    """ "done", or the code of the failure: an expected one."""
    try:
        act()
    except ServiceFailure as failure:
        refused = failure
    else:
        return "done"
    assert refused.code not in ("unexpected", "daemon-silent", "daemon-unreachable"), refused
    assert "\n" not in refused.message
    assert len(refused.message) < 500, refused
    return refused.code


@each
def test_of_media(victim: Victim, name: str) -> None:
    """A name is only shown; a suffix must be one of a list."""
    content = victim.clip.read_bytes()
    with victim.keeps_to_its_places():
        media = victim.reference(content, ".mkv", name)
        clip = types_pb2.Clip(movie=media)
        if len(name) <= 255:
            job = victim.finished(victim.edit(clip))
            assert job.state == jobs_pb2.JOB_STATE_SUCCEEDED, job.failure
            assert [artifact.name for artifact in job.artifacts] == ["result.mkv"]
        else:
            assert outcome(lambda: victim.client.submit(victim.edit(clip))) == "request-too-large"
        for suffix in (name, ".mkv/" + name, name + ".mkv"):
            if suffix == ".mkv":
                continue
            media = victim.reference(content, suffix)
            assert victim.failed(victim.edit(types_pb2.Clip(movie=media))).code == "media-kind"
            images = types_pb2.Clip(images=types_pb2.ImageSequence(frames=[media]))
            assert victim.failed(victim.edit(images)).code == "media-kind"
            assert victim.failed(victim.edit(masks=[images])).code == "media-kind"


@each
def test_of_hashes(victim: Victim, name: str) -> None:
    header = media_pb2.UploadHeader(sha256=name, total_bytes=3)
    clip = types_pb2.Clip(movie=types_pb2.MediaRef(sha256=name, suffix=".mkv"))
    with victim.keeps_to_its_places():
        assert outcome(lambda: victim.client.upload_chunk(header, b"abc")) == "request-invalid"
        assert outcome(lambda: victim.client.stat_media([name])) == "request-invalid"
        assert outcome(lambda: victim.client.submit(victim.edit(clip))) == "request-invalid"


@each
def test_of_choices(victim: Victim, name: str) -> None:
    """What names a thing of the daemon's: model, editor, preset, device, delivery."""
    text = types_pb2.ParameterValue(text=name)
    edits = {
        "model": {"model": name},
        "editor": {"editor": name},
        "preset": {"preset": name},
        "device": {"device": name},
        "mode": {"region": types_pb2.RegionSettings(mode=name)},
        "kind": {"delivery": types_pb2.DeliverySettings(kind=name)},
        "format": {"delivery": types_pb2.DeliverySettings(kind="full", format=name)},
        "container": {"delivery": types_pb2.DeliverySettings(container=name)},
        "parameter": {"parameters": {name or " ": text}},
        "value": {"parameters": {"cfg": text}},
    }
    with victim.keeps_to_its_places():
        for field, change in edits.items():
            edit = victim.edit()
            if name == "" and field not in ("parameter", "value"):
                continue  # means the default
            edit.MergeFrom(types_pb2.EditRequest(**change))  # type: ignore[arg-type]
            assert outcome(lambda edit=edit: victim.client.submit(edit)) != "done", field  # type: ignore[misc]


@each
def test_of_models(victim: Victim, name: str) -> None:
    client = victim.client
    with victim.keeps_to_its_places():
        assert outcome(lambda: client.load(name, "cpu")) != "done"
        assert outcome(lambda: client.pull(name)) != "done"
        assert outcome(lambda: client.verify(name)) != "done"
        assert outcome(lambda: client.task(name)) != "done"
        assert outcome(lambda: client.cancel_task(name)) != "done"
        assert outcome(lambda: client.load(MODEL, name)) != "done" or name == ""


@each
def test_of_jobs_and_results(victim: Victim, name: str) -> None:
    client = victim.client
    with victim.keeps_to_its_places():
        assert outcome(lambda: client.job(name)) == "job-unknown"
        assert outcome(lambda: client.cancel(name)) == "job-unknown"
        assert outcome(lambda: client.retry(name)) == "job-unknown"
        assert outcome(lambda: client.vary(name)) == "job-unknown"
        assert outcome(lambda: client.move(name, priority=1)) == "job-unknown"
        assert outcome(lambda: client.delete(name)) == "job-unknown"
        assert outcome(lambda: client.download_chunk(name, 0, 0, 0)) in ("job-unknown", "artifact-unknown")
        assert outcome(lambda: client.submit(victim.edit(), request_id=name or "-")) == "request-invalid"


def test_of_results_are_the_daemons(victim: Victim) -> None:
    job = victim.finished(victim.edit(delivery=types_pb2.DeliverySettings(format="ffv1", sheet=True)))
    assert [artifact.name for artifact in job.artifacts] == ["result.mkv", "sheet.png"]
    for index in (-1, 2, 2**31 - 1, -(2**31)):
        assert outcome(lambda i=index: victim.client.download_chunk(job.id, i, 0, 0)) == "artifact-unknown"  # type: ignore[misc]
