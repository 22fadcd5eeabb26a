"""Fixtures of the contract suites."""

from __future__ import annotations

import pytest

from tests.hal.bench import Inbox


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()
