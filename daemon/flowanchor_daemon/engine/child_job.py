# SPDX-License-Identifier: Apache-2.0
"""One job in the engine: from the command to the event it ends with."""

from __future__ import annotations

import hashlib
import traceback
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from flowanchor.engine.v1 import engine_pb2
from flowanchor.v1 import types_pb2
from torch import Tensor

from flowanchor_core.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from flowanchor_core.edit import EditPlan, plan_edit, run_edit
from flowanchor_core.errors import FlowAnchorError
from flowanchor_core.failures import out_of_memory, ran_out_of_memory
from flowanchor_core.footage.preflight import Room
from flowanchor_core.memory import MemoryPlan
from flowanchor_core.progress import Done, EditResult, Event, Notice, PhaseStarted, Progress, Stopwatch
from flowanchor_daemon.engine.child_link import Link
from flowanchor_daemon.engine.child_memory import PeakMemory
from flowanchor_daemon.engine.child_model import LOAD_STEPS, HeldModel, plan_for
from flowanchor_daemon.engine.child_progress import WholeJob
from flowanchor_daemon.engine.preview_jpeg import Pace, to_jpeg
from flowanchor_daemon.engine.request_of import request_of
from flowanchor_daemon.engine.result_of import result_of
from flowanchor_daemon.engine.shown_names import shown, with_shown_names
from flowanchor_daemon.errors import to_failure


def failure_of(failure: Exception) -> types_pb2.Failure:
    """What a user is told. What should not have happened leaves its traceback in the log."""
    if isinstance(failure, FlowAnchorError):
        return to_failure(failure)
    traceback.print_exception(failure)
    if ran_out_of_memory(failure):
        return to_failure(out_of_memory("handling the pictures"))
    return to_failure(failure)


def edit_key(edit: types_pb2.EditRequest, fingerprint: str) -> str:
    """What a checkpoint belongs to: everything that decides what the edit does, and the model's own bytes."""
    deciding = types_pb2.EditRequest()
    deciding.CopyFrom(edit)
    deciding.ClearField("host_context")
    content = deciding.SerializeToString(deterministic=True)
    return hashlib.sha256(content + fingerprint.encode()).hexdigest()


class _Stop(Exception):
    """The daemon wants the job no longer ("cancel"), or not now ("suspend")."""


