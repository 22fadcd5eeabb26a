"""Programs that stand in for agentd and its sisters: they serve a socket and note their end."""

from __future__ import annotations

import sys
from pathlib import Path

_PROGRAM = """\
#!{python} -P
import json, os, signal, socket, sys, time
name = os.path.basename(__file__)
run = sys.argv[sys.argv.index("--run") + 1]
with open(run + "/../began", "a") as log:
    log.write(name + "\\n")
def end(number, frame):
    with open(run + "/../ended", "a") as log:
        log.write(name + "\\n")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
path = run + "/" + {socket!r}
if os.path.exists(path):
    os.unlink(path)
door = socket.socket(socket.AF_UNIX)
door.bind(path)
door.listen()
while True:
    client, _ = door.accept()
    for line in client.makefile("rb"):
        number = json.loads(line)["id"]
        data = dict(status={status!r}, node="demo", version="0", parts={parts!r}, devices=dict())
        answer = dict(v=1, id=number, status="ok", data=data)
        client.sendall(json.dumps(answer).encode() + b"\\n")
"""

SOCKETS = {"agentd-board": "board.sock", "agentd": "agentd.sock", "agentd-llm": "llm.sock",
           "agentd-voice": "voice.sock"}  # fmt: skip


def write_programs(
    folder: Path, *, status: str = "ready", parts: dict[str, dict[str, str]] | None = None
) -> Path:
    """A folder of all four programs; agentd's `health` gives this status."""
    folder.mkdir()
    for name, socket in SOCKETS.items():
        text = _PROGRAM.format(
            python=sys.executable, socket=socket, status=status, parts=parts or {}
        )
        write_program(folder / name, text)
    return folder


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
