# SPDX-License-Identifier: Apache-2.0
"""The scene as Final Cut Pro 7 XML."""

from __future__ import annotations

from tests.blender.host.numbered import HEIGHT, WIDTH
from tests.interchange.scene import FIRST, FRAMES, LENGTH, TOP, TOP_AT, TWO, TWO_AT, Scene


def fcp7_document(scene: Scene) -> bytes:
    """As Premiere Pro writes it: files written once, then named by id, the second time without content."""
    ntsc = "TRUE" if scene.rate.denominator > 1 else "FALSE"
    rate = f"<rate><timebase>{round(scene.rate)}</timebase><ntsc>{ntsc}</ntsc></rate>"
    form = "DF" if scene.drop else "NDF"
    timecode, recorded = (
        f"<timecode>{rate}<string>{label}</string><frame>{frame}</frame>"
        f"<displayformat>{form}</displayformat></timecode>"
        for label, frame in ((scene.label, scene.start), (scene.recorded_label, scene.recorded))
    )
    url = scene.footage.as_uri().replace("file:///", "file://localhost/")
    file = (
        f'<file id="file-1"><name>{scene.footage.name}</name><pathurl>{url}</pathurl>{rate}'
        f"<duration>{FRAMES}</duration>{recorded}<media><video/></media></file>"
    )

    def clip(name: str, start: int, frames: int, at: int, file: str, more: str = "") -> str:
        return f"""
          <clipitem id="clipitem-{name}" premiereChannelType="mono">
            <name>{name}</name>
            <enabled>TRUE</enabled>{rate}
            <start>{at}</start><end>{at + frames}</end><in>{start}</in><out>{start + frames}</out>
            {file}{more}
            <pproTicksIn>0</pproTicksIn>
          </clipitem>"""

    size = f"<width>{WIDTH}</width><height>{HEIGHT}</height>"
    picture = f"<samplecharacteristics>{rate}{size}</samplecharacteristics>"
    effect = """
            <filter><effect><name>Grade &amp; more</name><effectid>grade</effectid></effect></filter>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE xmeml>
<xmeml version="4">
  <sequence id="sequence-1" TL.SQAudioVisibleBase="0">
    <name>Scene</name>
    <duration>{LENGTH}</duration>{rate}{timecode}
    <media>
      <video>
        <format>{picture}</format>
        <track TL.SQTrackShy="0">{clip("one", FIRST.start, FIRST.duration, 0, file)}
          {clip("two", TWO.start, TWO.duration, TWO_AT, '<file id="file-1"/>', effect)}
          <enabled>TRUE</enabled><locked>FALSE</locked>
        </track>
        <track>{clip("top", TOP.start, TOP.duration, TOP_AT, '<file id="file-1"/>')}
          <enabled>TRUE</enabled><locked>FALSE</locked>
        </track>
      </video>
      <audio><track><enabled>TRUE</enabled></track></audio>
    </media>
    <!-- of the program's own -->
  </sequence>
</xmeml>
""".encode()
