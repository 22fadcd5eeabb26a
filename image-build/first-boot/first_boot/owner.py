"""The owner's files on the card: each is read, checked, remembered, and cleared of its secrets.

A file that cannot be used is told, and the box keeps to the last good word of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from first_boot import cloud_init, secret, settings, wifi_toml
from first_boot.card import LIMIT_BYTES, Card
from first_boot.cloud_init import Wish
from first_boot.errors import OwnerMistake
from first_boot.findings import Findings
from first_boot.memory import Memory, with_psks
from first_boot.radio import Radio
from first_boot.settings import Settings
from first_boot.written import Written

_Word = TypeVar("_Word")

LAST_GOOD: Final = "What was in force before stays in force."


@dataclass
class Owner:
    """Reads the card once."""

    card: Card
    findings: Findings

    memory: Memory
    """What the box remembered; afterwards, what it is to remember."""

    settings: Settings | None = None
    """The card's agentd.toml; None when there is none, or no usable one."""

    rewrites: list[Written] = field(default_factory=list)
    """Files of the card as they are to be, without the secrets that the box remembers now."""

    secrets: set[str] = field(default_factory=set)
    """Whatever may be a secret in any of the files, the unreadable ones included."""

    def read(self) -> None:
        """Read all files; nothing is written."""
        self.secrets |= self.memory.secrets
        self._settings()
        self._hint_at_endings()
        wifi = self._radio(
            wifi_toml.NAME, wifi_toml.parse, self.memory.wifi, LIMIT_BYTES, _lift_toml
        )
        cloud = self._radio(
            cloud_init.NETWORK, cloud_init.parse_network, self.memory.cloud_wifi,
            cloud_init.LIMIT_BYTES, _lift_yaml,
        )  # fmt: skip
        user = self._wish(cloud_init.USER_DATA, cloud_init.parse_user_data, self.memory.user)
        meta = self._wish(cloud_init.META_DATA, cloud_init.parse_meta_data, self.memory.meta)
        self.memory = replace(self.memory, wifi=wifi, cloud_wifi=cloud, user=user, meta=meta)
        self.secrets |= self.memory.secrets

    # one file each ----------------------------------------------------------------------------

    def _settings(self) -> None:
        written = self._open(settings.NAME, LIMIT_BYTES)
        if written is None:
            return
        try:
            found = settings.settle(written.text, known=self.memory.mqtt_password)
        except OwnerMistake as exc:
            self._refuse(written, str(exc))
            return
        self.settings = found
        self.memory = replace(self.memory, mqtt_password=found.password)
        if found.is_lost:
            text = 'was moved into a box, but this one has none. Write password = "..." in [mqtt]'
            self.findings.problems.append(f"{settings.NAME}: the password {text} again.")
        self.findings.problems += [f"{each}. The rest of it is in force." for each in
                                   found.config.errors]  # fmt: skip
        self._clear(written, found.text, is_clean=found.is_clean)

    def _radio(
        self,
        name: str,
        parse: Callable[[str], Radio],
        last: Radio,
        limit_bytes: int,
        lift: Callable[[str, Radio], str],
    ) -> Radio:
        written = self._open(name, limit_bytes)
        if written is None:
            return last if self.card.has(name) else Radio()
        found = self._parse(written, parse)
        if found is None:
            return last
        left = lift(written.text, found)
        again = self._try(parse, left)
        is_clean = again is not None and not again.secrets and _names(again) == _names(found)
        self._clear(written, left if is_clean else written.text, is_clean=is_clean)
        if secret.has_mark(written.text):
            found = with_psks(found, last)
        self._note_open(name, found)
        return found

    def _wish(self, name: str, parse: Callable[[str], Wish], last: Wish) -> Wish:
        written = self._open(name, cloud_init.LIMIT_BYTES)
        if written is None:
            return last if self.card.has(name) else Wish()
        found = self._parse(written, parse)
        if found is None:
            return last
        hidden = cloud_init.secrets(written.text)
        self.secrets |= hidden
        left = secret.lift_yaml(written.text, secrets=hidden, why=secret.DROPPED)
        is_clean = not cloud_init.secrets(left) and self._try(parse, left) == found
        self._clear(written, left if is_clean else written.text, is_clean=is_clean)
        self._note_ignored(name, found)
        return found

    # their common steps -----------------------------------------------------------------------

    def _open(self, name: str, limit_bytes: int) -> Written | None:
        try:
            written = self.card.read(name, limit_bytes=limit_bytes)
        except OwnerMistake as exc:
            self.findings.problems.append(f"{exc}. {LAST_GOOD}")
            return None
        if written is not None and written.is_guessed:
            text = "is not UTF-8; it was read as Windows-1252. Save it as UTF-8, to be sure"
            self.findings.notes.append(f"{name}: {text}.")
        return written

    def _parse(self, written: Written, parse: Callable[[str], _Word]) -> _Word | None:
        try:
            return parse(written.text)
        except OwnerMistake as exc:
            self._refuse(written, str(exc))
            return None

    def _try(self, parse: Callable[[str], _Word], text: str) -> _Word | None:
        try:
            return parse(text)
        except OwnerMistake:
            return None

    def _refuse(self, written: Written, problem: str) -> None:
        self.findings.problems.append(f"{problem}. {LAST_GOOD}")
        found = secret.rough(written.text)
        self.secrets |= found
        if found:
            text = "a password in it stays on the card until the file can be used"
            self.findings.notes.append(f"{written.name}: {text}.")

    def _clear(self, written: Written, left: str, *, is_clean: bool) -> None:
        if left != written.text:
            self.rewrites.append(written.with_text(left))
        if not is_clean:
            text = "a password in it could not be taken off the card. Write it on its own line"
            self.findings.notes.append(f'{written.name}: {text}: password = "...".')

    # what the owner should know ---------------------------------------------------------------

    def _hint_at_endings(self) -> None:
        for name in (settings.NAME, wifi_toml.NAME):
            if self.card.has(f"{name}.txt"):
                text = f"rename it to {name} (Windows hides the ending .txt)"
                self.findings.problems.append(f"{name}.txt: is not read; {text}.")

    def _note_open(self, name: str, radio: Radio) -> None:
        for network in radio.networks:
            if network.psk is None:
                text = "has no password; it is joined as an open network"
                self.findings.notes.append(f"{name}: {network.ssid!r} {text}.")
        if radio.networks and not radio.country:
            text = 'no country; add country = "DE" (yours), or some channels stay unused'
            self.findings.notes.append(f"{name}: {text}.")

    def _note_ignored(self, name: str, wish: Wish) -> None:
        if wish.time_zone:
            text = f'write time_zone = "{wish.time_zone}" in [home] of agentd.toml instead'
            self.findings.notes.append(f"{name}: timezone is ignored; {text}.")
        if others := [each for each in wish.ignored if each != "timezone"]:
            text = f"this box does not use {', '.join(others)}"
            self.findings.notes.append(f"{name}: {text}.")
        if wish.wants_ssh and not wish.keys:
            text = "SSH stays off: it opens with a public key (ssh_authorized_keys) only"
            self.findings.notes.append(f"{name}: {text}.")


def _names(radio: Radio) -> list[str]:
    return [each.ssid for each in radio.networks]


def _lift_toml(text: str, radio: Radio) -> str:
    return secret.lift_toml(text, secrets=radio.secrets)


def _lift_yaml(text: str, radio: Radio) -> str:
    return secret.lift_yaml(text, secrets=radio.secrets | cloud_init.secrets(text))
