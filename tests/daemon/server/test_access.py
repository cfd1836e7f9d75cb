# SPDX-License-Identifier: Apache-2.0
"""Who may call a real daemon: nobody without its token, whatever they send and wherever it listens."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from flowanchor.rendezvous import TOKEN_KEY, WARNING_KEY, bearer
from flowanchor.v1 import jobs_pb2, media_pb2, models_pb2, system_pb2
from google.protobuf import descriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2

from tests.daemon.processes import Caller, Daemons, RunningDaemon, failure_of, until

METHODS = [
    method
    for file in (jobs_pb2, media_pb2, models_pb2, system_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


def test_the_list_of_methods_is_whole() -> None:
    assert len(METHODS) == 10 + 5 + 7 + 3


@pytest.fixture
def running(daemon: Daemons) -> RunningDaemon:
    return daemon()


def call(channel: grpc.Channel, method: descriptor.MethodDescriptor, metadata: Any) -> None:
    """Call any method with an empty request and read its first answer."""
    kinds: dict[tuple[bool, bool], Callable[..., Any]] = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }
    make = kinds[method.client_streaming, method.server_streaming]
    stub = make(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    request = GetMessageClass(method.input_type)()
    answer = stub(iter([request]) if method.client_streaming else request, timeout=120, metadata=metadata)
    if method.server_streaming:
        next(answer)


def outcome(caller: Caller, method: descriptor.MethodDescriptor) -> str:
    """The code an empty request to the method fails with; empty if it does not."""
    try:
        call(caller.channel, method, caller.metadata)
    except grpc.RpcError as error:
        return failure_of(error).code
    return ""


def refusal(act: Callable[[], object]) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as failure:
        act()
    return failure.value


class TestToken:
    def test_every_call_without_the_token_is_refused(self, running: RunningDaemon) -> None:
        token = running.token
        wrong: list[Any] = [
            [],
            [(TOKEN_KEY, "")],
            [(TOKEN_KEY, token)],
            [(TOKEN_KEY, bearer(token[:-1]))],
            [(TOKEN_KEY, bearer(token + "x"))],
            [(TOKEN_KEY, bearer(token).lower())],
            [(TOKEN_KEY, bearer("x" * 10_000))],
            [(TOKEN_KEY, bearer("guess")), (TOKEN_KEY, bearer(token))],
            [("x-token", token)],
        ]
        with running.call() as caller:
            for method in METHODS:
                for metadata in wrong:
                    error: Any = refusal(lambda m=method, d=metadata: call(caller.channel, m, d))  # type: ignore[misc]
                    assert error.code() == grpc.StatusCode.UNAUTHENTICATED, (method.name, metadata)
                    assert failure_of(error).code == "unauthenticated"
                    assert token not in str(error)

    def test_every_call_with_it_gets_to_its_method(self, running: RunningDaemon) -> None:
        """The other half of the test above: what is refused there is refused for its token."""
        with running.call() as caller:
            for method in METHODS:
                if method.name == "Shutdown":
                    continue
                assert outcome(caller, method) not in ("unauthenticated", "unexpected"), running.log

    def test_methods_that_do_not_exist_are_no_way_to_probe(self, running: RunningDaemon) -> None:
        with running.call() as caller:
            stub: Any = caller.channel.unary_unary("/flowanchor.v1.Jobs/Nothing")
            error: Any = refusal(lambda: stub(b"", timeout=120))
            assert error.code() == grpc.StatusCode.UNAUTHENTICATED
            error = refusal(lambda: stub(b"", timeout=120, metadata=caller.metadata))
            assert error.code() == grpc.StatusCode.UNIMPLEMENTED

    def test_health_needs_none(self, running: RunningDaemon) -> None:
        with running.call(token=None) as caller:
            check = caller.health.Check
            for name in ("", "flowanchor.v1.Jobs", "flowanchor.v1.System"):
                answer = check(health_pb2.HealthCheckRequest(service=name), timeout=120)
                assert answer.status == health_pb2.HealthCheckResponse.SERVING

    def test_is_in_no_command_line_no_log_and_no_environment(self, running: RunningDaemon) -> None:
        with running.call() as caller:
            caller.system.GetInfo(system_pb2.GetInfoRequest(), timeout=120, metadata=caller.metadata)
            refusal(lambda: call(caller.channel, METHODS[0], [(TOKEN_KEY, bearer("x"))]))
        token = running.token
        for process in psutil.process_iter():
            try:
                assert token not in " ".join(process.cmdline())
                if process.pid == running.pid:
                    assert token not in str(process.environ())
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        running.stop()
        texts = {path: path.read_bytes() for path in running.state.rglob("*") if path.is_file()}
        assert any(path.name == "daemon.log" for path in texts)
        assert not [path for path, content in texts.items() if token.encode() in content]
        assert token not in running.said

    def test_cannot_be_given_on_the_command_line(self, daemon: Daemons) -> None:
        refused = daemon("--token", "abc", wait=False)
        assert refused.wait() == 2
        assert "--token" in refused.said


class TestSizes:
    def test_a_message_over_the_limit_is_refused_before_it_is_taken_in(self, running: RunningDaemon) -> None:
        before = psutil.Process(running.pid).memory_info().rss
        with running.call() as caller:
            huge = media_pb2.UploadChunkRequest(data=b"\0" * (256 << 20))
            error: Any = refusal(
                lambda: caller.media.UploadChunk(huge, timeout=120, metadata=caller.metadata)
            )
            assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert psutil.Process(running.pid).memory_info().rss - before < 64 << 20

    def test_strangers_cannot_make_it_hold_messages(self, running: RunningDaemon) -> None:
        """A refused stream is not read, however much is sent."""

        def endless() -> Iterator[media_pb2.UploadMediaRequest]:
            for _ in range(1000):
                yield media_pb2.UploadMediaRequest(data=b"\0" * (1 << 20))

        before = psutil.Process(running.pid).memory_info().rss
        with running.call(token="guess") as caller:
            error: Any = refusal(
                lambda: caller.media.UploadMedia(endless(), timeout=120, metadata=caller.metadata)
            )
            assert error.code() == grpc.StatusCode.UNAUTHENTICATED
        assert psutil.Process(running.pid).memory_info().rss - before < 64 << 20


class TestVersions:
    @pytest.mark.parametrize("api", ["2.0", "0.9", "99.0", "x", "1", "1.0.0"])
    def test_another_major_is_refused(self, api: str, running: RunningDaemon) -> None:
        with running.call(api=api) as caller:
            error: Any = refusal(
                lambda: caller.system.GetInfo(
                    system_pb2.GetInfoRequest(), timeout=120, metadata=caller.metadata
                )
            )
        assert error.code() == grpc.StatusCode.FAILED_PRECONDITION
        assert failure_of(error).code == "api-version"

    @pytest.mark.parametrize(("api", "warned"), [("1.0", False), ("1.7", True), (None, False)])
    def test_a_newer_minor_is_warned(self, api: str | None, warned: bool, running: RunningDaemon) -> None:
        with running.call(api=api) as caller:
            _, done = caller.system.GetInfo.with_call(
                system_pb2.GetInfoRequest(), timeout=120, metadata=caller.metadata
            )
        assert (WARNING_KEY in dict(done.trailing_metadata())) is warned

    def test_a_warning_comes_with_a_failure_too(self, running: RunningDaemon) -> None:
        with running.call(api="1.7") as caller:
            error: Any = refusal(
                lambda: caller.jobs.GetJob(
                    jobs_pb2.GetJobRequest(id="x"), timeout=120, metadata=caller.metadata
                )
            )
        assert failure_of(error).code == "job-unknown"
        assert WARNING_KEY in dict(error.trailing_metadata())


def exchange(address: str, data: bytes) -> bytes:
    """Send bytes to a daemon's address and read until it closes or stays silent."""
    if address.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(address.removeprefix("unix:"))
    else:
        host, _, port = address.rpartition(":")
        connection = socket.create_connection((host, int(port)))
    received = b""
    with connection:
        connection.settimeout(3)
        try:
            connection.sendall(data)
            while piece := connection.recv(65536):
                received += piece
        except (TimeoutError, ConnectionError):
            pass
    return received


