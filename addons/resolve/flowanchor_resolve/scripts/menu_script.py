# SPDX-License-Identifier: Apache-2.0
"""A menu entry of Resolve's: does one action of FlowAnchor's and ends.

installers/resolve.py writes one file for each action into Resolve's folder of scripts, with the two lines
below filled in; all else stays in FlowAnchor's own folder, so that nothing here grows old.
"""

import importlib.util
import os
import sys
from typing import Any, Dict  # noqa: UP035 - read by whatever Python Resolve has, to say that it is too old

ACTION = ""
PACKAGE = ""


def main(names: Dict[str, Any]) -> None:  # noqa: UP006
    if sys.version_info < (3, 10):  # noqa: UP036
        version = sys.version.split()[0]
        print(f"FlowAnchor: Resolve uses Python {version}. Install 3.10 or newer, then restart Resolve.")
        return
    start = os.path.join(PACKAGE, "__init__.py")
    if not os.path.isfile(start):
        print(f"FlowAnchor: it is no longer in {PACKAGE}. Run `installers/run.py resolve` where it is now.")
        return
    # Resolve may keep its Python between two scripts: what was loaded then may be of another version. And the
    # folder stays off sys.path, where other things than this package may lie beside it.
    for name in [name for name in sys.modules if name.split(".")[0] == "flowanchor_resolve"]:
        del sys.modules[name]
    spec = importlib.util.spec_from_file_location(
        "flowanchor_resolve", start, submodule_search_locations=[PACKAGE]
    )
    if spec is None or spec.loader is None:
        print(f"FlowAnchor: {start} cannot be loaded.")
        return
    package = importlib.util.module_from_spec(spec)
    sys.modules["flowanchor_resolve"] = package
    spec.loader.exec_module(package)
    from flowanchor_resolve import menu

    menu.run(ACTION, the_resolve(names))


def the_resolve(names: Dict[str, Any]) -> Any:  # noqa: UP006
    """Resolve's own object, as it gives it to scripts: by name, or through `bmd` or `app`."""
    if names.get("resolve") is not None:
        return names["resolve"]
    if names.get("bmd") is not None:
        return names["bmd"].scriptapp("Resolve")
    if names.get("app") is not None:
        return names["app"].GetResolve()
    return None


main(globals())
