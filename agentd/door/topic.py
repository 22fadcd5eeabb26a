"""The names in MQTT topics, checked when they are made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from llmagentos.errors import LlmagentosError

RESERVED: Final = frozenset({"status", "info", "event", "request", "response"})
"""Topic levels below the node that no device may have as its id."""

HOME_ASSISTANT_STATUS: Final = "homeassistant/status"
"""Home Assistant says `online` here when it starts: then it wants discovery again."""

_ID: Final = re.compile(r"[a-z0-9_-]{1,64}")
_VERB: Final = re.compile(r"[a-z_]{1,32}")


class TopicError(LlmagentosError):
    """A name that cannot stand in a topic."""


def check_id(text: str, *, what: str) -> str:
    """Return an id as it is.

    Raises:
        TopicError: it has other letters than [a-z0-9_-], or more than 64, or none.
    """
    if not _ID.fullmatch(text):
        raise TopicError(f"{what} {text!r}: only a-z, 0-9, _ and -, at most 64 letters")
    return text


def check_device_id(text: str) -> str:
    """Return a device's id as it is.

    Raises:
        TopicError: it is no id, or one of the reserved ones.
    """
    if check_id(text, what="device") in RESERVED:
        raise TopicError(f"device {text!r}: {', '.join(sorted(RESERVED))} are reserved")
    return text


@dataclass(frozen=True, slots=True)
class SetTopic:
    """`<device>/set`: a command for one device."""

    device: str


@dataclass(frozen=True, slots=True)
class RequestTopic:
    """`request/<verb>`."""

    verb: str


@dataclass(frozen=True, slots=True)
class Topics:
    """Every topic of one box."""

    node: str
    """Id of the box, [a-z0-9_-]."""

    def __post_init__(self) -> None:
        check_id(self.node, what="node")

    @property
    def root(self) -> str:
        """The first two levels."""
        return f"agentd/{self.node}"

    @property
    def status(self) -> str:
        """online or offline; the last will."""
        return f"{self.root}/status"

    @property
    def info(self) -> str:
        """What box this is."""
        return f"{self.root}/info"

    @property
    def discovery(self) -> str:
        """Home Assistant's description of the box and its devices."""
        return f"homeassistant/device/agentd_{self.node}/config"

    @property
    def inward(self) -> tuple[str, ...]:
        """The filters that the box subscribes to, and nothing beyond them."""
        return (f"{self.root}/+/set", f"{self.root}/request/#", HOME_ASSISTANT_STATUS)

    def state(self, device: str) -> str:
        """State of a device."""
        return f"{self.root}/{check_device_id(device)}/state"

    def availability(self, device: str) -> str:
        """online or offline, for one device."""
        return f"{self.root}/{check_device_id(device)}/availability"

    def set(self, device: str) -> str:
        """Where a device takes commands."""
        return f"{self.root}/{check_device_id(device)}/set"

    def event(self, kind: str) -> str:
        """Where events of a kind are told."""
        return f"{self.root}/event/{check_id(kind, what='event')}"

    def response(self, verb: str) -> str:
        """Where requests for a verb are answered, unless they say where."""
        return f"{self.root}/response/{verb}"

    def read(self, topic: str) -> SetTopic | RequestTopic | None:
        """What a message under one of the filters is; None when it is nothing of ours."""
        if not topic.startswith(self.root + "/"):
            return None
        levels = topic[len(self.root) + 1 :].split("/")
        if len(levels) != 2:
            return None
        first, second = levels
        if second == "set" and _ID.fullmatch(first) and first not in RESERVED:
            return SetTopic(first)
        if first == "request" and _VERB.fullmatch(second):
            return RequestTopic(second)
        return None

    def is_answerable(self, topic: str) -> bool:
        """Whether a request may have its answer sent there.

        Not to a wildcard, a broker's own topic, Home Assistant's discovery, nor to a topic of the
        box itself: whoever may only ask must not make the box speak in its own name.
        """
        if not topic or len(topic) > 256 or topic.startswith(("$", "homeassistant/")):
            return False
        if any(letter in topic for letter in "+#\0"):
            return False
        own = topic == self.root or topic.startswith(self.root + "/")
        return not own or topic.startswith(f"{self.root}/response/")
