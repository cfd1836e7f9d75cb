# SPDX-License-Identifier: Apache-2.0
"""Text embeddings on disk, so that a prompt seen before needs no text encoder."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

_log = logging.getLogger(__name__)


class TextCache:
    """One safetensors file an embedding [L, D], named by a hash of the encoder and the text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, encoder: str, text: str) -> Tensor | None:
        """The embedding of `text` by the encoder of that fingerprint, or None. A damaged file counts as
        none."""
        path = self._path(encoder, text)
        try:
            with safe_open(path, framework="pt") as file:
                embedding: Tensor = file.get_tensor("embedding")
                return embedding
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError) as failure:
            _log.warning("text cache: %s is unreadable and will be made again (%s)", path, failure)
            return None

    def put(self, encoder: str, text: str, embedding: Tensor) -> None:
        """Keep an embedding. An edit does not depend on it: where nothing can be written, it is only
        logged."""
        path = self._path(encoder, text)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._folder, suffix=".tmp")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(save({"embedding": embedding.contiguous()}))
                Path(temporary).replace(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as failure:
            _log.warning("text cache: cannot write %s (%s)", path, failure)

    def _path(self, encoder: str, text: str) -> Path:
        name = hashlib.sha256(f"{encoder}\n{text}".encode()).hexdigest()
        return self._folder / f"{name}.safetensors"
