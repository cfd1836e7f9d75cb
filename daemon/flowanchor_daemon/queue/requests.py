# SPDX-License-Identifier: Apache-2.0
"""Check an edit before it is queued, and fill in what was left out. Needs neither torch nor the clip itself.

What only the clip can tell (its length, its size, its colours) is checked by the engine.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

from flowanchor.v1 import jobs_pb2, system_pb2, types_pb2

from flowanchor_core import presets
from flowanchor_core.errors import InputError
from flowanchor_core.tokens import clean_prompt, refuse_equal, refuse_missing
from flowanchor_daemon.queue.fields import finite, invalid, too_large, whole
from flowanchor_daemon.queue.jobs import REQUEST_ID
from flowanchor_daemon.queue.limits import MAX_REQUEST_BYTES
from flowanchor_daemon.queue.request_media import check_clip
from flowanchor_daemon.queue.request_shapes import check_shapes

LARGEST_SEED: Final = 2**63 - 1
MAX_CLIENT_CHARS: Final = 40
MAX_HOST_CONTEXT: Final = 64 << 10
PRIORITIES: Final = (-100, 100)

_MOST_FRAME: Final = 4_000_000
_MOST_WORDS: Final = 100
_MOST_PARAMETERS: Final = 100
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DEVICE: Final = re.compile(r"auto|cpu|cuda(:[0-9]{1,3})?")

# Containers by kind and format, the default first. What the engine can write; a test holds it to that.
FORMATS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "full": {"h264": (".mp4", ".mov", ".mkv"), "prores": (".mov", ".mkv"), "ffv1": (".mkv",), "png": ()},
    "patch": {"prores4444": (".mov",), "png": ()},
}


def check_request_id(request_id: str) -> None:
    if not REQUEST_ID.fullmatch(request_id):
        raise invalid("request_id", "is not 8 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'", "Use a UUID.")


def check_priority(priority: int) -> None:
    whole("priority", priority, *PRIORITIES)


def check_submit(request: jobs_pb2.SubmitJobRequest) -> None:
    """What stands beside the edit."""
    check_request_id(request.request_id)
    check_priority(request.priority)
    check_client(request.client)


def check_device(device: str) -> None:
    if not _DEVICE.fullmatch(device):
        raise invalid("device", "is none of auto, cpu, cuda and cuda:N")


def check_client(client: str) -> None:
    if len(client) > MAX_CLIENT_CHARS or not client.isprintable():
        raise invalid("client", f"is not plain text of up to {MAX_CLIENT_CHARS} characters")


def normalised(edit: types_pb2.EditRequest, limits: system_pb2.Limits) -> types_pb2.EditRequest:
    """A checked copy with every default written out; two requests that mean the same become equal bytes. A
    random seed is not drawn yet, and `seed` is 0 where one will be. Whether model and media are there is not
    looked at.

    Raises:
        ServiceError: "request-too-large" before anything is copied, "request-invalid" naming the field.
        InputError: what the core says of prompts, editors, parameters, presets, formats and regions.
    """
    _check_size(edit, limits)
    made = types_pb2.EditRequest()
    made.CopyFrom(edit)
    made.DiscardUnknownFields()
    _check_names(made)
    _check_prompts(made, limits)
    _check_range(made, limits)
    check_clip("clip", made.clip, limits)
    for index, mask in enumerate(made.masks):
        check_clip(f"masks[{index}]", mask, limits)
    check_shapes(made.geometry, limits)
    if not made.masks and not made.geometry:
        raise InputError("no-region", "No region was given.", "Mark one with a mask or a shape.")
    _check_seed(made)
    _check_sampling(made.sampling)
    _check_region(made.region)
    _check_delivery(made.delivery)
    _check_parameters(made)
    return made


def without_media(edit: types_pb2.EditRequest, limits: system_pb2.Limits) -> types_pb2.EditRequest:
    """A checked copy of what decides an edit's cost, with defaults; prompts, clip and region may be missing.

    Raises as `normalised`.
    """
    _check_size(edit, limits)
    made = types_pb2.EditRequest()
    made.CopyFrom(edit)
    _check_names(made)
    _check_sampling(made.sampling)
    _check_region(made.region)
    _check_parameters(made)
    return made


def with_seed(edit: types_pb2.EditRequest) -> types_pb2.EditRequest:
    """The edit as it will run: a copy whose random seed has been drawn."""
    made = types_pb2.EditRequest()
    made.CopyFrom(edit)
    if made.seed_mode == types_pb2.SEED_MODE_RANDOM:
        made.seed = _drawn()
    return made


def _drawn() -> int:
    """A seed short enough to be read out and retyped, and exact in programs whose numbers are all doubles."""
    return secrets.randbits(31)


def varied(edit: types_pb2.EditRequest, seed: int | None) -> types_pb2.EditRequest:
    """A copy with the given seed, or with one drawn that is not the edit's own. ServiceError
    "request-invalid"."""
    made = types_pb2.EditRequest()
    made.CopyFrom(edit)
    if seed is not None:
        whole("seed", seed, 0, LARGEST_SEED)
        made.seed, made.seed_mode = seed, types_pb2.SEED_MODE_FIXED
        return made
    made.seed_mode = types_pb2.SEED_MODE_RANDOM
    while made.seed == edit.seed:
        made.seed = _drawn()
    return made


def _check_size(edit: types_pb2.EditRequest, limits: system_pb2.Limits) -> None:
    if edit.ByteSize() > MAX_REQUEST_BYTES:
        raise too_large("The request", MAX_REQUEST_BYTES, "bytes")
    if len(edit.masks) > limits.max_masks:
        raise too_large("masks", limits.max_masks, "masks")
    if len(edit.words) > _MOST_WORDS:
        raise too_large("words", _MOST_WORDS, "words")
    if len(edit.parameters) > _MOST_PARAMETERS:
        raise too_large("parameters", _MOST_PARAMETERS, "parameters")
    if len(edit.host_context) > MAX_HOST_CONTEXT:
        raise too_large("host_context", MAX_HOST_CONTEXT, "bytes")


def _check_names(edit: types_pb2.EditRequest) -> None:
    edit.editor = edit.editor or "flowanchor"
    edit.model = edit.model or "shapes"
    edit.preset = edit.preset or "standard"
    edit.device = edit.device or "auto"
    if not _NAME.fullmatch(edit.model):  # a name in the models folder, never a path
        raise invalid("model", "is not a model's name", "Use one that ListModels lists.")
    if edit.preset not in presets.NAMES:
        raise InputError(
            "unknown-preset",
            f"There is no preset called '{edit.preset[:40]}'.",
            f"Known are {', '.join(presets.NAMES)}.",
        )
    check_device(edit.device)


def _check_prompts(edit: types_pb2.EditRequest, limits: system_pb2.Limits) -> None:
    most = limits.max_prompt_chars
    for name in ("source_prompt", "target_prompt", "negative_prompt"):
        text: str = getattr(edit, name)
        if len(text) > most:
            raise too_large(name, most, "characters")
        if name != "negative_prompt" and not re.search(r"\w", clean_prompt(text)):
            raise InputError(
                "prompt-empty",
                f"The {name.partition('_')[0]} prompt is empty.",
                "Say in a few words what the clip shows.",
            )
    for index, word in enumerate(edit.words):
        if len(word) > most:
            raise too_large(f"words[{index}]", most, "characters")
        if not re.search(r"\w", clean_prompt(word)):
            raise invalid(f"words[{index}]", "has no word in it")
    refuse_equal(edit.source_prompt, edit.target_prompt, edit.words)
    refuse_missing(edit.target_prompt, edit.words)


def _check_range(edit: types_pb2.EditRequest, limits: system_pb2.Limits) -> None:
    whole("first", edit.first, 0, _MOST_FRAME)
    if not edit.HasField("last"):
        return
    whole("last", edit.last, edit.first, _MOST_FRAME)
    if edit.last - edit.first >= limits.max_frames:
        raise too_large("The range", limits.max_frames, "frames")


def _check_seed(edit: types_pb2.EditRequest) -> None:
    edit.seed_mode = edit.seed_mode or types_pb2.SEED_MODE_FIXED
    if edit.seed_mode == types_pb2.SEED_MODE_RANDOM:
        edit.seed = 0
    elif edit.seed_mode != types_pb2.SEED_MODE_FIXED:
        raise invalid("seed_mode", "is neither FIXED nor RANDOM")
    whole("seed", edit.seed, 0, LARGEST_SEED)


def _check_sampling(sampling: types_pb2.Sampling) -> None:
    if sampling.HasField("steps"):
        whole("sampling.steps", sampling.steps, 1, 1000)
    if sampling.HasField("skip"):
        most = sampling.steps - 1 if sampling.HasField("steps") else 999
        whole("sampling.skip", sampling.skip, 0, most)
    if sampling.HasField("shift"):
        finite("sampling.shift", sampling.shift, 0, 100, above=True)


def _check_region(region: types_pb2.RegionSettings) -> None:
    if not region.HasField("margin"):
        region.margin = 0.25
    if not region.HasField("feather"):
        region.feather = 8
    region.mode = region.mode or "detail"
    finite("region.margin", region.margin, 0, 10)
    whole("region.grow", region.grow, 0, 1000)
    whole("region.feather", region.feather, 0, 1000)
    if region.mode not in ("detail", "fast"):
        raise InputError(
            "unknown-mode", f"There is no mode called '{region.mode[:40]}'.", "Use detail or fast."
        )


def _check_delivery(delivery: types_pb2.DeliverySettings) -> None:
    delivery.kind = delivery.kind or "full"
    formats = FORMATS.get(delivery.kind)
    if formats is None:
        raise InputError(
            "kind-unknown", f"There is no delivery '{delivery.kind[:40]}'.", f"Use {' or '.join(FORMATS)}."
        )
    delivery.format = delivery.format or next(iter(formats))
    containers = formats.get(delivery.format)
    if containers is None:
        raise InputError(
            "format-unknown",
            f"'{delivery.format[:40]}' is no format for a {delivery.kind} delivery.",
            f"Use one of: {', '.join(formats)}.",
        )
    if not delivery.container and containers:
        delivery.container = containers[0]
    if delivery.container not in (containers or ("",)):
        use = " or ".join(containers) or "no container"
        raise invalid("delivery.container", f"does not hold {delivery.format}", f"Use {use}.")


def _check_parameters(edit: types_pb2.EditRequest) -> None:
    from flowanchor_core import editors  # not before an edit is submitted

    if not _NAME.fullmatch(edit.editor):
        raise invalid("editor", "is not an editor's name", "Use one that GetInfo lists.")
    values: dict[str, object] = {}
    for name, value in edit.parameters.items():
        kind = value.WhichOneof("value")
        if kind is None or not _NAME.fullmatch(name):
            raise invalid("parameters", "holds an entry without a plain name or without a value")
        values[name] = getattr(value, kind)
    editors.get(edit.editor).parse(values)
