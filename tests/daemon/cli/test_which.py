# SPDX-License-Identifier: Apache-2.0
"""How people name jobs, and how lists tell them apart."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import cast

import pytest
from flowanchor.v1 import jobs_pb2, types_pb2
from flowanchor_client import Client, JobUpdate, ServiceFailure
from flowanchor_daemon.cli.jobs_view import as_plain, print_table, with_requests
from flowanchor_daemon.cli.which import find_id
from rich.console import Console


class Daemon:
    """Plays a client that knows jobs, newest first."""

    def __init__(self, *ids: str) -> None:
        self.ids = list(ids)

    def job(self, job: str) -> JobUpdate:
        if job not in self.ids:
            raise ServiceFailure("job-unknown", "There is no such job.", "Look.")
        context = json.dumps({"out": f"/a/{job}.mkv"}).encode()
        clip = types_pb2.Clip(movie=types_pb2.MediaRef(name="shot.mov"))
        edit = types_pb2.EditRequest(seed=len(job), clip=clip, host_context=context)
        return JobUpdate(
            jobs_pb2.Job(id=job, client="cli", parent="feed01", label="a cat", request=edit), b""
        )

    def jobs(self, limit: int | None = None) -> Iterator[jobs_pb2.Job]:
        yield from (jobs_pb2.Job(id=job) for job in self.ids[:limit])


def client(*ids: str) -> Client:
    return cast(Client, Daemon(*ids))


def test_a_job_is_named_by_its_id_the_beginning_of_it_or_as_the_last() -> None:
    known = client("ab12", "ab34", "cd56", "c")
    for text, job in (("ab34", "ab34"), ("ab1", "ab12"), ("CD", "cd56"), ("c", "c"), ("last", "ab12")):
        assert find_id(known, text) == job


@pytest.mark.parametrize(
    ("text", "said"), [("ab", "ab12, ab34"), ("xy", "no job xy"), ("", "no job"), ("b12", "no job b12")]
)
def test_what_names_no_job_or_several_is_told_with_its_text(text: str, said: str) -> None:
    with pytest.raises(ServiceFailure, match=said) as caught:
        find_id(client("ab12", "ab34"), text)
    assert caught.value.code == "job-unknown"


def test_there_is_no_last_job_of_none() -> None:
    with pytest.raises(ServiceFailure, match="There are no jobs"):
        find_id(client(), "last")


def test_a_list_tells_takes_apart_and_skips_what_is_gone() -> None:
    listed = [jobs_pb2.Job(id="ab12"), jobs_pb2.Job(id="gone")]
    (found,) = with_requests(client("ab12"), listed)
    plain = as_plain(found)
    assert (plain["clip"], plain["seed"], plain["parent"]) == ("shot.mov", 4, "feed01")
    assert plain["output"] is None, "the name is the other job's"
    first = jobs_pb2.Job()
    first.CopyFrom(found)
    first.parent = ""
    assert as_plain(first)["output"] == "/a/ab12.mkv"
    output = io.StringIO()
    print_table([found], Console(file=output, width=200))
    line = output.getvalue().splitlines()[1]
    assert all(part in line for part in ("ab12", "shot.mov", " 4 ", "feed01", "a cat"))
