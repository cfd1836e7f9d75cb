# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import asyncio
import socket
import struct
import threading

import pytest
from flowanchor.engine.v1 import engine_pb2
from flowanchor_daemon.engine import framing
from hypothesis import given, settings
from hypothesis import strategies as st

messages = st.lists(
    st.builds(engine_pb2.Event, job=st.text(), preview_jpeg=st.binary(max_size=300)), max_size=5
)


async def read_all(content: bytes) -> list[engine_pb2.Event]:
    reader = asyncio.StreamReader()
    reader.feed_data(content)
    reader.feed_eof()
    found = []
    while (message := await framing.read(reader, engine_pb2.Event)) is not None:
        found.append(message)
    return found


def receive_all(content: bytes) -> list[engine_pb2.Event]:
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def feed() -> None:
            theirs.sendall(content)
            theirs.shutdown(socket.SHUT_WR)

        feeder = threading.Thread(target=feed)
        feeder.start()
        found = []
        while (message := framing.receive(ours, engine_pb2.Event)) is not None:
            found.append(message)
        feeder.join()
        return found


@given(messages)
def test_messages_come_through_in_order(sent: list[engine_pb2.Event]) -> None:
    content = b"".join(framing.pack(message) for message in sent)
    assert asyncio.run(read_all(content)) == sent
    assert receive_all(content) == sent


@settings(max_examples=30)
@given(messages, st.integers(min_value=1))
def test_a_stream_cut_short_ends_after_its_last_whole_message(sent: list[engine_pb2.Event], cut: int) -> None:
    packed = [framing.pack(message) for message in sent]
    content = b"".join(packed)
    kept = content[: len(content) - cut % (len(content) + 1)]
    whole, length = 0, 0
    while whole < len(packed) and length + len(packed[whole]) <= len(kept):
        length += len(packed[whole])
        whole += 1
    assert asyncio.run(read_all(kept)) == sent[:whole]
    assert receive_all(kept) == sent[:whole]


def test_a_length_over_the_limit_is_refused_before_memory_is_taken() -> None:
    head = struct.pack(">I", framing.LIMIT + 1)
    with pytest.raises(framing.FramingError):
        asyncio.run(read_all(head))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(head)
        with pytest.raises(framing.FramingError):
            framing.receive(ours, engine_pb2.Event)


def test_a_message_over_the_limit_is_not_sent() -> None:
    with pytest.raises(framing.FramingError):
        framing.pack(engine_pb2.Event(preview_jpeg=bytes(framing.LIMIT)))


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(framing.FramingError):
        asyncio.run(read_all(struct.pack(">I", 3) + b"\xff\xff\xff"))


def test_both_sides_understand_each_other() -> None:
    async def exchange() -> tuple[engine_pb2.Event | None, engine_pb2.Event | None]:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        with theirs:
            large = engine_pb2.Event(job="up", preview_jpeg=bytes(1 << 20))
            # The sender blocks until the reader takes what does not fit into the socket.
            sending = asyncio.create_task(asyncio.to_thread(framing.send, theirs, large))
            up = await framing.read(reader, engine_pb2.Event)
            await sending
            await framing.write(writer, engine_pb2.Event(job="down"))
            down = await asyncio.to_thread(framing.receive, theirs, engine_pb2.Event)
        writer.close()
        return up, down

    up, down = asyncio.run(asyncio.wait_for(exchange(), 120))
    assert up is not None
    assert (up.job, len(up.preview_jpeg)) == ("up", 1 << 20)
    assert down is not None
    assert down.job == "down"
