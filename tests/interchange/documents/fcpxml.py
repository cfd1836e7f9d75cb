# SPDX-License-Identifier: Apache-2.0
"""The scene as FCPXML."""

from __future__ import annotations

from fractions import Fraction

from tests.blender.host.numbered import HEIGHT, WIDTH
from tests.interchange.scene import FIRST, FRAMES, LENGTH, TOP, TOP_AT, TWO, TWO_AT, Scene


def fcpxml_document(scene: Scene) -> bytes:
    """As Final Cut Pro writes it: a connected clip on the clock of what it hangs on."""
    frame = 1 / scene.rate

    def time(frames: Fraction | int) -> str:
        value = frames * frame
        return f"{value.numerator}/{value.denominator}s" if value.denominator > 1 else f"{value.numerator}s"

    def span(first: int, frames: int) -> str:
        return f'start="{time(first)}" duration="{time(frames)}"'

    start, form = scene.start, "DF" if scene.drop else "NDF"
    recorded = scene.recorded
    above, mark = (recorded + TWO.start + more for more in (TOP_AT - TWO_AT, 0))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE fcpxml>

<fcpxml version="1.10">
    <resources>
        <format id="r1" name="FFVideoFormatX" frameDuration="{frame.numerator}/{frame.denominator}s"
            width="{WIDTH}" height="{HEIGHT}"/>
        <asset id="r2" name="footage" uid="ABC" {span(recorded, FRAMES)} hasVideo="1" format="r1">
            <media-rep kind="original-media" sig="ABC" src="{scene.footage.as_uri()}">
                <bookmark>Ym9vaw==</bookmark>
            </media-rep>
        </asset>
    </resources>
    <library location="file:///Users/x/Movies/X.fcpbundle/">
        <event name="Day 1">
            <project name="Scene" modDate="2026-01-01 10:00:00 +0000">
                <sequence format="r1" duration="{time(LENGTH)}" tcStart="{time(start)}" tcFormat="{form}">
                    <spine>
                        <asset-clip ref="r2" offset="{time(start)}" name="one"
                            {span(recorded + FIRST.start, FIRST.duration)} tcFormat="NDF"/>
                        <gap name="Gap" offset="{time(start + FIRST.duration)}" start="3600s"
                            duration="{time(TWO_AT - FIRST.duration)}"/>
                        <asset-clip ref="r2" offset="{time(start + TWO_AT)}" name="two"
                            {span(recorded + TWO.start, TWO.duration)}>
                            <adjust-volume amount="-96dB"/>
                            <asset-clip ref="r2" lane="1" offset="{time(above)}" name="top"
                                {span(recorded + TOP.start, TOP.duration)}/>
                            <marker start="{time(mark)}" duration="{time(1)}" value="look here"/>
                            <filter-video ref="r9" name="Grade"/>
                        </asset-clip>
                    </spine>
                </sequence>
            </project>
        </event>
    </library>
</fcpxml>
""".encode()
