# SPDX-License-Identifier: Apache-2.0
"""A client in a process of its own, for tests that kill it or run many of them.

worker.py submit          reads JSON {"edit": hex, "wishes": [request id, …]}; prints "request-id job-id" each
worker.py upload PATH     prints the hash; rests after each piece, so as to be there when it is killed
worker.py watch JOB       prints each state and step
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from flowanchor.v1 import media_pb2, types_pb2
from flowanchor_client import Client


def main(action: str, *arguments: str) -> None:
    given = json.load(sys.stdin) if action == "submit" else {}
    with Client.connect(client="worker", timeout=200.0) as client:
        if action == "upload":
            send = client.upload_chunk

            def slowly(header: media_pb2.UploadHeader, data: bytes) -> media_pb2.MediaState:
                state = send(header, data)
                time.sleep(0.25 if header.offset > 8 << 20 else 0.0)
                return state

            client.upload_chunk = slowly  # type: ignore[method-assign]
            print(client.upload(Path(arguments[0])), flush=True)
        elif action == "watch":
            for update in client.watch(arguments[0], previews=True):
                print(update.job.state, update.job.progress.step, flush=True)
        else:
            edit = types_pb2.EditRequest.FromString(bytes.fromhex(given["edit"]))
            for wish in given["wishes"]:
                print(wish, client.submit(edit, request_id=wish).id, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
