# SPDX-License-Identifier: Apache-2.0
"""The clip's sound, copied packet by packet: never decoded, never coded again."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from flowanchor_core.errors import DeliveryError, InputError
from flowanchor_core.footage import media
from flowanchor_core.footage.decode import frame_times
from flowanchor_core.footage.probe import ClipInfo

_SEEK_FROM = 20  # seconds: below this, reading the packets before the range costs less than it could go wrong
_LEAD = 5  # seconds read before the range after a seek


class AudioCopy:
    """Packets of all audio streams for a frame range, timed from the range's first frame.

    The whole clip's sound is copied whole. A part gets the packets that begin in it and, where the
    container can say "start playing inside a packet" (MP4 and MOV edit lists), also the two before, so that
    sound starts on the sample.
    """

    def __init__(self, clip: ClipInfo, first: int, last: int, output: OutputContainer) -> None:
        self._source = media.open_media(clip.path)
        self._start, self._end = frame_times(clip, first, last)
        self._whole = first == 0 and last == clip.frames - 1
        self._lead_in = 2 if output.format.name in ("mp4", "mov") else 0
        self._outputs = {
            stream.index: output.add_stream_from_template(stream) for stream in self._source.streams.audio
        }
        if not self._whole and self._start > _SEEK_FROM:
            self._source.seek(int((self._start - _LEAD) * av.time_base), backward=True)
        self._packets = self._wanted()
        self._next: tuple[Fraction, Packet[Stream]] | None = None
        self._advance()

    def until(self, seconds: Fraction | None) -> Iterator[Packet[Stream]]:
        """Packets that start up to `seconds` into the range (None: all that are left), ready to be muxed."""
        while self._next is not None and (seconds is None or self._next[0] <= seconds):
            yield self._next[1]
            self._advance()

    def close(self) -> None:
        self._source.close()

    def _advance(self) -> None:
        self._next = next(self._packets, None)

    def _wanted(self) -> Iterator[tuple[Fraction, Packet[Stream]]]:
        finished: set[int] = set()
        for packet in self._source.demux(*self._source.streams.audio):
            if packet.size == 0:
                continue
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is None:
                raise DeliveryError(
                    "sound-untimed", "The clip's sound has no times.", "Convert the clip to MOV first."
                )
            base = Fraction(packet.time_base)
            begin = stamp * base
            if not self._whole:
                if begin >= self._end:
                    finished.add(packet.stream_index)
                    if len(finished) == len(self._outputs):
                        return
                    continue
                if begin + (packet.duration or 0) * base * self._lead_in < self._start or (
                    begin < self._start and not self._lead_in
                ):
                    continue
            shift = round(self._start / base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift
            packet.stream = self._outputs[packet.stream_index]
            yield begin - self._start, packet


def check_container(clip: ClipInfo, muxer: str) -> None:
    """Raise InputError if a container of format `muxer` cannot hold the clip's sound as it is."""
    if not clip.audio:
        return
    with media.open_media(clip.path) as source:
        names = ", ".join(sorted({stream.codec_context.name for stream in source.streams.audio}))
        trial = av.open(io.BytesIO(), "w", format=muxer)
        try:
            for stream in source.streams.audio:
                trial.add_stream_from_template(stream)
            trial.start_encoding()
            trial.close()
        except (av.FFmpegError, ValueError) as error:
            raise InputError(
                "sound-container",
                f"The clip's sound ({names}) cannot be copied into this kind of file.",
                "Name the output .mkv or .mov.",
            ) from error


def sound_bytes(clip: ClipInfo) -> int:
    """What the sound can take at most: the file's size, or 8 channels of 48 kHz, 32 bit."""
    if not clip.audio:
        return 0
    seconds = float(clip.frames / clip.rate)
    return min(clip.path.stat().st_size, int(seconds * 48000 * 8 * 4))
