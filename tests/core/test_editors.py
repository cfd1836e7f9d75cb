# SPDX-License-Identifier: Apache-2.0
import itertools
from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from flowanchor_core import editors
from flowanchor_core.amm import modulate
from flowanchor_core.editors import Conditioning, EditInputs, Step
from flowanchor_core.errors import InputError, ModelRunError
from flowanchor_core.noise import step_noise
from flowanchor_core.oracle import VelocityOracle
from flowanchor_core.schedule import wan_sigmas
from flowanchor_core.windows import plan_windows

EDITORS = ["flowedit", "flowedit-mask", "flowanchor"]


class LinearModel:
    """Toy velocity with a closed form: v(q, s, c) = a * q + s * mean(c). It has no attention to refine."""

    blocks = ()
    a = 0.5

    def __call__(
        self, hidden_states: Tensor, timestep: Tensor, encoder_hidden_states: Tensor, return_dict: bool
    ) -> tuple[Tensor]:
        assert not return_dict
        # The last column is the pads'; real tokens are told from it by being non-zero.
        real = (encoder_hidden_states != 0).any(-1).sum(-1)
        mean = encoder_hidden_states.sum((1, 2)) / (real * encoder_hidden_states.shape[-1])
        shift = timestep / 1000 * mean
        return (self.a * hidden_states + shift[:, None, None, None, None],)


def make_inputs(steps: int = 5, skip: int = 1, frames: int = 3, **changes: Any) -> EditInputs:
    torch.manual_seed(3)
    mask = torch.zeros(frames, 3, 4, dtype=torch.bool)
    mask[:, 1:, 1:3] = True
    conditioning = Conditioning(
        source=torch.randn(4, 16),
        target=torch.randn(6, 16),
        negative=torch.randn(1, 16),
        text_length=16,
        target_tokens=(1, 2),
    )
    inputs = EditInputs(
        source=torch.randn(1, 4, frames, 6, 8),
        conditioning=conditioning,
        sigmas=wan_sigmas(steps, 5.0),
        skip=skip,
        seed=11,
        mask=mask,
        windows=(range(frames),),
    )
    return replace(inputs, **changes)


def start(name: str, oracle: VelocityOracle, inputs: EditInputs, **params: object) -> Any:
    editor = editors.get(name)
    return editor.edit(oracle, inputs, editor.parse(params))


def final(name: str, oracle: VelocityOracle, inputs: EditInputs, **params: object) -> Tensor:
    *_, last = start(name, oracle, inputs, **params)
    assert isinstance(last, Step)
    return last.z


def test_names() -> None:
    assert editors.names() == EDITORS


def test_an_unknown_editor_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="flowfix"):
        editors.get("flowfix")


@pytest.mark.parametrize("name", EDITORS)
@pytest.mark.parametrize("batched", [True, False])
def test_null_edit_returns_the_source_exactly(transformer: Any, name: str, batched: bool) -> None:
    inputs = make_inputs()
    same = replace(inputs.conditioning, target=inputs.conditioning.source.clone(), target_tokens=())
    for windows in (inputs.windows, (range(2), range(1, 3))):
        null = replace(inputs, conditioning=same, windows=windows)
        oracle = VelocityOracle(transformer, 16, batched=batched)
        z = final(name, oracle, null, source_guidance=7, target_guidance=7)
        assert torch.equal(z, inputs.source)


@pytest.mark.parametrize("name", EDITORS)
def test_91_forwards_at_25_steps_with_two_skipped(transformer: Any, name: str) -> None:
    oracle = VelocityOracle(transformer, 16)
    steps = list(start(name, oracle, make_inputs(steps=25, skip=2, frames=1)))
    assert len(steps) == 23
    assert oracle.forwards == 91
    # Four branches of 5, 7, 2 and 2 columns in every step; the first step has one unconditional branch less.
    assert oracle.text_columns == 23 * (5 + 7 + 2 + 2) - 2


