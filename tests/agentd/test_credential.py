"""What a unit gets as a credential, and what it takes for none."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentd.credential import read_credential


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"s3cret\n", "s3cret"),
        (b"",         None),
        (b" \n",      None),
        (b"\xff\xfe", None),
        (None,        None),
    ],
    ids=["text", "empty", "blank", "not text", "no such file"],
)  # fmt: skip
def test_a_credential_is_its_file_s_text(
    tmp_path: Path, content: bytes | None, found: str | None
) -> None:
    if content is not None:
        (tmp_path / "mqtt-password").write_bytes(content)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert read_credential("mqtt-password", environ=environ) == found


def test_without_systemd_there_is_none() -> None:
    assert read_credential("mqtt-password", environ={}) is None
