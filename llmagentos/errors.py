"""The root of every exception this project raises on purpose.

LlmagentosError
 ├─ WireError      (wire)     bytes that are not a message
 ├─ DoorError      (client)   the door is shut, slow or said no
 ├─ HalError       (hal)      a device or its wiring
 ├─ ModelError     (models)   a model file or its use
 └─ ConfigError    (agentd)   a mistake in agentd.toml
"""

from __future__ import annotations


class LlmagentosError(Exception):
    """Base of all; its text is one line that a person can act on."""