def test_noise_draws_and_windows_multiply_the_forwards(transformer: Any) -> None:
    oracle = VelocityOracle(transformer, 16)
    final("flowedit", oracle, make_inputs(steps=4, skip=1), n_avg=3)
    assert oracle.forwards == 3 * (4 * 3 - 1)
    oracle = VelocityOracle(transformer, 16)
    final("flowedit", oracle, make_inputs(steps=4, skip=1, windows=(range(2), range(1, 3))))
    assert oracle.forwards == 2 * (4 * 3 - 1)


def test_steps_report_where_they_are(transformer: Any) -> None:
    inputs = make_inputs(steps=5, skip=2)
    steps = list(start("flowedit", VelocityOracle(transformer, 16), inputs))
    assert [step.index for step in steps] == [2, 3, 4]
    assert {(step.first, step.total) for step in steps} == {(2, 5)}
    assert [step.sigma for step in steps] == inputs.sigmas[2:5].tolist()
    z = inputs.source
    for step, (now, then) in zip(steps, itertools.pairwise(inputs.sigmas[2:].tolist()), strict=True):
        z = z + (then - now) * step.velocity()
        assert torch.equal(step.z, z)


def test_linear_velocity_has_the_closed_form() -> None:
    # With v = a q + s m(c) noise cancels: dV = a (z - x) + s D, D = m_neg (w_src - w_tar) + w_tar m_tar -
    # w_src m_src.
    inputs, text = make_inputs(), make_inputs().conditioning
    z = final("flowedit", VelocityOracle(LinearModel(), 16), inputs, source_guidance=2, target_guidance=3)
    d = -text.negative.mean() + 3 * text.target.mean() - 2 * text.source.mean()
    shift = torch.tensor(0.0)
    for now, then in itertools.pairwise(inputs.sigmas[1:]):
        shift = shift + (then - now) * (LinearModel.a * shift + now * d)
    torch.testing.assert_close(z, inputs.source + shift, atol=1e-5, rtol=0)


def test_source_and_target_see_the_same_noise_of_the_step() -> None:
    seen: list[Tensor] = []

    class Spy(LinearModel):
        def __call__(self, hidden_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor]:
            seen.append(hidden_states)
            return super().__call__(hidden_states, *args, **kwargs)

    inputs = make_inputs(steps=4, skip=2)
    first, second = start("flowedit", VelocityOracle(Spy(), 16), inputs)
    sigma = second.sigma
    q = (1 - sigma) * inputs.source + sigma * step_noise(inputs.seed, 3, inputs.source.shape)
    p = q + (first.z - inputs.source)
    torch.testing.assert_close(seen[1], torch.cat([q, q, p, p]), atol=0, rtol=0)


@pytest.mark.parametrize(("name", "params"), [("flowedit-mask", {}), ("flowanchor", {"blend": True})])
def test_masked_editors_keep_the_background_to_the_bit(transformer: Any, name: str, params: Any) -> None:
    inputs = make_inputs()
    inside = inputs.latent_mask(name)
    assert inside.shape == (3, 6, 8)
    for step in start(name, VelocityOracle(transformer, 16), inputs, **params):
        assert torch.equal(step.z[..., ~inside], inputs.source[..., ~inside])
    assert (step.z - inputs.source)[..., inside].abs().min() > 0


@pytest.mark.parametrize(("name", "params"), [("flowedit-mask", {}), ("flowanchor", {"blend": True})])
def test_masked_editors_without_a_mask_are_refused(transformer: Any, name: str, params: Any) -> None:
    with pytest.raises(InputError, match="mask"):
        start(name, VelocityOracle(transformer, 16), make_inputs(mask=None), **params)


