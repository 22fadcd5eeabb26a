"""A message from the network, read and judged before anybody acts on it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

from agentd.door.request import NAME_CHARACTERS, Request, RequestError, take_name
from agentd.door.setting import read_payload
from agentd.door.topic import RequestTopic, SetTopic
from llmagentos.cause import Origin, Rank
from llmagentos.clock import Instant
from llmagentos.wire import WireError, dump

MAX_BYTES: Final = 16 * 1024
"""Longest payload that is read."""

LIFETIME_S: Final = 10.0
"""A command that says no end of its own is not begun after waiting here for so long: it was meant
for a moment that has passed."""

WINDOW_S: Final = 300.0
"""An id that comes again within this time is the same command again."""

SEEN_MAX: Final = 4096
"""Ids remembered; beyond them the oldest are forgotten early."""

_ONCE: Final = ("toggle", "press")
"""Words of a setting that does something else, or more, when it is done a second time."""


class Refused(RequestError):
    """A command that is not carried out, for a reason that its sender can act on."""

    def __init__(self, code: str, text: str, *, transaction: str | int | None = None) -> None:
        super().__init__(code, text)
        self.transaction = transaction
        """What its sender calls it; None when that could not be read."""


@dataclass(frozen=True, slots=True)
class Message:
    """What the broker delivered."""

    target: SetTopic | RequestTopic
    """What its topic says it is."""

    payload: bytes
    at: Instant
    """When it arrived."""

    is_retained: bool = False
    response_topic: str | None = None
    """Where MQTT 5 wants the answer; None for the usual place."""

    correlation: bytes | None = None
    """MQTT 5's mark on the answer."""

    expires_in_s: float | None = None
    """Rest of its life when it arrived, of MQTT 5; None when none was given."""


@dataclass(frozen=True, slots=True)
class Command:
    """A message that was read."""

    request: Request
    transaction: str | int | None = None
    """What its sender calls it, repeated in the answer; None when it has no name."""

    expires_at_s: float | None = None
    """End of its life, wall clock; None when none was given."""

    boot: str | None = None
    """The boot it is meant for; None for any."""

    @property
    def is_repeatable(self) -> bool:
        """Whether to do it twice is to do it once: an absolute setting, or a stop."""
        if self.request.verb == "stop":
            return True
        text = dump(dict(self.request.data))
        return self.request.verb == "set" and not any(f'"{word}"' in text for word in _ONCE)


def _keep_nothing(name: str) -> None:
    """A memory that ends with the process."""


_DONE: Final[Future[None]] = Future()
_DONE.set_result(None)


@dataclass
class Seen:
    """The names of commands that were begun, so that none is begun twice."""

    window_s: float = WINDOW_S
    note: Callable[[str], None] = field(default=_keep_nothing)
    """Told each new name, to write it down; must not block."""
    settle: Callable[[], Future[None]] = field(default=lambda: _DONE)
    """Done once every name noted so far is on disk, or cannot be written."""
    _at_s: OrderedDict[str, float] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def recall(self, ages_s: Mapping[str, float], *, now_s: float) -> None:
        """Know names again that were begun before this process, so many seconds ago."""
        with self._lock:
            for name, age_s in sorted(ages_s.items(), key=lambda each: -each[1]):
                self._at_s[name] = now_s - age_s
            self._forget(now_s)

    def age_s(self, name: str, *, now_s: float) -> float | None:
        """Note a name; seconds since it was noted before, None when it is new."""
        with self._lock:
            self._forget(now_s)
            if (before_s := self._at_s.get(name)) is not None:
                return now_s - before_s
            self._at_s[name] = now_s
        self.note(name)
        return None

    def _forget(self, now_s: float) -> None:
        while self._at_s:
            key, at_s = next(iter(self._at_s.items()))
            if len(self._at_s) < SEEN_MAX and now_s - at_s <= self.window_s:
                return
            del self._at_s[key]


