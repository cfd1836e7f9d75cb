# SPDX-License-Identifier: Apache-2.0
"""Writing a rendered movie as Resolve would: the codec asked for, start timecode, Rec.709, sound (silent)."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from tests.resolve.standin.model.pictures import NotModelled, Picture

if TYPE_CHECKING:
    from tests.resolve.standin.model.render_job import Job

_ENCODERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "ProRes422": ("prores_ks", "yuv422p10le", {"profile": "standard"}),
    "ProRes422HQ": ("prores_ks", "yuv422p10le", {"profile": "hq"}),
    "ProRes4444": ("prores_ks", "yuv444p10le", {"profile": "4444"}),
    "DNxHRHQX_10": ("dnxhd", "yuv422p10le", {"profile": "dnxhr_hqx"}),
    "H264": ("libx264", "yuv420p", {"crf": "12", "preset": "veryfast"}),
}
_SOUND_RATE = 48000


class Writer:
    """The file of one job. Pictures go in one by one; leaving it finishes the file."""

    def __init__(self, job: Job) -> None:
        settings, state = job.state.settings, job.state
        if state.codec not in _ENCODERS:
            raise NotModelled(f"the stand-in cannot write {state.codec}")
        self.pictures = settings.get("ExportVideo", True) and not state.unseen.get("no_video")
        self.container = av.open(str(job.file), "w")
        rate = job.timeline.rate
        self.time_base, self.count = 1 / rate, 0
        self.video: Any = None
        self.sound: Any = None
        if self.pictures:
            encoder, pix_fmt, options = _ENCODERS[state.codec]
            if state.codec == "ProRes4444" and settings.get("ExportAlpha"):
                pix_fmt = "yuva444p10le"
            self.video = self.container.add_stream(encoder, rate=rate)
            self.video.width, self.video.height = job.size
            self.video.pix_fmt, self.video.options = pix_fmt, options
            self.video.codec_context.time_base = self.time_base
            context = self.video.codec_context
            context.colorspace = context.color_primaries = context.color_trc = context.color_range = 1
            start = settings.get("TimelineStartTimecode") or job.timeline.label(job.first)
            self.video.metadata["timecode"] = start
        if settings.get("ExportAudio", True) and not settings.get("ExportAlpha"):
            self.sound = self.container.add_stream("pcm_s16le", rate=_SOUND_RATE, layout="stereo")

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.sound is not None:
            self._silence()
        if self.video is not None:
            self.container.mux(self.video.encode(None))
        self.container.close()

    def add(self, picture: Picture) -> None:
        if self.video is not None:
            whole = np.round(picture * 65535).astype("<u2")
            if self.video.pix_fmt != "yuva444p10le":
                whole[..., :3] = np.round(picture[..., :3] * picture[..., 3:] * 65535)
                whole[..., 3] = 65535
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(whole), "rgba64le")
            frame = frame.reformat(format=self.video.pix_fmt, dst_colorspace="ITU709")
            frame.pts, frame.time_base = self.count, self.time_base
            frame.colorspace = frame.color_range = 1
            self.container.mux(self.video.encode(frame))
        self.count += 1

    def _silence(self) -> None:
        samples = round(self.count * self.time_base * _SOUND_RATE)
        for start in range(0, samples, _SOUND_RATE):
            silent = np.zeros((1, 2 * min(_SOUND_RATE, samples - start)), np.int16)
            frame = av.AudioFrame.from_ndarray(silent, format="s16", layout="stereo")
            frame.sample_rate, frame.pts = _SOUND_RATE, start
            self.container.mux(self.sound.encode(frame))
        self.container.mux(self.sound.encode(None))
