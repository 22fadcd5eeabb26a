"""Runs inside a guest under test, from a disk of the harness: answers commands on a virtio port.

One JSON line each way: {"command": str, "limit_s": float} -> {"code": int, "output": str}.
"""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

PORT = Path("/dev/virtio-ports/probe")


def answer(request: dict) -> dict:
    """Run one command of the test, as root; at its time's end all that it started is killed."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", request["command"]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=request["limit_s"])
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return {"code": 124, "output": output.decode(errors="replace")}
    return {"code": process.returncode, "output": output.decode(errors="replace")}


while True:
    with PORT.open("r+b", buffering=0) as port:
        while line := port.readline():
            port.write(json.dumps(answer(json.loads(line))).encode() + b"\n")
    time.sleep(0.2)  # nobody is at the other end
