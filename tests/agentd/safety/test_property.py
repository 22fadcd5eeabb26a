"""Whatever happens, in whatever order: no limit, interlock, lease or rank is ever broken.

`GATE_RUNS=10000 pytest tests/agentd/safety/test_property.py` is the long run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from hypothesis import HealthCheck, given, settings

from agentd.schema import Limits
from tests.agentd.safety.script import HOURS, HOUSES, SCRIPTS, Step
from tests.agentd.safety.street import Street

RUNS = int(os.environ.get("GATE_RUNS", "250"))
"""Runs of 50 steps each."""


@settings(
    max_examples=RUNS,
    deadline=None,
    derandomize=RUNS <= 1000,  # the everyday runs are the same ones every day
    suppress_health_check=list(HealthCheck),
)
@given(limits=HOUSES, wall_s=HOURS, script=SCRIPTS)
def test_no_limit_is_ever_broken(
    limits: Mapping[str, Limits], wall_s: float, script: list[Step]
) -> None:
    street = Street(limits, wall_s=wall_s)
    for step in script:
        step.do(street)
