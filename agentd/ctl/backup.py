"""`agentctl backup` and `restore`: the configuration, with its scenes, and all added rules.

A backup is one JSON file with a version and hashes. It holds no secrets: the broker's password is
replaced by stars. Restoring takes it from the configuration that is there, or leaves it out.
"""

from __future__ import annotations

import hashlib
import json as _json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from agentd.ctl.command import Json, Run, connect, emit, say, warn
from agentd.ctl.configuration import mistakes
from agentd.ctl.failure import Code, Failure
from llmagentos.client import Door, DoorError

FORMAT: Final = "agentd-backup"
VERSION: Final = 1

_MASKED: Final = re.compile(r"""(?m)\bpassword["']?\s*=\s*"\*{8}\"""")
_PASSWORD: Final = re.compile(r"""\bpassword["']?\s*=\s*("(?:\\.|[^"\\\n])*"|'[^'\n]*')""")


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds."""

    toml: str
    """agentd.toml, its scenes and rules too, secrets masked."""
    rules: tuple[Mapping[str, Any], ...]
    """The rules that were added at run time, as they were written."""
    off: tuple[str, ...]
    """Ids of the rules that are switched off, wherever they stand."""


_NOTHING: Final = Backup("", (), ())


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where it goes.")],
    json: Json = False,
    run: Run = None,
) -> None:
    """Write configuration, scenes and rules into one file, without passwords."""
    with connect(run) as door:
        held = take(door)
    write(file, encode(held))
    data = {"file": str(file), "rules": len(held.rules), "masked": bool(_MASKED.search(held.toml))}
    emit(data, as_json=json, show=_show_backup)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Made by `agentctl backup`.")],
    json: Json = False,
    run: Run = None,
) -> None:
    """Put configuration, scenes and rules back. All of it is checked before anything changes; what
    was there is kept beside the configuration."""
    wanted = decode(file.read_text(encoding="utf-8"), name=str(file))
    with connect(run) as door:
        path = Path(door.request("config")["path"])
        there = take(door)
        toml, is_missing = with_password(wanted.toml, path.read_text(encoding="utf-8"))
        check(toml, wanted.rules, name=str(file))
        kept = path.with_name(path.name + ".before-restore")
        shutil.copy2(path, kept)
        write(path.with_name(f"{path.stem}.before-restore.json"), encode(there))
        _apply(door, path, toml, wanted, there, kept)
    data = {
        "file": str(file), "config": str(path), "kept": str(kept), "rules": len(wanted.rules),
        "password_missing": is_missing,
    }  # fmt: skip
    emit(data, as_json=json, show=_show_restore)


def take(door: Door) -> Backup:
    """What the running box has."""
    toml = door.request("config")["toml"]
    listed = door.request("rules")["rules"]
    stored = tuple(each["rule"] for each in listed if each["from"] == "stored")
    off = tuple(
        each["id"] for each in listed if not each["enabled"] and each["rule"].get("enabled", True)
    )
    return Backup(toml, stored, off)


def encode(held: Backup) -> str:
    """The file's text."""
    parts = {"toml": held.toml, "rules": list(held.rules), "off": list(held.off)}
    body = {
        "format": FORMAT, "version": VERSION, "parts": parts,
        "sha256": {name: _hash(part) for name, part in parts.items()},
    }  # fmt: skip
    return _json.dumps(body, ensure_ascii=False, indent=1) + "\n"


def decode(text: str, *, name: str) -> Backup:
    """Read a backup, and see that nothing in it was changed or lost.

    Raises:
        Failure: it is no backup, of another version, or damaged.
    """
    try:
        body = _json.loads(text)
        form, version, parts, hashes = (
            body[key] for key in ("format", "version", "parts", "sha256")
        )
        toml, rules, off = (parts[key] for key in ("toml", "rules", "off"))
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise Failure(f"{name} is no backup of agentctl, or it is cut off") from exc
    if form != FORMAT or version != VERSION:
        raise Failure(f"{name}: {form!r} version {version!r}; I read {FORMAT!r} version {VERSION}")
    for part, content in parts.items():
        if not isinstance(hashes, dict) or hashes.get(part) != _hash(content):
            raise Failure(f"{name} is damaged: the hash of {part} is wrong")
    return Backup(toml, tuple(rules), tuple(off))


def with_password(toml: str, present: str) -> tuple[str, bool]:
    """The configuration with its masked password taken from the present one.

    Returns:
        The text, and whether the password had to be left out.
    """
    if not _MASKED.search(toml):
        return toml, False
    found = _PASSWORD.search(present)
    if found:
        return _MASKED.sub(lambda _: f"password = {found[1]}", toml), False
    lines = ("# " + line if _MASKED.search(line) else line for line in toml.splitlines())
    return "\n".join(lines) + "\n", True


def check(toml: str, rules: tuple[Mapping[str, Any], ...], *, name: str) -> None:
    """See that the daemon would take the configuration, with the added rules in it.

    Raises:
        Failure: there is a mistake in it.
    """
    whole = toml + "".join(f"\n[[rule]]\n{_lines(rule)}" for rule in rules)
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "agentd.toml"
        write(trial, whole)
        found = mistakes(trial)
    if found:
        where = found[0].replace(str(trial), name)
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise Failure(f"nothing was changed: {where}{more}", code=Code.CONFIG)


def write(path: Path, text: str) -> None:
    """Write a file as a whole: a power cut leaves the old one or the new one. Its owner and mode
    stay; a new one is for its owner alone."""
    new = path.with_name(path.name + ".new")
    with new.open("w", encoding="utf-8") as out:
        os.fchmod(out.fileno(), 0o600)
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
        if path.exists():
            there = path.stat()
            os.fchmod(out.fileno(), there.st_mode & 0o7777)
            os.fchown(out.fileno(), there.st_uid, there.st_gid)
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _apply(door: Door, path: Path, toml: str, wanted: Backup, there: Backup, kept: Path) -> None:
    old = kept.read_text(encoding="utf-8")
    try:
        _set_rules(door, _NOTHING, there)
        _set_toml(door, path, toml)
        _set_rules(door, wanted, _NOTHING)
    except (DoorError, Failure, OSError) as exc:
        _set_rules(door, _NOTHING, take(door))
        if path.read_text(encoding="utf-8") != old:
            _set_toml(door, path, old)
        _set_rules(door, there, _NOTHING)
        raise Failure(f"all is as it was: {exc}") from exc


def _set_toml(door: Door, path: Path, text: str) -> None:
    write(path, text)
    errors = door.request("reload")["errors"]
    if errors:
        raise Failure(errors[0], code=Code.CONFIG)


def _set_rules(door: Door, wanted: Backup, there: Backup) -> None:
    for name in there.off:
        door.request("rules", enable=name)
    for rule in there.rules:
        door.request("rules", remove=rule["id"])
    for rule in wanted.rules:
        door.request("rules", add=dict(rule))
    for name in wanted.off:
        door.request("rules", disable=name)


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())


def _toml(value: Any) -> str:
    """A value of JSON as TOML writes it, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return _json.dumps(value)


def _hash(part: Any) -> str:
    text = _json.dumps(part, ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _show_backup(data: Mapping[str, Any]) -> None:
    say(f"Written to {data['file']}: the configuration, its scenes, {data['rules']} added rules.")
    if data["masked"]:
        say("The broker's password is not in it.")


def _show_restore(data: Mapping[str, Any]) -> None:
    say(f"Restored from {data['file']}; what was there is {data['kept']}.")
    if data["password_missing"]:
        warn("The broker's password is not in a backup: write it into the configuration again.")