@pytest.mark.skipif(sys.platform == "win32", reason="the private address is a Unix socket")
@pytest.mark.parametrize(
    "request_",
    [
        b"POST /flowanchor.v1.System/GetInfo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n\0\0\0\0\0",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nOrigin: http://evil.example\r\n\r\n",
    ],
)
def test_a_browsers_request_gets_nothing(request_: bytes, daemon: Daemons) -> None:
    running = daemon("--listen", "127.0.0.1:0")
    until(lambda: ", 127.0.0.1:" in running.log, "the log tells both addresses")
    port = running.log.partition(", ")[2].partition(" ")[0]
    for address in (running.address, port):
        answer = exchange(address, request_)
        assert not answer.startswith(b"HTTP/"), answer
        assert running.token.encode() not in answer
        assert b"flowanchor" not in answer
    with running.call() as caller:
        caller.system.GetInfo(system_pb2.GetInfoRequest(), timeout=120, metadata=caller.metadata)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate of "localhost" and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    try:
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
                *("-nodes", "-keyout", str(key), "-out", str(certificate), "-days", "2"),
                *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            ],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("openssl, which makes the certificate, is not installed")
    return certificate, key


class TestBeyondThisMachine:
    @pytest.mark.parametrize(
        "address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:5000", "localhost:0", "host.example:1"]
    )
    def test_is_refused_without_tls(self, address: str, daemon: Daemons) -> None:
        refused = daemon("--listen", address, wait=False)
        assert refused.wait() == 2
        assert "TLS" in refused.said
        assert "Traceback" not in refused.said
        assert not (refused.runtime / "daemon.json").exists()

    @pytest.mark.parametrize(
        "address", ["", "nonsense", "127.0.0.1", "127.0.0.1:99999", ":80", "127.0.0.1:x"]
    )
    def test_what_is_no_address_is_refused(self, address: str, daemon: Daemons) -> None:
        refused = daemon("--listen", address, wait=False)
        assert refused.wait() == 2
        assert refused.said.startswith("flowanchor: ")

    def test_half_of_a_pair_is_refused(self, certificate: tuple[Path, Path], daemon: Daemons) -> None:
        for option, file in zip(("--tls-cert", "--tls-key"), certificate, strict=True):
            refused = daemon("--listen", "0.0.0.0:0", option, str(file), wait=False)
            assert refused.wait() == 2
            assert "belong together" in refused.said

    def test_a_pair_that_does_not_fit_is_refused(
        self, certificate: tuple[Path, Path], daemon: Daemons, tmp_path: Path
    ) -> None:
        (tmp_path / "no.pem").write_text("no key")
        for key in (tmp_path / "no.pem", tmp_path / "missing.pem", certificate[0]):
            refused = daemon(
                "--listen", "0.0.0.0:0", "--tls-cert", str(certificate[0]), "--tls-key", str(key), wait=False
            )
            assert refused.wait() == 2
            assert "cannot be used" in refused.said

    def test_tls_without_an_address_is_refused(self, certificate: tuple[Path, Path], daemon: Daemons) -> None:
        refused = daemon("--tls-cert", str(certificate[0]), "--tls-key", str(certificate[1]), wait=False)
        assert refused.wait() == 2
        assert "--listen" in refused.said

    def test_with_tls_it_serves_those_who_have_the_token(
        self, certificate: tuple[Path, Path], daemon: Daemons
    ) -> None:
        running = daemon(
            *("--listen", "0.0.0.0:0", "--tls-cert", str(certificate[0]), "--tls-key", str(certificate[1]))
        )
        port = running.log.partition(", 0.0.0.0:")[2].partition(" ")[0]
        trusted = grpc.ssl_channel_credentials(certificate[0].read_bytes())
        address = f"localhost:{port}"

        def info(caller: Caller) -> system_pb2.GetInfoResponse:
            return caller.system.GetInfo(system_pb2.GetInfoRequest(), timeout=120, metadata=caller.metadata)

        with running.call(address=address, credentials=trusted) as caller:
            assert info(caller).api_major == 1
        with running.call(address=address, credentials=trusted, token="guess") as caller:
            error: Any = refusal(lambda: info(caller))
            assert error.code() == grpc.StatusCode.UNAUTHENTICATED
        with running.call(address=address) as caller:  # in the clear
            error = refusal(lambda: info(caller))
            assert error.code() == grpc.StatusCode.UNAVAILABLE
        with running.call() as caller:  # the private address beside it
            assert info(caller).api_major == 1
