# SPDX-License-Identifier: Apache-2.0
"""Timelines of other editing programs: read one, write it back with a result on a track of its own.

`files.read` reads a timeline into the model, `selection` says which frames of which file a clip shows,
`place.render` and `place.save` make the new file. Nothing here opens media.
"""
