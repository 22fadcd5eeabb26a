"""What a connection to an MQTT broker is made with, apart from the protocol."""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is, and who we are to it."""

    host: str = "localhost"
    """Host name, address, or absolute path of a Unix socket."""

    port: int = 1883
    """TCP port; unused with a Unix socket."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.host if self.is_local else f"{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether it is reached through a Unix socket."""
        return self.host.startswith("/")


@dataclass(frozen=True, slots=True)
class Received:
    """One message from the broker."""

    topic: str
    payload: bytes
    is_retained: bool
    response_topic: str | None
    correlation: bytes | None
    expires_in_s: float | None


class Waker:
    """Wakes a thread that waits in a selector."""

    def __init__(self) -> None:
        self._out, self.end = socket.socketpair()
        self._out.setblocking(False)
        self.end.setblocking(False)

    def wake(self) -> None:
        """Wake it. Never blocks; may be called from any thread."""
        try:
            self._out.send(b"x")
        except OSError:
            return  # full: it is awake already; closed: nobody waits

    def drain(self) -> None:
        """Forget the wake-ups so far."""
        try:
            self.end.recv(4096)
        except BlockingIOError:
            return

    def close(self) -> None:
        """Let go of the sockets."""
        self._out.close()
        self.end.close()


@dataclass
class Pause:
    """The rest between two attempts: longer each time, up to half a minute."""

    shortest_s: float = 0.5
    longest_s: float = 30.0
    _next_s: float = 0.0

    def take_s(self, *, lasted_s: float) -> float:
        """Seconds to rest after a connection that lasted so long."""
        if lasted_s > self.longest_s or not self._next_s:
            self._next_s = self.shortest_s
        rest_s, self._next_s = self._next_s, min(2 * self._next_s, self.longest_s)
        # Boxes that lost the same broker should not all come back in the same instant.
        return rest_s * random.uniform(0.75, 1.25)
