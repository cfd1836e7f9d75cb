# SPDX-License-Identifier: Apache-2.0
"""Find and load Resolve's scripting module into this process."""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from typing import Any

from flowanchor_resolve.places import MODULE, find_library, find_module

LIBRARY = "fusionscript"


def find() -> Path | None:
    """The module's file, else the library behind it; None if neither is there.

    $RESOLVE_SCRIPT_API wins, then what Python's own path offers, then where installers put it.
    """
    chosen = bool(os.environ.get("RESOLVE_SCRIPT_API"))
    found = find_module()
    if found is not None and chosen:
        return found
    on_path = (Path(folder) / f"{MODULE}.py" for folder in sys.path if os.path.isabs(folder))
    return next((path for path in on_path if path.is_file()), None) or found or find_library()


def load(where: Path) -> Any:
    """The module at `where`, as `find` gave it; it has `scriptapp`.

    Older releases of the module need Python's `imp`, which 3.12 has dropped: then the library behind it is
    loaded as the module would have.

    Raises:
        ImportError: it cannot be loaded into this Python.
    """
    if sys.platform == "win32":
        # Else the library binds itself to the highest Python in the registry, and may crash in this one.
        os.environ.setdefault("FUSION_PYTHON3_HOME", sys.base_prefix)
    if where.suffix != ".py":
        return _load_library(where)
    folder = str(where.parent)
    sys.path.append(folder)  # for modules beside it; last, as nothing of ours may be found there first
    try:
        return _load_module(where)
    except ImportError as failure:
        library = find_library()
        if library is None:
            raise ImportError(f"{where} cannot be loaded: {failure}") from failure
        return _load_library(library)
    finally:
        sys.path.remove(folder)


def _load_module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(MODULE, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(MODULE, None)
        raise
    # The vendor's module puts the library into its own place in sys.modules.
    loaded = sys.modules.get(MODULE, module)
    if not callable(getattr(loaded, "scriptapp", None)):
        raise ImportError(f"{path} has no scriptapp")
    return loaded


def _load_library(path: Path) -> Any:
    loader = ExtensionFileLoader(LIBRARY, str(path))
    spec = importlib.util.spec_from_file_location(LIBRARY, path, loader=loader)
    if spec is None:
        raise ImportError(f"{path} is no extension module")
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
