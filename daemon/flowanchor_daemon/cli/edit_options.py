# SPDX-License-Identifier: Apache-2.0
"""The options that every command which edits has: the prompts, the region, the method and how it runs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from dataclasses import MISSING, Field, dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from flowanchor_daemon.cli.notation import number, parse_box, parse_param, parse_words, whole_number

if TYPE_CHECKING:
    from flowanchor_core.request import DeliverySettings, EditRequest


@dataclass(frozen=True, kw_only=True)
class EditOptions:
    """What is asked of an edit on the command line, as typed; `request` makes an edit of it."""

    source: Annotated[str, typer.Option(metavar="TEXT", help="What the clip shows now.")]
    target: Annotated[str, typer.Option(metavar="TEXT", help="What it should show.")]
    mask: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Region as clip, images or single image, white inside. Repeatable: their union.",
        ),
    ] = None
    box: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y,W,H", help="Region as a rectangle in the clip's pixels. Repeatable: their union."
        ),
    ] = None
    words: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Words of the target prompt that drive the edit; else where the prompts differ.",
        ),
    ] = None
    editor: Annotated[
        str,
        typer.Option(metavar="NAME", help="Editing method: flowanchor, flowedit or flowedit-mask."),
    ] = "flowanchor"
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A parameter of the method. Repeatable.")
    ] = None
    model: Annotated[
        str,
        typer.Option(metavar="NAME", help="A name of `flowanchor models list`, or a model folder's path."),
    ] = "shapes"
    preset: Annotated[str, typer.Option(metavar="NAME", help="draft, standard or final.")] = "standard"
    steps: Annotated[
        int | None,
        typer.Option(
            metavar="N", parser=whole_number, help="Steps of the schedule, in place of the preset's."
        ),
    ] = None
    skip: Annotated[
        int | None,
        typer.Option(
            metavar="N", parser=whole_number, help="Steps left out at the noisy end; more keeps more."
        ),
    ] = None
    shift: Annotated[
        float | None,
        typer.Option(metavar="X", parser=number, help="Shift of the schedule towards noise."),
    ] = None
    negative: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Negative prompt, in place of the model's.")
    ] = None
    seed: Annotated[
        int, typer.Option(metavar="N", parser=whole_number, help="Number that fixes the noise.")
    ] = 0
    margin: Annotated[
        float,
        typer.Option(
            metavar="X",
            parser=number,
            help="Surroundings the model sees, as a share of the region's longer side.",
        ),
    ] = 0.25
    mode: Annotated[
        Literal["detail", "fast"], typer.Option(help="Scale the crop to the model's size, or keep its scale.")
    ] = "detail"
    grow: Annotated[
        int,
        typer.Option(metavar="N", parser=whole_number, help="Pixels by which the region may grow."),
    ] = 0
    feather: Annotated[
        int,
        typer.Option(
            metavar="N", parser=whole_number, help="Width of the soft edge outside the region, in pixels."
        ),
    ] = 8
    sheet: Annotated[Path | None, typer.Option(metavar="PNG", help="Write a contact sheet to this file.")] = (
        None
    )
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda or cuda:N.")] = "auto"
    priority: Annotated[
        int, typer.Option(metavar="N", min=-100, max=100, help="Place in the queue: higher runs first.")
    ] = 0

    def request(
        self,
        clip: Path,
        delivery: DeliverySettings,
        first: int = 0,
        last: int | None = None,
        rate: Fraction | None = None,
        masks: tuple[Path, ...] | None = None,
    ) -> EditRequest:
        """The edit of one clip.

        Args:
            clip: movie or images.
            delivery: what is written where.
            first, last: frames of the clip, from 0, both included; None: to the end.
            rate: frames a second of images.
            masks: files that mark the region, in place of `--mask`.

        Raises:
            InputError: an option cannot be read.
        """
        from flowanchor_core.request import EditRequest, RegionSettings

        return EditRequest(
            clip=clip,
            delivery=delivery,
            source_prompt=self.source,
            target_prompt=self.target,
            masks=tuple(self.mask or ()) if masks is None else masks,
            geometry=tuple(parse_box(text) for text in self.box or ()),
            first=first,
            last=last,
            rate=rate,
            words=parse_words(self.words),
            negative_prompt=self.negative,
            editor=self.editor,
            params=dict(parse_param(text) for text in self.param or ()),
            model=self.model,
            preset=self.preset,
            steps=self.steps,
            shift=self.shift,
            skip=self.skip,
            seed=self.seed,
            region=RegionSettings(margin=self.margin, mode=self.mode, grow=self.grow, feather=self.feather),
            sheet=self.sheet,
        )


def with_edit_options(command: Callable[..., None], optional: Collection[str] = ()) -> Callable[..., None]:
    """Let a command that takes `options: EditOptions` take each of them as an option of its own.

    `optional` names required ones that this command may find elsewhere; not given they are "".
    """
    own = inspect.signature(command).parameters
    hints = get_type_hints(command, include_extras=True)
    option_hints = get_type_hints(EditOptions, include_extras=True)
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=_default(field, optional),
            annotation=option_hints[field.name],
        )
        for field in fields(EditOptions)
    ]
    names = {parameter.name for parameter in shared}

    @functools.wraps(command)
    def expanded(**given: Any) -> None:
        options = EditOptions(**{name: given.pop(name) for name in names})
        command(options=options, **given)

    others = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
        for name, parameter in own.items()
        if name != "options"
    ]
    arguments = [p for p in others if p.default is inspect.Parameter.empty]
    signature = inspect.Signature([*arguments, *shared, *(p for p in others if p not in arguments)])
    expanded.__signature__ = signature  # type: ignore[attr-defined]
    expanded.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    return expanded


def _default(field: Field[Any], optional: Collection[str]) -> Any:
    if field.default is not MISSING:
        return field.default
    return "" if field.name in optional else inspect.Parameter.empty