@pytest.mark.parametrize("name", EDITORS)
def test_resuming_from_any_step_gives_the_same_bits(transformer: Any, name: str) -> None:
    inputs = make_inputs()
    steps = list(start(name, VelocityOracle(transformer, 16), inputs))
    for step in steps[:-1]:
        resumed = final(name, VelocityOracle(transformer, 16), replace(inputs, start=step.checkpoint))
        assert torch.equal(resumed, steps[-1].z)
    done = replace(inputs, start=steps[-1].checkpoint)
    assert list(start(name, VelocityOracle(transformer, 16), done)) == []


def processors(transformer: Any) -> list[Any]:
    return [block.attn2.processor for block in transformer.blocks]


def test_processors_are_back_between_steps_and_after_closing_early(transformer: Any) -> None:
    before = processors(transformer)
    steps = start("flowanchor", VelocityOracle(transformer, 16), make_inputs())
    next(steps)
    assert processors(transformer) == before
    steps.close()
    assert processors(transformer) == before


def test_processors_are_back_after_a_failure_inside_a_step(transformer: Any) -> None:
    before = processors(transformer)
    steps = start("flowanchor", VelocityOracle(transformer, 16), make_inputs())
    next(steps)

    def fail(*_: object) -> None:
        raise MemoryError("out of memory")

    hook = transformer.blocks[1].ffn.register_forward_hook(fail)
    with pytest.raises(ModelRunError) as caught:
        next(steps)
    hook.remove()
    assert caught.value.code == "out-of-memory"
    assert processors(transformer) == before


@pytest.mark.parametrize("name", EDITORS)
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_velocity_that_is_no_number_ends_the_edit_at_its_step(name: str, bad: float) -> None:
    class Broken(LinearModel):
        def __call__(self, hidden_states: Tensor, timestep: Tensor, *args: Any, **kwargs: Any) -> Any:
            (velocity,) = super().__call__(hidden_states, timestep, *args, **kwargs)
            velocity[-1, 0, 0, 0, 0] = bad if timestep[0] < 1000 * sigma else 0.0
            return (velocity,)

    inputs = make_inputs(steps=4, skip=1)
    sigma = float(inputs.sigmas[1:3].mean())
    steps = start(name, VelocityOracle(Broken(), 16), inputs)
    assert next(steps).index == 1
    with pytest.raises(ModelRunError, match="step 2") as caught:
        next(steps)
    assert caught.value.code == "model-not-finite"


def test_flowanchor_with_everything_off_is_flowedit(transformer: Any) -> None:
    inputs = make_inputs()
    plain = final("flowedit", VelocityOracle(transformer, 16), inputs)
    for off in (
        {"beta1": 0, "beta2": 0},
        {"text_modulation": False, "spatial_modulation": False},
        {"tau": 1.0},
    ):
        assert torch.equal(
            final("flowanchor", VelocityOracle(transformer, 16), inputs, gamma=0, **off), plain
        )
    without = replace(inputs, conditioning=replace(inputs.conditioning, target_tokens=()))
    assert torch.equal(final("flowanchor", VelocityOracle(transformer, 16), without, gamma=0), plain)


def test_each_part_of_flowanchor_changes_the_result(transformer: Any) -> None:
    # An option that is silently off shows as two results that agree.
    inputs = make_inputs()
    results = [
        final("flowanchor", VelocityOracle(transformer, 16), inputs, **options)
        for options in (
            {},
            {"text_modulation": False},
            {"spatial_modulation": False},
            {"gamma": 0},
            {"contrast": "magnitude"},
            {"tau": 0},
            {"blend": True},
        )
    ]
    for a, b in itertools.combinations(results, 2):
        assert not torch.allclose(a, b, atol=1e-6)


def test_refinement_stops_below_tau(transformer: Any) -> None:
    inputs = make_inputs()
    sigmas = inputs.sigmas.tolist()
    anchored = list(start("flowanchor", VelocityOracle(transformer, 16), inputs, gamma=0, tau=sigmas[2]))
    for i, step in enumerate(anchored[:-1]):
        again = replace(inputs, start=step.checkpoint)
        plain = next(iter(start("flowedit", VelocityOracle(transformer, 16), again)))
        same = torch.equal(plain.z, anchored[i + 1].z)
        assert same == (anchored[i + 1].sigma < sigmas[2])


