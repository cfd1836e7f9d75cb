# SPDX-License-Identifier: Apache-2.0
"""FlowEdit (Wan-Edit): inversion-free editing by the difference of two guided velocities."""

from __future__ import annotations

from collections.abc import Iterator

from flowanchor_core.editors.base import EditInputs, Step, integrate, velocity_difference
from flowanchor_core.editors.params import GuidanceParams
from flowanchor_core.oracle import VelocityOracle


def edit(oracle: VelocityOracle, inputs: EditInputs, params: GuidanceParams) -> Iterator[Step]:
    """`z <- z + ds * (V_tar - V_src)`; the mask is not used."""
    return integrate(inputs, lambda i, sigma, z: velocity_difference(oracle, inputs, params, i, sigma, z))
