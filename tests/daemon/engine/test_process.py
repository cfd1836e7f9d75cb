# SPDX-License-Identifier: Apache-2.0
"""How engine processes begin and end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import psutil
import pytest
from flowanchor.v1 import system_pb2
from flowanchor_daemon.engine import process as engine_process
from flowanchor_daemon.engine.local import EngineCrashed, EngineFailed, LocalEngine

from tests.daemon.engine.helpers import ended, follow, gone, make_run

Do = Callable[[Coroutine[Any, Any, Any]], Any]


async def stopped(engine: LocalEngine) -> bool:
    """Wait until an engine's process has ended by itself."""
    async with asyncio.timeout(120):
        while engine.state != system_pb2.ENGINE_STATE_STOPPED:
            await asyncio.sleep(0.02)
    return True


def test_an_idle_engine_is_ended_after_a_while_or_at_once(
    do: Do, environment: dict[str, str], model: Path, clip: Path, tmp_path: Path
) -> None:
    engine = LocalEngine(tmp_path / "engine.log", -1, environment=environment)
    assert engine.state == system_pb2.ENGINE_STATE_STOPPED
    assert do(engine.unload()) is False

    async def live() -> None:
        try:
            await engine.load("shapes", "cpu")
            first = engine.pid
            assert first is not None
            # Never: nothing is set to end it.
            assert engine._timer is None
            engine._keep_alive = 0.2
            await engine.load("shapes", "cpu")
            assert engine.pid == first
            assert await stopped(engine)
            assert not psutil.pid_exists(first)
            engine._keep_alive = 0
            run = make_run("j", model, clip, tmp_path / "out")

            async def cancel(event: object) -> None:
                await engine.cancel("j")

            assert ended(await follow(engine, run, cancel)) == "cancelled"
            second = engine.pid
            # A job that follows at once still finds the process.
            assert ended(await follow(engine, run, cancel)) == "cancelled"
            assert second is not None
            assert engine.pid == second
            assert await stopped(engine)
            assert not psutil.pid_exists(second)
            assert (engine.memory_bytes, engine.loaded_model) == (0, "")
        finally:
            await engine.close()

    do(live())


def test_unload_and_close_leave_no_process(
    do: Do, environment: dict[str, str], model: Path, clip: Path, tmp_path: Path
) -> None:
    engine = LocalEngine(tmp_path / "engine.log", 300, environment=environment)

    async def live() -> None:
        await engine.load("shapes", "cpu")
        pid = engine.pid
        assert pid is not None
        assert psutil.Process(pid).memory_info().rss > 100 << 20
        # Ctrl-C in the daemon's terminal goes to the terminal's processes: the engine is not among them.
        assert os.getsid(pid) == pid
        assert (tmp_path / "engine.log").stat().st_mode & 0o777 == 0o600
        assert await engine.unload() is True
        assert not psutil.pid_exists(pid)
        assert await engine.unload() is False

        async def close(event: Any) -> None:
            if event.HasField("progress") and event.progress.phase == "edit":
                pids.append(engine.pid)
                await engine.close()

        pids: list[int | None] = []
        with pytest.raises(EngineCrashed, match="signal SIGTERM"):
            await follow(engine, make_run("j", model, clip, tmp_path / "out"), close)
        assert pids[0] is not None
        assert not psutil.pid_exists(pids[0])
        assert engine.state == system_pb2.ENGINE_STATE_STOPPED

    try:
        do(live())
    finally:
        do(engine.close())


DAEMON = """
import asyncio, sys
from pathlib import Path
from flowanchor.engine.v1 import engine_pb2
from flowanchor_daemon.engine.local import LocalEngine

async def main():
    engine = LocalEngine(Path(sys.argv[1]))
    run = engine_pb2.Run.FromString(Path(sys.argv[2]).read_bytes())
    async for event in engine.run(run, "cpu"):
        if event.HasField("progress") and event.progress.phase == "edit" and event.progress.step == 1:
            print(engine.pid, flush=True)

asyncio.run(main())
"""


def test_an_engine_ends_with_its_daemon_in_the_middle_of_a_step(
    do: Do, environment: dict[str, str], model: Path, clip: Path, tmp_path: Path
) -> None:
    run = make_run("j", model, clip, tmp_path / "out")
    (tmp_path / "run").write_bytes(run.SerializeToString())
    argv = [sys.executable, "-c", DAEMON, str(tmp_path / "engine.log"), str(tmp_path / "run")]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE) as daemon:
        try:
            assert daemon.stdout is not None
            engine = int(daemon.stdout.readline())
            daemon.send_signal(signal.SIGKILL)
            assert do(gone(engine))
        finally:
            daemon.kill()


def test_an_interpreter_that_is_not_there_is_named(do: Do, tmp_path: Path) -> None:
    engine = LocalEngine(tmp_path / "engine.log", python="/nowhere/python3")
    with pytest.raises(EngineFailed) as caught:
        do(engine.load("shapes", "cpu"))
    assert caught.value.failure.code == "engine-start-failed"
    assert "/nowhere/python3" in caught.value.failure.message
    assert engine.state == system_pb2.ENGINE_STATE_STOPPED


