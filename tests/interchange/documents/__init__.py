# SPDX-License-Identifier: Apache-2.0
"""The scene as each program writes it, with things of its own that must survive: comments, effects, data."""

from tests.interchange.documents.edl import edl_document
from tests.interchange.documents.fcp7 import fcp7_document
from tests.interchange.documents.fcpxml import fcpxml_document
from tests.interchange.documents.kdenlive import kdenlive_document
from tests.interchange.documents.mlt import mlt_document
from tests.interchange.documents.otio import otio_document

ENDINGS = {
    "otio": ".otio",
    "fcp7": ".xml",
    "fcpxml": ".fcpxml",
    "edl": ".edl",
    "mlt": ".mlt",
    "kdenlive": ".kdenlive",
}

DOCUMENTS = {
    "otio": otio_document,
    "fcp7": fcp7_document,
    "fcpxml": fcpxml_document,
    "edl": edl_document,
    "mlt": mlt_document,
    "kdenlive": kdenlive_document,
}

__all__ = ["DOCUMENTS", "ENDINGS", "otio_document"]
