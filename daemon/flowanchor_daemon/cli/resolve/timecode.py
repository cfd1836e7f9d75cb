# SPDX-License-Identifier: Apache-2.0
"""Give a result the timecode of its place on the timeline.

An edit keeps the timecode of what it was made of. What Resolve renders has the timeline's; a clip's own file
has its camera's.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from flowanchor_resolve.frames import timecode_of_frame
from flowanchor_resolve.host import Selection
from flowanchor_resolve.problems import ResolveProblem

if TYPE_CHECKING:
    from av.stream import Stream


def record_timecode(selection: Selection) -> str:
    """The timecode of a selection's first frame on its timeline."""
    return timecode_of_frame(selection.start, selection.rate, selection.drop_frame)


def stamp(path: Path, timecode: str) -> None:
    """Rewrite a QuickTime movie with another start timecode; its frames and sound are copied bit by bit.

    The file is replaced in one move, or stays as it was.

    Raises:
        ResolveProblem: "resolve-disk".
        InputError: it is no movie.
    """
    import av

    handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    try:
        _copy(path, Path(temporary), timecode)
        os.replace(temporary, path)
    except BaseException as failure:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(failure, OSError | av.FFmpegError):
            raise ResolveProblem(
                "resolve-disk",
                f"{path} cannot be written with its timecode: {failure}.",
                "Make room or check the folder, then try again.",
            ) from failure
        raise


def _copy(path: Path, target: Path, timecode: str) -> None:
    import av

    from flowanchor_core.footage.media import open_media

    with open_media(path) as source, av.open(str(target), "w", format="mov") as made:
        copied: dict[int, Stream] = {}
        for sound in source.streams.audio:
            copied[sound.index] = made.add_stream_from_template(sound)
        for pictures in source.streams.video:
            stream = made.add_stream_from_template(pictures)
            stream.time_base = pictures.time_base
            # The kind of ProRes; any other would be taken for another format.
            stream.codec_context.codec_tag = pictures.codec_context.codec_tag
            if pictures.average_rate is not None:  # without the rate no timecode is written
                stream.codec_context.framerate = pictures.average_rate
            stream.metadata["timecode"] = timecode
            copied[pictures.index] = stream
        for packet in source.demux([source.streams[index] for index in copied]):
            if packet.dts is None:
                continue  # the flush at the end
            packet.stream = copied[packet.stream.index]
            made.mux(packet)
