"""One download: complete, taken up where it broke off, and bounded in time."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.download import ANSWER_S, download
from models.errors import SourceFailed
from tests.models.publisher import Publisher, serve

DATA = bytes(range(256)) * 4000


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with serve(Publisher({"/model": DATA})) as running:
        yield running


class Counted:
    """Takes reports."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def __call__(self, have: int) -> None:
        self.seen.append(have)


def fetch(publisher: Publisher, to: Path) -> list[int]:
    report = Counted()
    download(f"{publisher.url}/model", to=to, size=len(DATA), report=report)
    return report.seen


def test_whole_file_arrives_and_is_counted(publisher: Publisher, tmp_path: Path) -> None:
    seen = fetch(publisher, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == DATA
    assert seen == sorted(seen)
    assert seen[-1] == len(DATA)


def test_earlier_attempt_is_taken_up(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(DATA[:1000])
    fetch(publisher, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == DATA
    assert publisher.asked == [("/model", "bytes=1000-")]


def test_complete_earlier_attempt_asks_for_nothing(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(DATA)
    fetch(publisher, tmp_path / "part")
    assert publisher.asked == []


def test_line_that_breaks_is_taken_up_at_once(publisher: Publisher, tmp_path: Path) -> None:
    publisher.breaks_after = [5000, 70_000]
    fetch(publisher, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == DATA
    assert [wish for _, wish in publisher.asked] == [None, "bytes=5000-", "bytes=75000-"]


def test_line_that_gives_nothing_more_ends_with_what_there_is(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.breaks_after = [5000, 0]
    with pytest.raises(SourceFailed, match="broke off after 5000 of"):
        fetch(publisher, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == DATA[:5000]


def test_server_that_cannot_resume_starts_clean(publisher: Publisher, tmp_path: Path) -> None:
    publisher.can_resume = False
    (tmp_path / "part").write_bytes(b"x" * 1000)
    fetch(publisher, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == DATA


def test_leftover_that_is_too_long_starts_clean(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(DATA + b"x")
    fetch(publisher, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == DATA


def test_redirect_is_followed(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files = {"/elsewhere": DATA}
    publisher.redirects = {"/model": f"{publisher.url}/elsewhere"}
    fetch(publisher, tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == DATA


def test_file_of_another_length_is_refused_before_it_is_read(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.files["/model"] = DATA + b"more"
    with pytest.raises(SourceFailed, match=f"has {len(DATA) + 4} bytes instead of {len(DATA)}"):
        fetch(publisher, tmp_path / "part")
    assert not (tmp_path / "part").exists()


def test_missing_file_is_named_as_such(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files.clear()
    with pytest.raises(SourceFailed, match="answers 404"):
        fetch(publisher, tmp_path / "part")


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:9/x", "http://no-such-host.invalid/x", "http://[/x"],
    ids=["nobody listens", "no such name", "not a url"],
)
def test_unreachable_publisher_fails_at_once(url: str, tmp_path: Path) -> None:
    with pytest.raises(SourceFailed, match="cannot be reached"):
        download(url, to=tmp_path / "part", size=1, report=Counted())


def test_silent_publisher_costs_the_answer_time_alone(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts, and never says a word
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        began_at = time.monotonic()
        with pytest.raises(SourceFailed, match="does not answer within"):
            download(url, to=tmp_path / "part", size=1, report=Counted(), answer_s=0.2)
        assert time.monotonic() - began_at < 1.0


def test_set_up_loses_at_most_five_seconds_for_a_publisher() -> None:
    assert ANSWER_S <= 5.0
