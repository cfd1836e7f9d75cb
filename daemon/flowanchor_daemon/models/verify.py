# SPDX-License-Identifier: Apache-2.0
"""Check a model's files: `python -m flowanchor_daemon.models.verify NAME`, a process of its own.

Every file is compared with the model's manifest, size and SHA-256. A model without one (embedded, linked, put
there by hand) has nothing to be compared with: its layout and the headers of its weights are checked.
"""

from __future__ import annotations

import sys
from pathlib import Path

from flowanchor_core import models
from flowanchor_core.errors import ModelError
from flowanchor_core.model_files import check_layout
from flowanchor_daemon.models import catalog, child
from flowanchor_daemon.models.manifest import Manifest, differences, read_manifest


def verify(name: str) -> None:
    """Raise ModelError "verify-failed", or what is wrong with the model's layout."""
    folder = models.find_model(name)
    manifest = manifest_of(name, folder)
    if manifest is not None:
        wrong = differences(folder, manifest, child.Report(manifest.total_bytes).add)
        if wrong:
            more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
            raise ModelError(
                "verify-failed",
                f"The model '{name}' differs from its manifest: {', '.join(wrong[:3])}{more}.",
                "Pull or import the model again; a pull downloads only what differs.",
            )
    check_layout(folder)


def manifest_of(name: str, folder: Path) -> Manifest | None:
    """The manifest in the model's folder, else the published one of that name, else None."""
    known = catalog.find(name)
    return read_manifest(folder) or (known.manifest if known is not None else None)


def main(arguments: list[str]) -> int:
    (name,) = arguments
    return child.run(lambda: verify(name), "verify-failed")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
