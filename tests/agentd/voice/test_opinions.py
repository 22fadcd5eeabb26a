"""More than one free opinion of one sound: what a later one may settle, and what it may not."""

from __future__ import annotations

import pytest

from agentd.voice.listener import Listener
from llmagentos.clock import Instant
from models.scripted_speech import ScriptedTranscriber
from tests.agentd.voice.house import split

SENTENCE = "turn on the heater"
SECOND = b"\x10\x00" * 16_000


@pytest.mark.parametrize(
    ("free", "is_agreed"),
    [
        ([SENTENCE], True),
        (["so defeated", SENTENCE], True),
        (["so defeated", "the he", "turn on the heat"], True),
        (["so defeated", "the", "a theatre", SENTENCE], False),
        (["turn off the heater", SENTENCE], False),
        (["so defeated", "turn off the heater", SENTENCE], False),
        (["so defeated", "", SENTENCE], True),
        (["do not turn on the heater", SENTENCE], False),
    ],
    ids=["at once", "second", "third", "never", "opposite", "opposite later", "silence", "denial"],
)
def test_a_later_opinion_may_bear_out_but_never_outvote(free, is_agreed) -> None:
    script = [split(SENTENCE, text) for text in free]
    listener = Listener(ScriptedTranscriber(script), clock=lambda: Instant(0.0, 0.0))
    listener.set_sentences([SENTENCE, "turn off the heater"])
    assert listener.hear(SECOND).agreement.is_agreed is is_agreed
