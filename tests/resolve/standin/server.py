# SPDX-License-Identifier: Apache-2.0
"""A world's doors for scripts in other processes: a loopback socket, a JSON object a line."""

from __future__ import annotations

import json
import socketserver
import threading
from typing import TYPE_CHECKING, Any

from tests.resolve.standin.line import ContractBroken, NotModelled, Ref, packed, unpacked

if TYPE_CHECKING:
    from tests.resolve.standin.world import World


class Server:
    def __init__(self, world: World, port: int = 0) -> None:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    answer = json.dumps(_answer(world, json.loads(line)))
                    self.wfile.write(answer.encode() + b"\n")

        class Loopback(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Loopback(("127.0.0.1", port), Handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="stand-in server", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)


def _answer(world: World, question: dict[str, Any]) -> dict[str, Any]:
    desk = world.desk
    if question["ask"] == "hello":
        root = desk.given(world.app) if world.allows_scripts else None
        return {
            "strict": desk.strict,
            "unknown_is_none": desk.unknown_is_none,
            "root": list(root) if root else None,
            "names": {kind: desk.names(kind) for kind in desk.rules.contract.classes},
            "constants": {name: packed(value) for name, value in desk.constants().items()},
        }
    try:
        value = desk.call(
            Ref(*question["ref"]), question["name"], unpacked(question["arguments"]), question["keywords"]
        )
    except ContractBroken as broken:
        return {"broken": str(broken)}
    except NotModelled as unknown:
        return {"not_modelled": str(unknown)}
    return {"value": packed(value)}
