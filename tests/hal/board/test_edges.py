"""The edge log's file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hal.board.edges import EdgeLog, encode_edge, read_edges
from hal.board.line import Edge
from llmagentos.clock import Instant


def edge(number: int, level: float = 1.0) -> Edge:
    return Edge(Instant(float(number), 1_800_000_000.0 + number), 17, level, 11, "write")


@pytest.mark.parametrize(
    ("level", "written"), [(0.0, "0"), (1.0, "1"), (0.123456, "0.1235")], ids=["low", "high", "pwm"]
)
def test_row_has_the_agreed_keys(level: float, written: str) -> None:
    assert encode_edge(edge(1, level)).decode() == (
        '{"t_mono": 1.0, "t_wall": 1800000001.0, "pin": 17, '
        f'"level": {written}, "owner": 11, "why": "write"}}\n'
    )


def test_rows_are_on_disk_when_append_returns(tmp_path: Path) -> None:
    log = EdgeLog(tmp_path / "edges.jsonl")
    log.append(edge(1))
    assert json.loads((tmp_path / "edges.jsonl").read_text())["pin"] == 17
    log.close()


def test_full_log_is_rotated_and_read_in_order(tmp_path: Path) -> None:
    path = tmp_path / "edges.jsonl"
    row = len(encode_edge(edge(1)))
    log = EdgeLog(path, max_bytes=3 * row)
    for number in range(1, 6):
        log.append(edge(number))
    log.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["edges.jsonl", "edges.jsonl.1"]
    assert [int(one.at.mono_s) for one in read_edges(path)] == [1, 2, 3, 4, 5]
    assert path.stat().st_size == 2 * row


def test_rows_of_an_earlier_run_stay(tmp_path: Path) -> None:
    for number in (1, 2):
        log = EdgeLog(tmp_path / "edges.jsonl")
        log.append(edge(number))
        log.close()
    assert [one.at.mono_s for one in read_edges(tmp_path / "edges.jsonl")] == [1.0, 2.0]


@pytest.mark.parametrize(
    "torn",
    [b"", b"\n", b'{"t_mono": 1.0, "t_wa', b"[]\n", b'{"t_mono": null}\n', b"\xff\xfe\n", b"7\n"],
    ids=["empty", "blank", "cut", "a list", "no time", "not utf-8", "a number"],
)
def test_torn_lines_are_passed_over(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "edges.jsonl"
    path.write_bytes(encode_edge(edge(1)) + torn)
    assert list(read_edges(path)) == [edge(1)]


def test_log_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert list(read_edges(tmp_path / "edges.jsonl")) == []
