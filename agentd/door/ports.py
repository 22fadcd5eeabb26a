"""All that the verbs may reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from agentd.agents.promises import PromiseBook
from agentd.config import Config
from agentd.door.feed import Feed
from agentd.journal import Journal
from agentd.past import Past
from agentd.understand.assistant import Assistant
from agentd.understand.vocabulary import Vocabulary
from llmagentos.cause import Cause, Origin
from llmagentos.clock import Clock
from llmagentos.plan import Decision, Plan
from llmagentos.utterance import Observation


@dataclass(frozen=True)
class Ports:
    """All that the verbs may reach."""

    assistant: Assistant
    journal: Journal
    past: Past
    feed: Feed
    observe: Callable[[], Observation]
    propose: Callable[[Plan], Future[Decision]]
    latch: Callable[[bool, Cause, Origin], Future[None]]
    """Stop (True) or reset (False)."""
    reset_device: Callable[[str, Cause, Origin], Future[None]]
    """Lift the fault of one device."""
    is_stopped: Callable[[], bool]
    """Whether a stop is latched."""
    next_cause: Callable[[], Cause]
    config: Callable[[], Config]
    reload: Callable[[], Mapping[str, Any]]
    """Reads the file again; tells what changed."""
    health: Callable[[], Mapping[str, Any]]
    report: Callable[[str, str, str], None]
    """Takes the state of a sister program: part, status, detail."""
    vocabulary: Callable[[], Vocabulary]
    models: Callable[[], list[dict[str, Any]]]
    clock: Clock
    book: PromiseBook | None = None
    """Promises and rules; None in safe mode."""
