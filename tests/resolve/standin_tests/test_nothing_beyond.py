# SPDX-License-Identifier: Apache-2.0
"""The stand-in has nothing beyond the contract, and takes every call that the contract allows."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from tests.resolve.standin import world
from tests.resolve.standin.errata import corrected
from tests.resolve.standin.model.thing import Thing


def classes(of: type[Thing] = Thing) -> Iterator[type[Thing]]:
    for one in of.__subclasses__():
        if hasattr(one, "contract_name"):
            yield one
        yield from classes(one)


def modelled() -> list[tuple[type[Thing], str]]:
    assert world  # importing it imports the whole model
    found = {(one, name) for one in classes() for name in dir(one) if name[:1].isupper()}
    return sorted(found, key=lambda pair: (pair[0].contract_name, pair[1]))


def test_the_model_has_the_classes_a_client_meets() -> None:
    assert {one.contract_name for one in classes()} >= {
        "Resolve",
        "ProjectManager",
        "Project",
        "MediaStorage",
        "MediaPool",
        "Folder",
        "MediaPoolItem",
        "Timeline",
        "TimelineItem",
        "FusionComp",
    }
    assert len(modelled()) > 180


@pytest.mark.parametrize(("owner", "name"), modelled(), ids=lambda one: getattr(one, "contract_name", one))
def test_every_method_of_the_model_is_in_the_contract(owner: type[Thing], name: str) -> None:
    method = corrected().contract.method(owner.contract_name, name)
    assert method is not None, "it is not published"
    assert not method.deprecated
    parameters = list(inspect.signature(getattr(owner, name)).parameters.values())[1:]
    rest = any(one.kind is inspect.Parameter.VAR_POSITIONAL for one in parameters)
    positional = [one for one in parameters if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    needed = sum(one.default is inspect.Parameter.empty for one in positional)
    for signature in method.signatures:
        if signature.deprecated:
            continue
        assert needed <= signature.at_least
        if not rest:
            assert signature.at_most is not None
            assert len(positional) >= signature.at_most
    if not rest:
        assert len(positional) <= max(one.at_most or 0 for one in method.signatures)