def read_command(message: Message, *, rank: Rank, channel: str) -> Command:
    """Read a message.

    Args:
        message: as it came.
        rank: rank of its origin.
        channel: channel of its origin.

    Raises:
        Refused: it is no command.
    """
    if len(message.payload) > MAX_BYTES:
        text = f"{len(message.payload)} bytes are too many, at most {MAX_BYTES} are read"
        raise Refused("too_large", text)
    try:
        value = read_payload(message.payload or b"{}", max_bytes=MAX_BYTES)
    except WireError as exc:
        raise Refused("bad_request", str(exc)) from exc
    if isinstance(value, dict):
        return _read_object(message, value, rank=rank, channel=channel)
    if isinstance(message.target, RequestTopic):
        raise Refused("bad_request", f"{message.target.verb} takes a JSON object")
    data = {"device": message.target.device, "value": value}
    return Command(Request("set", data, Origin(rank, channel)))


def judge(command: Command, message: Message, *, boot: str, seen: Seen, now: Instant) -> None:
    """Refuse a command that is not meant to be carried out now.

    Raises:
        Refused: it was retained, meant for another boot, too late, or begun before.
    """
    name = command.transaction
    if message.is_retained:
        text = "commands must not be retained: they would be carried out again at each start"
        raise Refused("retained", text, transaction=name)
    if command.boot not in (None, boot):
        text = f"meant for boot {command.boot}, this is boot {boot}"
        raise Refused("older_boot", text, transaction=name)
    late_s = _late_s(command, message, now)
    if late_s > 0:
        raise Refused("expired", f"it came {late_s:.1f} s after its end", transaction=name)
    if name is None:
        return
    age_s = seen.age_s(_full_name(message.target, name), now_s=now.mono_s)
    if age_s is not None:
        text = f"{name!r} was begun {age_s:.0f} s ago; another command needs another transaction"
        raise Refused("duplicate", text, transaction=name)


def _full_name(target: SetTopic | RequestTopic, name: str | int) -> str:
    """A command's name together with where it was sent; the number 7 is not the text 7."""
    where = ["set", target.device] if isinstance(target, SetTopic) else ["request", target.verb]
    return dump([*where, name])


def _late_s(command: Command, message: Message, now: Instant) -> float:
    """Seconds since the command's end, negative while it is in time."""
    waited_s = message.at.age_s(now)
    ends = []
    if command.expires_at_s is not None:
        ends.append(now.wall_s - command.expires_at_s)
    if message.expires_in_s is not None:
        ends.append(waited_s - message.expires_in_s)
    return max(ends, default=waited_s - LIFETIME_S)


def _read_object(message: Message, fields: dict[str, Any], *, rank: Rank, channel: str) -> Command:
    target = message.target
    transaction = _transaction(fields, "transaction")
    if isinstance(target, SetTopic) and "id" in fields:
        transaction = _transaction(fields, "id")
    try:
        expires_at_s = _number(fields, "expires_at")
        boot, who = take_name(fields, "boot"), take_name(fields, "who")
        origin = Origin(rank, channel, who or "", take_name(fields, "area"))
    except RequestError as exc:
        raise Refused(exc.code, str(exc), transaction=transaction) from exc
    if isinstance(target, SetTopic):
        request = Request("set", {"device": target.device, "value": fields}, origin)
    else:
        request = Request(target.verb, fields, origin)
    return Command(request, transaction, expires_at_s, boot)


def _transaction(fields: dict[str, Any], key: str) -> str | int | None:
    value = fields.pop(key, None)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, str) and len(value) <= NAME_CHARACTERS and value.isprintable():
        return value
    raise Refused("bad_request", f"{key} is a number or at most {NAME_CHARACTERS} letters")


def _number(fields: dict[str, Any], key: str) -> float | None:
    value = fields.pop(key, None)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RequestError("bad_request", f"{key} is a number of seconds since 1970")
    return float(value)
