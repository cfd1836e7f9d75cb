# SPDX-License-Identifier: Apache-2.0
"""Every name of Resolve's interface that our client uses is in the contract, and the stand-in answers it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.resolve.standin.errata import corrected
from tests.resolve.standin.names import Use, names_used, unknown_names
from tests.resolve.standin_tests.test_nothing_beyond import modelled

CLIENT = Path(__file__).parents[3] / "addons" / "resolve"
NEVER = ("FinalizeTake", "DeleteAllRenderJobs", "Quit", "CloseProject", "DeleteProject", "SetSetting")
"""What takes something away from the user that nobody can bring back, or changes the project's settings."""


@pytest.fixture(scope="module")
def used() -> list[Use]:
    return names_used(CLIENT)


def test_the_client_is_looked_at(used: list[Use]) -> None:
    assert len({use.name for use in used}) > 50
    assert {"AppendToTimeline", "SetRenderSettings", "GetCurrentTimeline"} <= {use.name for use in used}


def test_every_name_is_published() -> None:
    assert [str(use) for use in unknown_names(CLIENT)] == []


def test_no_name_is_deprecated(used: list[Use]) -> None:
    classes = corrected().contract.classes.values()
    for use in used:
        methods = [methods[use.name] for methods in classes if use.name in methods]
        assert not all(method.deprecated for method in methods), str(use)


def test_the_stand_in_answers_every_one_of_them(used: list[Use]) -> None:
    answered = {name for _, name in modelled()}
    assert [str(use) for use in used if use.name not in answered] == []


def test_nothing_that_cannot_be_taken_back_is_called(used: list[Use]) -> None:
    assert [str(use) for use in used if use.name in NEVER] == []