def test_amm_follows_the_average_of_the_draws() -> None:
    inputs = make_inputs(steps=3, skip=1)
    plain = next(iter(start("flowedit", VelocityOracle(LinearModel(), 16), inputs, n_avg=2)))
    amplified = next(iter(start("flowanchor", VelocityOracle(LinearModel(), 16), inputs, n_avg=2, gamma=2)))
    assert torch.equal(amplified.velocity(), modulate(plain.velocity(), 2.0))


def test_one_window_equals_none(transformer: Any) -> None:
    whole = final("flowanchor", VelocityOracle(transformer, 16), make_inputs())
    one = final("flowanchor", VelocityOracle(transformer, 16), make_inputs(windows=plan_windows(3, 9, 2)))
    assert torch.equal(whole, one)


def test_windows_that_see_identical_velocities_equal_the_whole_pass() -> None:
    # The toy model is pointwise, so a window sees what the whole pass sees at its frames.
    inputs = make_inputs(frames=9)
    windows = plan_windows(9, 4, 1)
    assert len(windows) > 1
    for name in ("flowedit", "flowedit-mask"):
        whole = final(name, VelocityOracle(LinearModel(), 16), inputs)
        parts = final(name, VelocityOracle(LinearModel(), 16), replace(inputs, windows=windows))
        torch.testing.assert_close(parts, whole, atol=2e-5, rtol=0)


def test_amm_in_windows_takes_the_windows_length() -> None:
    inputs = make_inputs(steps=3, skip=1, frames=9, windows=plan_windows(9, 4, 1))
    plain = next(iter(start("flowedit", VelocityOracle(LinearModel(), 16), inputs)))
    amplified = next(iter(start("flowanchor", VelocityOracle(LinearModel(), 16), inputs)))
    assert torch.equal(amplified.velocity(), modulate(plain.velocity(), 1.0, frames=4))


@pytest.mark.parametrize("name", EDITORS)
def test_parameters_carry_their_documentation_and_defaults_are_in_range(name: str) -> None:
    editor = editors.get(name)
    defaults = editor.parse({})
    for entry in fields(editor.params_type):
        assert entry.metadata["help"]
        assert editor.parse({entry.name: getattr(defaults, entry.name)}) == defaults
        assert editor.parse({entry.name: str(getattr(defaults, entry.name)).lower()}) == defaults


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("beta3", 1),
        ("beta1", 1.5),
        ("beta1", -0.1),
        ("beta1", float("nan")),
        ("beta1", "much"),
        ("beta1", True),
        ("beta1", None),
        ("n_avg", 0),
        ("n_avg", 1.5),
        pytest.param("n_avg", 10**400, id="long"),
        pytest.param("tau", -(10**400), id="long negative"),
        pytest.param("n_avg", "9" * 5000, id="long text"),
        ("contrast", "loud"),
        ("contrast", 1),
        ("blend", 1),
        ("blend", "maybe"),
    ],
)
def test_unknown_and_out_of_range_parameters_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InputError) as caught:
        editors.get("flowanchor").parse({name: value})
    assert f'"{name}"' in str(caught.value)
    assert len(str(caught.value)) < 250


def test_an_empty_mapping_means_the_defaults() -> None:
    assert editors.get("flowanchor").parse({}) == editors.get("flowanchor").params_type()


@pytest.mark.parametrize(
    "changes",
    [
        {"windows": (range(2),)},
        {"windows": (range(4),)},
        {"skip": 5},
        {"skip": -1},
        {"start": (0, torch.zeros(1, 4, 3, 6, 8))},
        {"start": (6, torch.zeros(1, 4, 3, 6, 8))},
        {"mask": torch.zeros(2, 3, 4, dtype=torch.bool)},
    ],
)
def test_inputs_that_contradict_themselves_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        make_inputs(**changes)