def test_an_engine_that_cannot_start_says_its_last_words(
    do: Do, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('the driver is too old')\n")
    path = os.pathsep.join([str(tmp_path), environment["PYTHONPATH"]])
    (tmp_path / "engine.log").write_text("older lines\n")
    engine = LocalEngine(tmp_path / "engine.log", environment={**environment, "PYTHONPATH": path})
    with pytest.raises(EngineFailed) as caught:
        do(engine.load("shapes", "cpu"))
    assert caught.value.failure.code == "engine-start-failed"
    assert "exit code 1" in caught.value.failure.message
    assert "the driver is too old" in caught.value.failure.message
    assert "older lines" not in caught.value.failure.message
    assert engine.pid is None


def test_an_engine_of_another_version_is_not_spoken_with(
    do: Do, environment: dict[str, str], tmp_path: Path
) -> None:
    """As after an update under a running daemon, whose next engine is already the new program."""
    installed = tmp_path / "installed" / "flowanchor-99.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: flowanchor\nVersion: 99.0\n")
    path = os.pathsep.join([str(installed.parent), environment["PYTHONPATH"]])
    engine = LocalEngine(tmp_path / "engine.log", environment={**environment, "PYTHONPATH": path})
    with pytest.raises(EngineFailed) as caught:
        do(engine.load("shapes", "cpu"))
    assert caught.value.failure.code == "engine-updated"
    assert engine.pid is None


def test_nothing_is_imported_from_the_folder_the_daemon_was_started_in(
    do: Do, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "torch.py").write_text("raise SystemExit('imported from the folder at hand')")
    monkeypatch.chdir(tmp_path)
    engine = LocalEngine(tmp_path / "engine.log", environment=environment)
    try:
        do(engine.load("shapes", "cpu"))
        assert engine.loaded_model == "shapes"
    finally:
        do(engine.close())


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    """An interpreter that never says hello and leaves its process id."""
    script = tmp_path / "python"
    script.write_text(
        f"#!/bin/sh\necho $$ > {tmp_path}/new\nmv {tmp_path}/new {tmp_path}/pid\nexec sleep 600\n"
    )
    script.chmod(0o700)
    return script


@pytest.fixture
def deaf(silent: Path) -> Path:
    """One that does not hear a signal either, as while a large library is being loaded."""
    silent.write_text(silent.read_text().replace("#!/bin/sh\n", "#!/bin/sh\ntrap '' TERM\n"))
    return silent


async def pid_of(silent: Path) -> int:
    while not silent.with_name("pid").exists():
        await asyncio.sleep(0.01)
    return int(silent.with_name("pid").read_text())


def test_an_engine_that_does_not_answer_is_ended(do: Do, silent: Path, tmp_path: Path) -> None:
    # On a busy machine it may be ended before it has left its process id.
    for seconds in (1, 5, 25):
        engine = LocalEngine(tmp_path / "engine.log", python=str(silent), start_seconds=seconds)
        with pytest.raises(EngineFailed, match="engine-start-failed") as caught:
            do(engine.load("shapes", "cpu"))
        assert f"within {seconds} seconds" in caught.value.failure.message
        if (tmp_path / "pid").exists():
            break
    assert do(gone(int((tmp_path / "pid").read_text())))


def test_an_engine_killed_while_it_starts_is_a_crash_and_may_be_tried_again(
    do: Do, silent: Path, clip: Path, model: Path, tmp_path: Path
) -> None:
    engine = LocalEngine(tmp_path / "engine.log", python=str(silent))

    async def killed() -> None:
        events = asyncio.create_task(follow(engine, make_run("job", model, clip, tmp_path)))
        os.kill(await pid_of(silent), signal.SIGKILL)
        await events

    with pytest.raises(EngineCrashed, match="SIGKILL"):
        do(killed())
    assert engine.state == system_pb2.ENGINE_STATE_STOPPED


@pytest.mark.parametrize("asked", ["cancel", "suspend", "close"])
def test_a_job_that_is_stopped_while_its_engine_starts_waits_for_no_engine(
    do: Do, silent: Path, clip: Path, model: Path, tmp_path: Path, asked: str
) -> None:
    engine = LocalEngine(tmp_path / "engine.log", python=str(silent))
    run = make_run("job", model, clip, tmp_path)

    async def stop() -> tuple[int, str | None]:
        events = asyncio.create_task(follow(engine, run))
        pid = await pid_of(silent)
        await (engine.close() if asked == "close" else getattr(engine, asked)(run.job))
        (event,) = await events
        return pid, event.WhichOneof("event")

    pid, ending = do(stop())
    assert ending == ("cancelled" if asked == "cancel" else "suspended")
    assert do(gone(pid))
    assert engine.state == system_pb2.ENGINE_STATE_STOPPED


def test_an_engine_that_only_starts_is_ended_at_once(
    do: Do, deaf: Path, clip: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has nothing to put in order; nobody waits until it hears that it should end."""
    monkeypatch.setattr(engine_process, "END_SECONDS", 3600.0)  # who waited would fail the test
    engine = LocalEngine(tmp_path / "engine.log", python=str(deaf))
    run = make_run("job", model, clip, tmp_path)

    async def cancel() -> int:
        events = asyncio.create_task(follow(engine, run))
        pid = await pid_of(deaf)
        await engine.cancel(run.job)
        await events
        return pid

    assert do(gone(do(cancel())))