class Job:
    """See `run`. Events go out through the link as things happen; only the last one is returned."""

    def __init__(self, run: engine_pb2.Run, link: Link, model: HeldModel) -> None:
        self._run, self._link, self._model = run, link, model
        self._whole = WholeJob()
        self._pace = Pace()
        self._loading = Stopwatch()
        self._notices: list[types_pb2.Notice] = []
        self._checkpoint: Checkpoint | None = None
        self._saved = -1
        self._skip = 0
        """Steps of the schedule that are left out; those told are counted from there, as progress is."""
        self._key = ""
        self._peak: PeakMemory | None = None

    def run(self) -> engine_pb2.Event:
        """Carry the job out and return the event that ends it. Whatever goes wrong is such an event."""
        try:
            return self._event(done=self._edit())
        except _Stop as stop:
            return self._event(cancelled=True) if str(stop) == "cancel" else self._event(suspended=True)
        except Exception as failure:  # noqa: BLE001 - the engine goes on serving
            return self._event(failed=with_shown_names(failure_of(failure), self._run))

    def _edit(self) -> engine_pb2.Done:
        run = self._run
        self._stop_if_asked()
        memory = plan_for(
            run.memory_plan, run.edit.device
        )  # no file is opened for a device that is not there
        most = run.most_output_bytes if run.HasField("most_output_bytes") else None
        room = Room(run.spare_bytes, most)
        plan = plan_edit(request_of(run), self._stop_if_asked, room)
        self._skip = plan.preset.skip
        self._peak = PeakMemory(memory.compute)
        self._load(plan, memory)
        start = self._resume(plan)
        with closing(run_edit(plan, self._model.backbone, start, run.job)) as events:
            for event in events:
                self._tell(event, plan)
                if isinstance(event, Done):
                    return self._finished(event.result, plan, memory)
                self._stop_if_asked()
        raise RuntimeError("an edit ended without a result")

    def _load(self, plan: EditPlan, memory: MemoryPlan) -> None:
        folder, watch = plan.card.folder, self._loading
        watch.start("load", LOAD_STEPS)
        if not self._model.holds(folder, memory):
            self._show(watch.progress(0))
            with closing(self._model.load(folder, memory)) as steps:
                for done in steps:
                    self._show(watch.progress(done))
                    self._stop_if_asked()
            self._send(loaded=plan.request.model)
        self._show(watch.progress(LOAD_STEPS))
        watch.stop()

    def _resume(self, plan: EditPlan) -> Checkpoint | None:
        """The checkpoint to go on from, if there is one of this very edit."""
        self._key = edit_key(self._run.edit, self._model.fingerprint)
        if not self._run.checkpoint:
            return None
        start = load_checkpoint(Path(self._run.checkpoint), self._key)
        if start is None or not plan.preset.skip <= start.step <= plan.preset.steps:
            return None
        self._checkpoint, self._saved = start, start.step
        self._send(resumed=start.step - self._skip)
        return start

    def _tell(self, event: Event, plan: EditPlan) -> None:
        match event:
            case PhaseStarted(phase, total):
                self._show(Progress(phase, 0, total, None))
            case Progress():
                if event.checkpoint is not None:
                    self._checkpoint = event.checkpoint
                    self._save_if_due(event.checkpoint.step, plan)
                self._show(event)
                if event.sampled is not None and self._pace.due() and self._link.asked(self._run.job) is None:
                    self._preview(event.sampled.z)
            case Notice(code, text):
                self._note(code, text)
            case Done():
                pass

    def _show(self, step: Progress) -> None:
        self._send(
            progress=engine_pb2.Progress(
                phase=step.phase,
                step=step.step,
                total=step.total,
                seconds_left=step.seconds_left,
                fraction=self._whole.after(step.phase, step.step, step.total),
                memory_bytes=0 if self._peak is None else self._peak.bytes(),
            )
        )

    def _preview(self, latent: Tensor) -> None:
        began = self._pace.now()
        middle = latent.shape[2] // 2
        backbone = self._model.backbone
        picture = backbone.preview(latent[:, :, middle : middle + 1], middle)[0].numpy()
        self._send(preview_jpeg=to_jpeg(picture, backbone.strides[1]))
        self._pace.made(began)

    def _save_if_due(self, step: int, plan: EditPlan) -> None:
        every, done = self._run.checkpoint_every, step - plan.preset.skip
        # The last one spares the sampling when the decode or the delivery is interrupted.
        if every > 0 and (done % every == 0 or step == plan.preset.steps):
            self._save()

    def _save(self) -> None:
        """Keep the last checkpoint on disk. That it cannot be kept does not fail the job."""
        checkpoint = self._checkpoint
        if checkpoint is None or not self._run.checkpoint or checkpoint.step == self._saved:
            return
        try:
            save_checkpoint(Path(self._run.checkpoint), checkpoint, self._key)
        except OSError as failure:
            self._note(
                "checkpoint-not-written",
                f"The edit's state could not be kept ({failure.strerror}): cut short, it would start over.",
            )
        else:
            self._saved = checkpoint.step
            self._send(checkpointed=checkpoint.step - self._skip)

    def _stop_if_asked(self) -> None:
        asked = self._link.asked(self._run.job)
        if asked == "suspend":
            self._save()
        if asked is not None:
            raise _Stop(asked)

    def _note(self, code: str, text: str) -> None:
        notice = types_pb2.Notice(code=code, text=shown(text, self._run))
        if notice not in self._notices:
            self._notices.append(notice)
            self._send(notice=notice)

    def _finished(self, result: EditResult, plan: EditPlan, memory: MemoryPlan) -> engine_pb2.Done:
        folder = Path(self._run.output_folder)
        written = plan.delivery.files(plan.clip, plan.first, plan.last)
        files = [engine_pb2.OutputFile(path=str(path.relative_to(folder))) for path in written]
        if result.sheet is not None:
            files.append(engine_pb2.OutputFile(path=str(result.sheet.relative_to(folder)), sheet=True))
        plan_name = self._run.memory_plan or "full"
        result = replace(result, seconds={**self._loading.seconds, **result.seconds})
        about = result_of(result, self._notices, plan_name, str(memory.compute))
        return engine_pb2.Done(result=about, files=files)

    def _send(self, **what: object) -> None:
        self._link.send(self._event(**what))

    def _event(self, **what: object) -> engine_pb2.Event:
        return engine_pb2.Event(job=self._run.job, **what)  # type: ignore[arg-type]  # one of its fields
