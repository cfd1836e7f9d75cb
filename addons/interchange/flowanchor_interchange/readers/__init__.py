# SPDX-License-Identifier: Apache-2.0
"""One reader a format, each from bytes to the model.

OpenTimelineIO reads its own format. For the others its adapters are the tests' second opinion, not what runs
here: measured with 0.18.1, the FCPXML one counts 23 frames to a second at 23.976 and prints to standard
output, the EDL one loses the start timecode, and none tells where in the file a track lies, which is what
writing a result into the original document needs.
"""
