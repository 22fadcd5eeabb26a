"""An active buzzer or a small siren: it sounds as long as its pin is active.

Part: an active piezo buzzer with its own oscillator (3.3 V or 5 V), or a siren behind a transistor.
Quantity: on/off. Fastest period: 10 ms.
Wiring: plus to the pin through 100 Ω, minus to GND; above 10 mA through a transistor.
Source: TDK PS1240 and Murata PKB series application manuals, section "Drive circuit".
Quirks: a passive buzzer (no oscillator) only clicks. How long it may sound is `max_on_s` of the
    gate, not of this file: a siren that never ends is everybody's problem.
"""

from __future__ import annotations

from hal.driver.relay import Options as Options
from hal.driver.relay import Relay


class Buzzer(Relay):
    """A line that makes a noise."""
