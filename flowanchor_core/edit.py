# SPDX-License-Identifier: Apache-2.0
"""The path of an edit, from a checked plan to a verified file:

read -> crop -> encode -> edit -> decode -> composite and deliver -> verify

`run_edit` is a generator of events: at least one for each frame that is read, encoded, decoded, delivered or
verified, each prompt and each sampling step. Closing it cancels the edit there: nothing is left behind.
"""

from __future__ import annotations

import uuid
from collections.abc import Generator
from contextlib import nullcontext

from flowanchor_core.backbone import Backbone
from flowanchor_core.checkpoint import Checkpoint
from flowanchor_core.edit_notices import notices_for
from flowanchor_core.edit_pixels import (
    from_model,
    place_region,
    read_pictures,
    save_sheet,
    to_model,
    token_mask,
)
from flowanchor_core.edit_plan import EditPlan, plan_edit, settings_of
from flowanchor_core.editors import Conditioning, EditInputs
from flowanchor_core.footage.colour import Picture
from flowanchor_core.progress import Done, EditResult, Event, Notice, Stopwatch
from flowanchor_core.schedule import wan_sigmas
from flowanchor_core.sheet import SheetFile
from flowanchor_core.tokens import target_tokens
from flowanchor_core.windows import plan_windows

__all__ = ["EditPlan", "plan_edit", "run_edit"]


def run_edit(
    plan: EditPlan, backbone: Backbone, start: Checkpoint | None = None, job: str | None = None
) -> Generator[Event, None, None]:
    """Carry out a plan with its model; the last event is `Done`.

    Args:
        plan: from `plan_edit`.
        backbone: the model in `plan.card.folder`, loaded.
        start: checkpoint of an earlier run of the same plan to go on from (`Progress.checkpoint`): the result
            is, to the bit, that of a run that was not interrupted.
        job: id to report; a random one if None.

    Raises:
        InputError: a target word is not in the prompt, or the clip is damaged in the range.
        DeliveryError: the result could not be written, or it did not pass its check.
    """
    request, preset, clip = plan.request, plan.preset, plan.clip
    watch = Stopwatch()
    target = target_tokens(backbone.tokenizer, request.source_prompt, request.target_prompt, request.words)
    notices = tuple(notices_for(plan, target))
    yield from notices
    region = place_region(plan, backbone)

    yield watch.start("read", plan.frames)
    pictures = []
    for picture in read_pictures(plan, region):
        pictures.append(picture)
        yield watch.progress(len(pictures))
    mask = token_mask(plan, region, backbone)

    prompts = [request.source_prompt, request.target_prompt, preset.negative_prompt]
    latents = -(-(plan.frames - 1) // backbone.strides[0]) + 1
    yield watch.start("encode", len(prompts) + latents)
    texts = []
    for prompt in prompts:
        texts += backbone.encode_text([prompt])
        yield watch.progress(len(texts))
    source_text, target_text, negative_text = texts
    encoding = backbone.encode_steps(to_model(pictures, backbone.strides[0]))
    del pictures
    while True:
        try:
            encoded = next(encoding)
        except StopIteration as end:
            latent = end.value
            break
        yield watch.progress(len(prompts) + encoded)

    native_latents = (plan.card.native_frames - 1) // backbone.strides[0] + 1
    inputs = EditInputs(
        source=latent,
        conditioning=Conditioning(
            source_text, target_text, negative_text, backbone.text_length, target.indices
        ),
        sigmas=wan_sigmas(preset.steps, preset.shift),
        skip=preset.skip,
        seed=request.seed,
        mask=mask,
        windows=plan_windows(latent.shape[2], native_latents, min(preset.overlap, native_latents - 1)),
        start=None if start is None else (start.step, start.z),
    )
    oracle = backbone.oracle()
    edited, before = (latent, 0) if start is None else (start.z, start.forwards)
    windows, forwards = len(inputs.windows), before
    yield watch.start("edit", preset.steps - (preset.skip if start is None else start.step))
    for done, step in enumerate(plan.editor.edit(oracle, inputs, plan.params), 1):
        edited, forwards = step.z, before + oracle.forwards
        yield watch.progress(done, step, Checkpoint(step.index + 1, step.z, forwards))
    # What they hold may have to make room for the VAE.
    del oracle, inputs

    yield watch.start("decode", plan.frames)
    frames: list[Picture] = []
    for frame in from_model(backbone.decode_video(edited), plan.frames):
        frames.append(frame)
        yield watch.progress(len(frames))

    yield watch.start("deliver", plan.frames)
    sheet = None if request.sheet is None else SheetFile(request.sheet)
    # The sheet is left last, so it gets its name only once the result has its own.
    with (
        sheet or nullcontext(),
        plan.delivery.open(clip, plan.first, plan.last, region, plan.mask) as writer,
    ):
        for index, frame in enumerate(frames, 1):
            writer.write(frame)
            yield watch.progress(index)
        yield watch.start("verify", plan.frames)
        for index, _ in enumerate(writer.verify(), 1):
            yield watch.progress(index)
        if sheet is not None:
            save_sheet(plan, region, frames, sheet)
    watch.stop()
    if sheet is not None and sheet.failure is not None:
        notices = (*notices, Notice("sheet-not-written", sheet.failure))
        yield notices[-1]

    proof = writer.proof
    assert proof is not None  # verify ran to its end
    yield Done(
        EditResult(
            job=job or uuid.uuid4().hex[:12],
            editor=plan.editor.name,
            model=plan.card.name,
            preset=request.preset,
            seed=request.seed,
            frames=proof.frames,
            rate=proof.rate,
            start_timecode=proof.start_timecode,
            output=request.delivery.out,
            deliver=request.delivery.kind,
            format=request.delivery.format,
            max_abs_diff_outside=proof.max_abs_diff_outside,
            forwards=forwards,
            seconds=watch.seconds,
            settings=settings_of(plan.params),
            sampling={"steps": preset.steps, "skip": preset.skip, "shift": preset.shift},
            crop=(region.crop.x, region.crop.y, region.crop.width, region.crop.height),
            model_size=(region.model_width, region.model_height),
            windows=windows,
            target_words=target.words,
            audio=proof.audio,
            sheet=None if sheet is None or sheet.failure is not None else sheet.path,
            notices=tuple(notice.text for notice in notices),
        )
    )
