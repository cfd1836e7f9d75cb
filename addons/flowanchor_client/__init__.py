# SPDX-License-Identifier: Apache-2.0
"""The client that all hosts share; needs grpcio and protobuf alone and starts no thread.

with Client.connect(client="blender") as client:
    sha256 = client.upload(Path("shot.mov"))
    job = client.submit(edit)                        # flowanchor.v1.types_pb2.EditRequest
    for update in client.watch(job.id, previews=True):
        ...                                          # update.job.progress, update.preview
    client.download(job.id, update.job.artifacts[0], Path("edited.mkv"))
"""

from flowanchor_client.client import ENDED, Client, JobUpdate, failure_of_job, new_request_id
from flowanchor_client.errors import DaemonUnreachable, ServiceFailure

__all__ = [
    "ENDED",
    "Client",
    "DaemonUnreachable",
    "JobUpdate",
    "ServiceFailure",
    "failure_of_job",
    "new_request_id",
]
