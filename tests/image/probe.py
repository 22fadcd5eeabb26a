"""Runs inside a guest under test, from a disk of the harness: answers commands on a virtio port.

One JSON line each way: {"command": str, "limit_s": float} -> {"code": int, "output": str}.
"""

import json
import subprocess
from pathlib import Path

PORT = Path("/dev/virtio-ports/probe")


def answer(request: dict) -> dict:
    """Run one command of the test, as root."""
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", request["command"]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=request["limit_s"],
        )
    except subprocess.TimeoutExpired as exc:
        return {"code": 124, "output": (exc.stdout or b"").decode(errors="replace")}
    return {"code": done.returncode, "output": done.stdout.decode(errors="replace")}


with PORT.open("r+b", buffering=0) as port:
    while line := port.readline():
        port.write(json.dumps(answer(json.loads(line))).encode() + b"\n")
