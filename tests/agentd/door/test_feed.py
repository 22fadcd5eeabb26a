"""The feed: bounded, in order, latest state wins, never in the way."""

from __future__ import annotations

import threading

from agentd.door.feed import Feed, Subscription


def drain(subscription: Subscription) -> list[dict[str, object]]:
    found = []
    while (event := subscription.get(0)) is not None:
        found.append(dict(event))
    return found


def test_events_come_in_order_to_each_listener() -> None:
    feed = Feed()
    with feed.subscribe() as one, feed.subscribe(["say"]) as two:
        feed.publish({"kind": "stop"})
        feed.publish({"kind": "say", "text": "a"})
        assert drain(one) == [{"kind": "stop"}, {"kind": "say", "text": "a"}]
        assert drain(two) == [{"kind": "say", "text": "a"}]


def test_states_of_one_device_coalesce_in_place() -> None:
    feed = Feed()
    with feed.subscribe() as listener:
        feed.publish({"kind": "state", "device": "lamp", "n": 1})
        feed.publish({"kind": "state", "device": "fan", "n": 1})
        feed.publish({"kind": "state", "device": "lamp", "n": 2})
        assert [(e["device"], e["n"]) for e in drain(listener)] == [("lamp", 2), ("fan", 1)]


def test_other_events_never_coalesce() -> None:
    feed = Feed()
    with feed.subscribe() as listener:
        for _ in range(3):
            feed.publish({"kind": "stop"})
        assert len(drain(listener)) == 3


def test_slow_listener_loses_the_oldest_and_is_told_how_many() -> None:
    feed = Feed()
    with feed.subscribe(waiting=3) as listener:
        for n in range(10):
            feed.publish({"kind": "say", "n": n})
        lost, *rest = drain(listener)
        assert lost == {"kind": "lost", "count": 7}
        assert [e["n"] for e in rest] == [7, 8, 9]


def test_close_wakes_who_waits_and_ends_the_delivery() -> None:
    feed = Feed()
    listener = feed.subscribe()
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(listener.get()))
    thread.start()
    listener.close()
    thread.join(2)
    assert answers == [None]
    feed.publish({"kind": "stop"})
    assert listener.get(0) is None


def test_publishing_without_a_listener_is_nothing() -> None:
    Feed().publish({"kind": "stop"})
