"""Spoken commands, from a file of speech to a pin: right or refused, never wrong."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from agentd.ctl.appliance import Choice
from agentd.voice.hear import hear
from models import store
from models.errors import ModelError
from tests.system.box import Box

OUTPUTS = {"desk_lamp": 18, "ceiling_light": 17, "heater": 22, "fan": 23, "pump": 24, "buzzer": 25}
BLIND_UP, BLIND_DOWN = 5, 6

ON = 2
"""Stands for any level above 0: a dimmed lamp comes back at the level it had."""

# sentence, what is set before it, the levels after it
SENTENCES = [
    ("turn on the desk lamp",               {},                     {18: ON}),
    ("turn off the desk lamp",              {"desk_lamp": "on"},    {18: 0}),
    ("turn on the ceiling light",           {},                     {17: 1}),
    ("turn off the ceiling light",          {"ceiling_light": "on"}, {17: 0}),
    ("turn on the heater",                  {},                     {22: 1}),
    ("turn off the heater",                 {"heater": "on"},       {22: 0}),
    ("switch on the fan",                   {},                     {23: 1}),
    ("switch off the fan",                  {"fan": "on"},          {23: 0}),
    ("turn on the pump",                    {},                     {24: 1}),
    ("turn the pump off",                   {"pump": "on"},         {24: 0}),
    ("start the pump",                      {},                     {24: 1}),
    ("stop the pump",                       {"pump": "on"},         {24: 0}),
    ("set the desk lamp to forty percent",  {},                     {18: 0.4}),
    ("set the desk lamp to ninety percent", {},                     {18: 0.9}),
    ("turn on the reading light",           {},                     {18: ON}),
    ("open the blind",                      {},                     {5: 1}),
    ("close the blind",                     {},                     {6: 1}),
    ("turn on the lights in the study",     {},                     {17: 1, 18: ON}),
    ("turn off the lights in the study",    {"desk_lamp": "on", "ceiling_light": "on"},
                                                                    {17: 0, 18: 0}),
    ("turn the desk lamp on",               {},                     {18: ON}),
]  # fmt: skip


def espeak(text: str, path: Path) -> None:
    """American, as the speech model is."""
    subprocess.run(["espeak-ng", "-v", "en-us", "-w", str(path), text], check=True)


def flite(text: str, path: Path) -> None:
    subprocess.run(["flite", "-voice", "awb", "-t", text, "-o", str(path)], check=True)


VOICES = {"espeak-ng": (espeak, 14), "flite": (flite, 17)}
"""How to say it, and how many of the twenty must be right. Of espeak-ng's robot voice the model's
free vocabulary makes so little that the second opinion refuses many; refusing is not wrong."""


@pytest.fixture(scope="module")
def box():
    try:
        store.find("vosk-small-en")
    except ModelError as exc:
        pytest.skip(str(exc))
    with Box(Choice(has_voice=True, has_llm=False, has_microphone=False)) as found:
        yield found


def prepare(box: Box, before: dict[str, str]) -> None:
    box.set("blind", "stop")
    for device in OUTPUTS:
        if before.get(device, "off") == "off":
            box.set(device, "off")
    for device, value in before.items():
        box.set(device, value)


def levels(box: Box) -> dict[int, float]:
    pins = (*OUTPUTS.values(), BLIND_UP, BLIND_DOWN)
    return {row["pin"]: round(row["level"], 2) for row in box.board("levels")["lines"]
            if row["pin"] in pins}  # fmt: skip


def fits(level: float, wanted: float | None) -> bool:
    return level > 0 if wanted == ON else level == wanted


@pytest.mark.parametrize("voice", VOICES)
def test_twenty_spoken_sentences_are_right_or_refused_and_never_wrong(box, voice, tmp_path):
    if shutil.which(voice) is None:
        pytest.skip(f"{voice} is not installed")
    speak, least = VOICES[voice]
    right, wrong, heard_as = [], [], []
    for text, before, after in SENTENCES:
        prepare(box, before)
        was = levels(box)
        speak(text, tmp_path / "said.wav")
        heard = hear(tmp_path / "said.wav", box.place.run / "voice.sock")
        time.sleep(0.3)  # a cover pauses between two directions before its motor starts
        now = levels(box)
        changed = {pin: now[pin] for pin in now if now[pin] != was[pin]}
        heard_as.append(f"{text!r} heard as {heard.text!r} and {heard.free_text!r}: {heard.reply}")
        touched = {pin: now[pin] for row in heard.answer.get("applied", ())
                   if (pin := OUTPUTS.get(row["device"]))}  # fmt: skip
        if any(not fits(level, after.get(pin)) for pin, level in (changed | touched).items()):
            wrong.append(heard_as[-1])
        elif changed and all(fits(now[pin], level) for pin, level in after.items()):
            right.append(text)
    told = "\n".join(heard_as)
    score = f"{voice}: {len(right)} of {len(SENTENCES)} right, {len(wrong)} wrong\n{told}"
    assert not wrong, score
    assert len(right) >= least, score


def test_the_topic_follows_with_the_same_cause_and_why_names_the_sentence(box, tmp_path):
    prepare(box, {"pump": "on"})
    espeak("turn off the pump", tmp_path / "said.wav")
    with box.mqtt("agentd/demo/pump/state") as mqtt:
        heard = hear(tmp_path / "said.wav", box.place.run / "voice.sock")
        told = mqtt.wait("agentd/demo/pump/state", lambda state: state["state"] == "off")
    assert told["cause"] == heard.answer["cause"]
    assert f"“{heard.text}” by voice" in box.request("why", device="pump")["text"]


def test_talk_that_is_no_command_does_nothing(box, tmp_path):
    prepare(box, {})
    was = levels(box)
    for text in (
        "my coffee went cold while I was on the phone",
        "the lamp was on sale yesterday in the shop around the corner",
        "she told me that the pump at the petrol station was broken",
    ):
        espeak(text, tmp_path / "said.wav")
        hear(tmp_path / "said.wav", box.place.run / "voice.sock")
    assert levels(box) == was
