"""Topics: what they are, what they are not."""

from __future__ import annotations

import pytest

from agentd.door.topic import RESERVED, RequestTopic, SetTopic, TopicError, Topics

TOPICS = Topics("box")


@pytest.mark.parametrize("node", ["", "Box", "a/b", "a+", "#", "a b", "a" * 65, "kü"])
def test_node_that_cannot_stand_in_a_topic_is_refused(node: str) -> None:
    with pytest.raises(TopicError, match="node"):
        Topics(node)


@pytest.mark.parametrize("device", [*sorted(RESERVED), "a/b", "+", ""])
def test_device_that_cannot_stand_in_a_topic_is_refused(device: str) -> None:
    with pytest.raises(TopicError, match="device"):
        TOPICS.state(device)


@pytest.mark.parametrize(
    ("topic", "target"),
    [
        ("agentd/box/lamp/set", SetTopic("lamp")),
        ("agentd/box/desk_lamp-2/set", SetTopic("desk_lamp-2")),
        ("agentd/box/request/ask", RequestTopic("ask")),
        ("agentd/box/request/set", RequestTopic("set")),
        ("agentd/box/status/set", None),
        ("agentd/box/lamp/state", None),
        ("agentd/box/Lamp/set", None),
        ("agentd/box//set", None),
        ("agentd/box/request/", None),
        ("agentd/box/request/a/b", None),
        ("agentd/box/request/Ask", None),
        ("agentd/boxer/lamp/set", None),
        ("agentd/other/lamp/set", None),
        ("homeassistant/status", None),
        ("", None),
    ],
)
def test_topic_is_read_as(topic: str, target: SetTopic | RequestTopic | None) -> None:
    assert TOPICS.read(topic) == target


@pytest.mark.parametrize(
    ("topic", "is_answerable"),
    [
        ("phone/answers", True),
        ("agentd/other/event/x", True),
        ("agentd/box/response/ask", True),
        ("agentd/box/response/ask/mine", True),
        ("agentd/box", False),
        ("agentd/box/lamp/set", False),
        ("agentd/box/status", False),
        ("homeassistant/device/x/config", False),
        ("$SYS/x", False),
        ("a/+/b", False),
        ("a/#", False),
        ("a\0b", False),
        ("", False),
        ("a" * 300, False),
    ],
)
def test_answer_may_go_to(topic: str, is_answerable: bool) -> None:
    assert TOPICS.is_answerable(topic) is is_answerable
