# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C at moments when no command is at work yet, each in a process of its own that interrupts itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the signals are those of POSIX")

INTERRUPT = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.{heard})
sys.argv = ["flowanchor", *{words!r}]
def interrupt(*_, **__):
    os.kill(os.getpid(), signal.SIGINT)
class WhileImporting:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            interrupt()
        return None
def while_importing():
    sys.meta_path.insert(0, WhileImporting())
def before_the_command():
    import typer.main
    typer.main.get_command = interrupt
def while_connecting():
    import flowanchor_client
    flowanchor_client.Client.connect = interrupt
{moment}()
from flowanchor_daemon.cli import run
run()
"""


def interrupted(
    moment: str, *words: str, heard: str = "default_int_handler"
) -> subprocess.CompletedProcess[str]:
    program = INTERRUPT.format(moment=moment, words=list(words), heard=heard)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("moment", ["while_importing", "before_the_command", "while_connecting"])
def test_ctrl_c_is_told_in_one_sentence_at_any_moment(moment: str) -> None:
    done = interrupted(moment, "jobs", "list", "--json")
    assert (done.returncode, done.stderr) == (130, "flowanchor: cancelled.\n")
    told = json.loads(done.stdout)
    assert (told["state"], told["error"]["code"]) == ("cancelled", "interrupted")


@pytest.mark.parametrize("moment", ["while_importing", "while_connecting"])
@pytest.mark.parametrize("command", ["watch", "fetch"])
def test_who_waits_for_a_job_is_not_told_that_it_is_cancelled(moment: str, command: str) -> None:
    done = interrupted(moment, "jobs", command, "last", "--json")
    assert done.returncode == 130
    assert done.stderr == "No longer waiting for the job; `flowanchor jobs cancel` stops it.\n"
    assert json.loads(done.stdout)["state"] == "unknown"


def test_without_json_there_is_the_sentence_alone() -> None:
    done = interrupted("while_importing", "bench", "quality")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "flowanchor: cancelled.\n")


def test_a_script_may_have_the_command_ignore_it() -> None:
    done = interrupted("while_importing", "--version", heard=signal.SIG_IGN.name)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("encoding", ["utf-8:strict", "cp1252:strict", "ascii"])
def test_letters_that_the_output_cannot_take_are_still_json(encoding: str) -> None:
    """Names that are no text, and pipes that take few letters, as on Windows."""
    name = "caf\udce9 é → 😀.mov"
    call = ["timeline", "list", name, "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "flowanchor_daemon.cli", *call],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == 2, done.stderr
    told = json.loads(done.stdout.decode(encoding.partition(":")[0]))
    assert name in told["error"]["message"]
