"""A sentence on the air sets a line: sound card, ears, both opinions, gate, pin. The sound card is
the kernel's snd-aloop, on whose other end the sentence is played.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.image.guest import HEADER, Guest, built_image
from tests.image.test_image_home import HOME, PUMP
from tests.models.spoken import flite, quiet

PACE = 0.05
"""An emulated board needs seven seconds for one of speech."""

START_S = 600.0
TRIES = 3
"""How often it is said: the machine under the emulator may be busy."""

EARS = '[voice]\nlisten = "open"\nmicrophone = "Loopback"\n'
"""The card itself: ALSA's mixing `default` stands still when it is late."""

SAY = "aplay -q -D plughw:Loopback,1,0 -t raw -f S16_LE -r 16000 /boot/config/said.pcm"
HEARD = "for i in $(seq 12); do [ $(cat {value}) = 1 ] && exit; sleep 0.5; done; exit 1"
VALUE = f"/sys/devices/platform/gpio-sim.0/gpiochip*/sim_gpio{PUMP}/value"


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """A box that listens to whoever speaks."""
    folder = tmp_path_factory.mktemp("speech")
    guest = Guest(folder, image=built_image(), before=HEADER, pace=PACE)
    guest.write("agentd.toml", HOME + EARS)
    guest.write("said.pcm", flite("turn on the pump") + quiet(1.0))
    with guest:
        yield guest


@pytest.mark.timeout(1800)
def test_spoken_command_sets_a_line(guest: Guest, tell: Callable[[str], None]) -> None:
    listens = "agentctl health --json | grep -q '\"listening\"'"
    guest.wait_for(f"systemctl is-active --quiet agentd-voice && {listens}", limit_s=START_S)
    assert guest.level(PUMP) == 0
    heard = HEARD.format(value=VALUE)
    tries = (guest.run(f"{SAY} && {heard}", limit_s=60).code == 0 for _ in range(TRIES))
    acted = any(tries)
    tell(guest.run("journalctl -b -u agentd-voice -o cat -n 4 --no-pager").output)
    assert acted
    assert guest.level(PUMP) == 1
