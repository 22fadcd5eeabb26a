"""The tables of agentd.toml as types: what may stand where, and what it means."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Id = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,64}$")]
Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]*$")]
Seconds = Annotated[float, Meta(gt=0)]
Kind = Literal[
    "light", "switch", "fan", "cover", "lock", "valve", "climate", "siren",
    "sensor", "binary_sensor", "button", "number",
]  # fmt: skip


class HomeTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[home]`: what holds for the whole household."""

    language: Annotated[str, Meta(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    """BCP 47 language of sentences and replies."""
    units: Literal["metric", "us"] = "metric"
    """Decides what a number of degrees means."""
    time_zone: str = ""
    """IANA name such as Europe/Berlin; empty means the system's."""


class NodeTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[node]`: this box."""

    name: Id | None = None
    """Id in topics; None means the host name and 4 hex digits."""
    area: Id | None = None
    """Area the box stands in."""


class MqttTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[mqtt]`: which broker."""

    broker: str = "own"
    """`own` for the box's broker (its Unix socket), `off`, or the household broker's host."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 1883
    user: str | None = None
    password: str | None = None
    share: bool = False
    """Opens the own broker to the network, with a generated user and password."""


class BoardTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[board]`: where the pins are."""

    pins: Literal["gpiod", "board", "mock"] = "gpiod"
    """gpiod for real pins, board for the simulated board, mock for pins in memory."""
    chip: str | None = None
    """GPIO chip such as /dev/gpiochip0; None finds the header's own."""


class VoiceTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[voice]`: ears and mouth."""

    enabled: bool = True
    """Whether agentd-voice is expected to run."""
    microphone: str | None = None
    """Part of the sound device's name; None takes the default one."""
    speaker: str | None = None
    """Part of the sound device's name; None takes the default one."""
    listen: Literal["push", "open"] = "push"
    """push listens when told to (`agentctl listen`, a button); open listens always."""


class JournalTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[journal]`: what is written down."""

    keep_utterances: bool = False
    """Whether sentences are written to disk; otherwise they stay in memory for a day."""


class LlmTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[llm]`: the language model."""

    enabled: bool = True
    """False leaves understanding to the rules."""


class FloorTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[floor]]`"""

    id: Id
    name: Name = ""
    aliases: tuple[Name, ...] = ()


class AreaTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[area]]`"""

    id: Id
    name: Name = ""
    aliases: tuple[Name, ...] = ()
    floor: Id | None = None


class Requirement(Struct, frozen=True, forbid_unknown_fields=True):
    """One row of `requires`: a reading that must be fresh, and within a range, to switch on."""

    device: Id
    """The sensor."""
    quantity: str | None = None
    """Which of its quantities; None means its main one."""
    min: float | None = None
    """Lowest value in the sensor's unit; None for no bound."""
    max: float | None = None
    """Highest value in the sensor's unit; None for no bound."""


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """`[device.limits]`: the gate's rows for one device."""

    safe_state: str | float | None = None
    """off, on, keep or a value: what it is driven to by stop, at start and after a death.
    None means the kind's own: keep for lights, off for fans."""
    max_on_s: Seconds | None = None
    """Longest time it may be on at a stretch, in seconds; then the gate switches it off. A pause
    of less than 2 s does not end a stretch."""
    min_on_s: Seconds | None = None
    """Shortest time it stays on, in seconds (a compressor that stops early is hard to start).
    Binds persons too; stop, a fault and the other limits still switch it off."""
    min_off_s: Seconds | None = None
    """Shortest pause between off and on, in seconds (a compressor's pressure must fall)."""
    duty_per_day_s: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    """Most seconds that it may be on within any 24 hours."""
    rate_per_min: Annotated[int, Meta(ge=1)] | None = None
    """Most switchings to on within 60 s."""
    quiet_hours: str | None = None
    """Local time of day in which it may not be on, such as 22:00-07:00."""
    interlock: Id | None = None
    """Name of a group of which only one member may be on."""
    interlock_wait_s: Annotated[float, Meta(ge=0)] = 0.0
    """How long the others of the group must have been off before it may go on, in seconds."""
    slope_per_s: Annotated[float, Meta(gt=0)] | None = None
    """Fastest change of its number, in its unit per second; the gate walks the rest of the way."""
    requires: tuple[Requirement, ...] = ()
    """Readings without which it may not be on."""
    confirm: bool | Literal["second_channel"] = False
    """Whether switching it on needs a yes; `second_channel`: on another channel than asked."""
    lease_s: Seconds | None = None
    """How long a command holds unless it is said again, in seconds; then the gate drives it to its
    safe state. None: agents and learners hold for 10 s, all others for good."""
    manual_hold_s: Annotated[float, Meta(ge=0)] = 1800.0
    """How long a person's command keeps rules, agents and learners off it, in seconds."""


class DeviceTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[device]]`"""

    id: Id
    kind: Kind
    driver: str
    name: Name = ""
    aliases: tuple[Name, ...] = ()
    area: Id | None = None
    device_class: str | None = None
    unit: str | None = None
    pin: Annotated[int, Meta(ge=0)] | None = None
    link: Id | None = None
    min: float | None = None
    max: float | None = None
    modes: tuple[str, ...] = ()
    options: dict[str, Any] = {}
    limits: Limits = Limits()


class ActionTable(Struct, frozen=True, forbid_unknown_fields=True):
    """One row of a scene's `actions` or of a rule's `do`."""

    device: Id
    action: str
    args: dict[str, str | int | float | bool] = {}


class SceneTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[scene]]`"""

    id: Id
    actions: Annotated[tuple[ActionTable, ...], Meta(min_length=1)]
    name: Name = ""
    aliases: tuple[Name, ...] = ()
