"""`[device.options]` as a driver's own frozen dataclass: read, checked, shown to people.

A driver declares its options as fields; a default makes one optional, `Range` and `OneOf` bound it:

    travel_s: Annotated[float, Range(1, 600, "s")]
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from types import NoneType, UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from hal.contract import DriverError

OptionsT = TypeVar("OptionsT")

_NAMES: Final[Mapping[type, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
}

_FITS: Final[Mapping[type, tuple[type, ...]]] = {
    bool: (bool,),
    int: (int,),
    float: (int, float),
    str: (str,),
}


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number, both allowed themselves."""

    minimum: float
    maximum: float
    unit: str = ""
    """Unit of the number; empty for none."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """The words that a text may be."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a driver, as people see it."""

    name: str
    kind: type
    """bool, int, float or str"""

    default: Any
    """What holds when it is not written; None when there is none."""

    is_required: bool
    bound: Range | OneOf | None

    @property
    def expects(self) -> str:
        """What may stand there, in words."""
        match self.bound:
            case Range(minimum, maximum, unit):
                return f"{_NAMES[self.kind]} from {minimum:g} to {maximum:g} {unit}".rstrip()
            case OneOf(words):
                return f"one of {', '.join(words)}"
            case _:
                return _NAMES[self.kind]

    def accepts(self, value: Any) -> bool:
        """Whether the value has the right type and lies within the bounds."""
        is_bool = isinstance(value, bool)
        if is_bool is not (self.kind is bool) or type(value) not in _FITS[self.kind]:
            return False
        if isinstance(self.bound, Range):
            return self.bound.minimum <= float(value) <= self.bound.maximum
        return self.bound is None or value in self.bound.words


def describe(options: type) -> tuple[Option, ...]:
    """The options that a driver's dataclass declares, in its order."""
    hints = get_type_hints(options, include_extras=True)
    return tuple(_option(field, hints[field.name]) for field in fields(options))


def read(options: type[OptionsT], raw: Mapping[str, Any], *, owner: str) -> OptionsT:
    """Check what the configuration says and make the driver's options of it.

    Args:
        options: the driver's dataclass.
        raw: `[device.options]` as decoded TOML.
        owner: id of the device or link, for the message.

    Raises:
        DriverError: an unknown, missing or unfit option; the text names it and what is allowed.
    """
    known = {option.name: option for option in describe(options)}
    for name, value in raw.items():
        if name not in known:
            allowed = ", ".join(known) or "none"
            hint = nearest(name, known)
            raise DriverError(f"{owner}: unknown option {name!r}{hint}; allowed are {allowed}")
        if not known[name].accepts(value):
            raise DriverError(f"{owner}: option {name!r} is {value!r}, not {known[name].expects}")
    for name, option in known.items():
        if option.is_required and name not in raw:
            raise DriverError(f"{owner}: option {name!r} is missing, {option.expects}")
    return options(**{name: known[name].kind(value) for name, value in raw.items()})


def nearest(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)`, or nothing when no known word comes near."""
    close = difflib.get_close_matches(word, list(known), n=2)
    return f" (did you mean {' or '.join(map(repr, close))}?)" if close else ""


def _option(field: Any, hint: Any) -> Option:
    kind, bound = _strip(hint)
    is_required = field.default is MISSING
    return Option(
        name=field.name,
        kind=kind,
        default=None if is_required else field.default,
        is_required=is_required,
        bound=bound,
    )


def _strip(hint: Any) -> tuple[type, Range | OneOf | None]:
    """The plain type and the bound in `Annotated[float, Range(...)] | None` and simpler ones."""
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (each for each in get_args(hint) if each is not NoneType)
    if get_origin(hint) is not Annotated:
        return hint, None
    kind, bound = get_args(hint)
    return kind, bound
