"""What waits to be published."""

from __future__ import annotations

from agentd.door.outgoing import WAITING, Outgoing, Post


def state(value: int, device: str = "lamp") -> Post:
    return Post(device, str(value).encode(), is_retained=True)


def drain(outgoing: Outgoing) -> list[Post]:
    found = []
    while (post := outgoing.take()) is not None:
        found.append(post)
    return found


def test_latest_state_of_each_topic_is_kept() -> None:
    outgoing = Outgoing()
    for value in range(5):
        outgoing.put(state(value))
        outgoing.put(state(value, "fan"))
    assert drain(outgoing) == [state(4), state(4, "fan")]


def test_answers_and_states_take_turns() -> None:
    outgoing = Outgoing()
    for value in range(3):
        outgoing.put(Post("answer", str(value).encode()))
        outgoing.put(state(value, f"d{value}"))
    assert [post.is_retained for post in drain(outgoing)] == [False, True] * 3


def test_too_many_answers_drop_the_oldest_and_are_counted() -> None:
    outgoing = Outgoing()
    for value in range(WAITING + 7):
        outgoing.put(Post("answer", str(value).encode()))
    assert outgoing.take() == Post("answer", b"7")
    assert outgoing.take_dropped() == 7
    assert outgoing.take_dropped() == 0


def test_what_comes_back_is_not_newer_than_what_came_since() -> None:
    outgoing = Outgoing()
    outgoing.put(state(2))
    outgoing.put_back([state(1), state(1, "fan")])
    assert drain(outgoing) == [state(1, "fan"), state(2)]


def test_answer_comes_back_once() -> None:
    outgoing = Outgoing()
    outgoing.put(Post("answer", b"2"))
    outgoing.put_back([Post("answer", b"1")])
    first, second = drain(outgoing)
    assert (first.payload, second.payload) == (b"1", b"2")
    outgoing.put_back([first])
    assert outgoing.take() is None


def test_whoever_publishes_is_told() -> None:
    told: list[int] = []
    outgoing = Outgoing(on_post=lambda: told.append(1))
    outgoing.put(state(1))
    assert told == [1]


def test_a_letter_waits_once_however_often_it_is_put() -> None:
    outgoing = Outgoing()
    for _ in range(3):
        outgoing.put(Post("event", b"7", letter=7))
    outgoing.put(Post("event", b"8", letter=8))
    assert [post.letter for post in drain(outgoing)] == [7, 8]


def test_a_letter_comes_back_however_often_the_connection_breaks() -> None:
    outgoing = Outgoing()
    outgoing.put(Post("event", b"7", letter=7))
    for _ in range(20):
        outgoing.put_back(drain(outgoing))
    assert [post.letter for post in drain(outgoing)] == [7]


def test_a_storm_of_answers_pushes_no_letter_out() -> None:
    outgoing = Outgoing()
    outgoing.put(Post("event", b"7", letter=7))
    for value in range(2 * WAITING):
        outgoing.put(Post("answer", str(value).encode()))
    assert outgoing.take() == Post("event", b"7", letter=7)
