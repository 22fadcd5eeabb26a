"""Whole files of sentences through the path of `ask`, against homes given as data, acting on none.

The format is that of the public test kits: a case names its home, may set states and timers, and
holds the turns of one conversation. What a turn would do is taken as done for the next one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agentd.understand.assistant import recognisers_for
from agentd.understand.conversation import Conversation
from agentd.understand.interpreter import Interpreter
from agentd.understand.legal import clean
from agentd.understand.offer import Offerer
from agentd.understand.outcome import encode_outcome
from agentd.understand.words import load_words
from llmagentos.cause import Origin, Rank
from llmagentos.clock import Clock, Instant
from llmagentos.errors import LlmagentosError
from llmagentos.home import Area, Device, Floor, Home
from llmagentos.kind import ACTIONS, Scalar, effect
from llmagentos.plan import Action
from llmagentos.reading import State
from llmagentos.utterance import Act, Observation, Timer, Utterance
from models.choose import Chooser

_START: Final = Instant(mono_s=0.0, wall_s=1_735_732_800.0)
"""A fixed moment, so that two runs write the same."""

_BETWEEN_TURNS_S: Final = 5.0


class CasesError(LlmagentosError):
    """A file of cases or homes cannot be read; the text says which and where."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One home of the data, with the states that its file gives."""

    home: Home
    states: Mapping[str, Mapping[str, Scalar]]


def run(
    homes: Path,
    cases: Iterable[Path],
    out: Path,
    *,
    chooser: Chooser | None = None,
    clock: Clock | None = None,
) -> int:
    """Interpret every turn of every case and write one JSON line for each.

    Args:
        homes: folder of home files.
        cases: files of cases, or folders of such files.
        out: where the result lines go: id, turn, outcome, stage, margin, ms.
        chooser: the language model; None leaves it out.
        clock: times each turn; without one every time is 0.

    Returns:
        How many turns were interpreted.

    Raises:
        CasesError: a file is missing or broken, cannot be written, or a case names an unknown home.
    """
    scenes = dict(_read_homes(homes))
    ordered = sorted(_read_cases(cases), key=lambda case: str(case["home"]))
    written = 0
    try:
        with out.open("w", encoding="utf-8") as file:
            for line in _interpret_all(ordered, scenes, chooser, clock or _standing_still):
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                written += 1
    except OSError as exc:
        raise CasesError(f"{out}: cannot be written: {exc.strerror or exc}") from exc
    return written


def _standing_still() -> Instant:
    return _START


def _interpret_all(
    cases: list[Mapping[str, Any]],
    scenes: Mapping[str, Scene],
    chooser: Chooser | None,
    clock: Clock,
) -> Iterator[dict[str, Any]]:
    words = load_words("en")
    offerer = Offerer(chooser, words) if chooser else None
    interpreter = Interpreter(words, recognisers_for(words), clock=clock, offerer=offerer)
    present = ""
    for case in cases:
        scene = scenes.get(case["home"])
        if scene is None:
            raise CasesError(f"case {case.get('id')}: there is no home {case['home']!r}")
        if case["home"] != present:
            interpreter.refresh(scene.home)
            present = case["home"]
        yield from _interpret_case(case, scene, interpreter)


def _interpret_case(
    case: Mapping[str, Any], scene: Scene, interpreter: Interpreter
) -> Iterator[dict[str, Any]]:
    setup = case.get("setup") or {}
    values = {name: {**state, **setup.get("state", {}).get(name, {})}
              for name, state in scene.states.items()}  # fmt: skip
    timers = tuple(_timer(timer) for timer in setup.get("timers", ()))
    origin = Origin(Rank.PERSON, "batch", str(case["id"]), case.get("context_area"))
    talk = Conversation()
    for turn, said in enumerate(case["turns"]):
        now = Instant(_START.mono_s + turn * _BETWEEN_TURNS_S, _START.wall_s)
        states = {name: State(name, _clean_state(state), now) for name, state in values.items()}
        seen = Observation(scene.home, states, now, timers)
        heard = Utterance(clean(said["text"], longest=500), origin, now)
        found = interpreter.understand(heard, seen, talk)
        outcome = found.interpretation.outcome
        talk.note(outcome, found.targets, now, chosen_by=found.chosen_by)
        if isinstance(outcome, Act):
            _assume(outcome.actions, scene.home, values)
        yield {
            "id": case["id"],
            "turn": turn,
            "outcome": encode_outcome(outcome),
            "stage": found.interpretation.stage,
            "margin": found.interpretation.margin,
            "ms": round(found.interpretation.elapsed_ms, 3),
        }


def _assume(
    actions: Iterable[Action], home: Home, values: dict[str, dict[str, Scalar]]
) -> None:  # fmt: skip
    """Take the effect of actions as done."""
    for action in actions:
        kind = home.by_id[action.device].kind
        values[action.device] |= effect(kind, action.name, action.args)


def _clean_state(state: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """A state without the levels that a thing which is off does not have."""
    off = {"brightness", "speed"} if state.get("state") == "off" else set()
    return {name: value for name, value in state.items() if name not in off}


def _timer(data: Mapping[str, Any]) -> Timer:
    return Timer(data.get("name"), data.get("area"), data["seconds"], data["left"],
                 bool(data.get("paused")))  # fmt: skip


def _read_homes(folder: Path) -> Iterator[tuple[str, Scene]]:
    files = sorted(folder.glob("*.json"))
    if not files:
        raise CasesError(f"no home files (*.json) in {folder}")
    for path in files:
        try:
            data = json.loads(path.read_text("utf-8"))
            yield data["id"], read_home(data)
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise CasesError(f"{path}: not a home: {exc!r}") from exc


def read_home(data: Mapping[str, Any]) -> Scene:
    """One home of the data as our values; devices of unknown kinds are left out.

    Raises:
        KeyError: a name or id is missing.
    """
    rows = [row for row in data["devices"] if row["kind"] in ACTIONS]
    home = Home(
        devices=tuple(_device(row) for row in rows),
        areas=tuple(Area(a["id"], a["name"], tuple(a.get("aliases", ())), a.get("floor"))
                    for a in data["areas"]),
        floors=tuple(Floor(f["id"], f["name"], tuple(f.get("aliases", ())))
                     for f in data.get("floors", ())),
        language=data.get("language", "en"),
        temperature_unit=data.get("temperature_unit", ""),
    )  # fmt: skip
    return Scene(home, {row["id"]: row.get("state", {}) for row in rows})


def _device(row: Mapping[str, Any]) -> Device:
    state = row.get("state", {})
    return Device(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        aliases=tuple(row.get("aliases", ())),
        area=row.get("area"),
        device_class=row.get("device_class"),
        unit=row.get("unit"),
        minimum=state.get("min_temp"),
        maximum=state.get("max_temp"),
    )


def _read_cases(paths: Iterable[Path]) -> Iterator[Mapping[str, Any]]:
    for path in paths:
        files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        if not files:
            raise CasesError(f"no case files (*.jsonl) in {path}")
        for file in files:
            yield from _read_file(file)


def _read_file(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise CasesError(f"{path}: cannot be read: {exc}") from exc
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            case = json.loads(line)
            case["id"], case["home"], [turn["text"] for turn in case["turns"]]
        except (ValueError, KeyError, TypeError) as exc:
            raise CasesError(f"{path}:{number}: not a case: {exc!r}") from exc
        yield case
