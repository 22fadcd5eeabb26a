from __future__ import annotations

import pytest

from agentd.voice.endpoint import FRAME_S, Endpoint


def play(endpoint: Endpoint, *parts: tuple[float, float]) -> Endpoint:
    """Feed (seconds, dBFS), one after the other."""
    for seconds, dbfs in parts:
        for _ in range(round(seconds / FRAME_S)):
            endpoint.feed(dbfs)
    return endpoint


ROOM, SPEECH = -60.0, -25.0

COURSES = {
    #                        what is heard                                          spoken  ended
    "a quiet room":          ([(3.0, ROOM)],                                        False, False),
    "a loud room":           ([(3.0, -35.0)],                                       False, False),
    "a click":               ([(1.0, ROOM), (0.06, SPEECH), (1.0, ROOM)],           False, False),
    "speech under way":      ([(1.0, ROOM), (0.5, SPEECH)],                         True,  False),
    "a pause for thought":   ([(1.0, ROOM), (0.5, SPEECH), (0.5, ROOM)],            True,  False),
    "a sentence":            ([(1.0, ROOM), (1.5, SPEECH), (0.8, ROOM)],            True,  True),
    "speech after a pause":  ([(1.0, ROOM), (0.5, SPEECH), (0.5, ROOM), (0.5, SPEECH)], True, False),
    "speech in a loud room": ([(1.0, -35.0), (1.0, -20.0), (0.8, -35.0)],           True,  True),
    "speech too faint":      ([(1.0, -75.0), (1.0, -58.0)],                         False, False),
    "a long sentence":       ([(1.0, ROOM), (6.0, SPEECH), (0.8, ROOM)],            True,  True),
    "digital silence first": ([(1.0, -96.0), (1.0, SPEECH), (0.8, -96.0)],          True,  True),
}  # fmt: skip


@pytest.mark.parametrize(("course", "has_spoken", "has_ended"), COURSES.values(), ids=COURSES)
def test_speech_and_its_end_are_told_from_the_level(course, has_spoken, has_ended):
    endpoint = play(Endpoint(), *course)
    assert (endpoint.has_spoken, endpoint.has_ended) == (has_spoken, has_ended)


def test_a_fan_that_starts_becomes_part_of_the_room():
    endpoint = play(Endpoint(), (1.0, ROOM), (20.0, -40.0))
    endpoint.restart()
    assert not play(endpoint, (2.0, -40.0)).has_spoken


def test_a_restart_forgets_the_speech_but_not_the_room():
    endpoint = play(Endpoint(), (1.0, ROOM), (1.0, SPEECH))
    endpoint.restart()
    assert not endpoint.has_spoken
    assert endpoint.floor_dbfs == pytest.approx(ROOM, abs=3)
