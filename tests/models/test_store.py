"""The store: finds what is right, refuses what is not, and does not read the same file twice."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from models import store
from models.catalog import UrlSource
from models.errors import ModelCorrupt, ModelMissing, ModelUnknown
from tests.models.tiny import FILES, catalog_of, lay, row_of, sha256, with_substitute

ROW = row_of(FILES)
CATALOG = catalog_of(ROW)


def find(tmp_path: Path) -> Path:
    return store.find("tiny", catalog=CATALOG, folders=(tmp_path,))


def test_verified_model_is_found(tmp_path: Path) -> None:
    assert find_after_laying(tmp_path) == tmp_path / "tiny"


def find_after_laying(tmp_path: Path) -> Path:
    lay(tmp_path / "tiny")
    return find(tmp_path)


def test_missing_model_is_answered_with_the_command_to_type(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="agentctl models pull tiny"):
        find(tmp_path)


def test_unknown_model_is_not_searched(tmp_path: Path) -> None:
    with pytest.raises(ModelUnknown):
        store.find("huge", catalog=CATALOG, folders=(tmp_path,))


def flip_a_byte(folder: Path) -> None:
    with (folder / "final.mdl").open("r+b") as file:
        file.write(b"W")


def cut_short(folder: Path) -> None:
    os.truncate(folder / "final.mdl", 10)


def empty(folder: Path) -> None:
    os.truncate(folder / "conf/mfcc.conf", 0)


def remove(folder: Path) -> None:
    (folder / "conf/mfcc.conf").unlink()


def add(folder: Path) -> None:
    (folder / "am").mkdir()
    (folder / "am/final.mdl").write_bytes(b"another model, which the library would prefer")


DAMAGE = {
    "flipped byte": (flip_a_byte, r"final\.mdl is damaged"),
    "truncated":    (cut_short,   r"final\.mdl has 10 bytes instead of 7000"),
    "emptied":      (empty,       r"mfcc\.conf has 0 bytes"),
    "removed":      (remove,      r"mfcc\.conf is missing"),
    "added":        (add,         r"am/final\.mdl is not part of it"),
}  # fmt: skip


@pytest.mark.parametrize("is_known", [False, True], ids=["never seen", "verified before"])
@pytest.mark.parametrize(("harm", "said"), DAMAGE.values(), ids=DAMAGE.keys())
def test_damaged_model_is_refused(
    harm: Callable[[Path], None], said: str, is_known: bool, tmp_path: Path
) -> None:
    lay(tmp_path / "tiny")
    if is_known:
        find(tmp_path)
    harm(tmp_path / "tiny")
    with pytest.raises(ModelCorrupt, match=said) as caught:
        find(tmp_path)
    assert "agentctl models pull tiny" in str(caught.value)


def test_verified_file_is_not_read_again(tmp_path: Path) -> None:
    find_after_laying(tmp_path)
    same_size_and_time(tmp_path / "tiny/final.mdl")
    find(tmp_path)  # had it been read, the other bytes would have been noticed


def same_size_and_time(path: Path) -> None:
    stat = path.stat()
    flip_a_byte(path.parent)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_file_put_in_the_place_of_a_verified_one_is_read(tmp_path: Path) -> None:
    find_after_laying(tmp_path)
    path = tmp_path / "tiny/final.mdl"
    stat = path.stat()
    other = lay(tmp_path / "other") / "final.mdl"
    flip_a_byte(other.parent)
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(path)
    with pytest.raises(ModelCorrupt, match="is damaged"):
        find(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": 3}', '{"files": {"final.mdl": {}}}'])
def test_damaged_manifest_means_to_verify_again(text: str, tmp_path: Path) -> None:
    find_after_laying(tmp_path)
    (tmp_path / "tiny" / store.MANIFEST).write_text(text)
    assert find(tmp_path) == tmp_path / "tiny"


def test_manifest_cannot_vouch_for_other_bytes_than_the_catalog_wants(tmp_path: Path) -> None:
    lay(tmp_path / "tiny")
    flip_a_byte(tmp_path / "tiny")
    store.seal(tmp_path / "tiny")
    with pytest.raises(ModelCorrupt, match="is damaged"):
        find(tmp_path)


def test_good_copy_is_taken_where_the_first_folder_holds_a_damaged_one(tmp_path: Path) -> None:
    lay(tmp_path / "own/tiny")
    flip_a_byte(tmp_path / "own/tiny")
    shipped = lay(tmp_path / "shipped/tiny")
    folders = (tmp_path / "own", tmp_path / "shipped")
    assert store.find("tiny", catalog=CATALOG, folders=folders) == shipped


def test_substitute_stands_in_and_says_who_it_is(tmp_path: Path) -> None:
    _, catalog = with_substitute(ROW, row_of(FILES, model_id="tiny-old"))
    lay(tmp_path / "tiny-old")
    held = store.hold("tiny", catalog=catalog, folders=(tmp_path,))
    assert held.row.id == "tiny-old"
    assert held.file == tmp_path / "tiny-old/final.mdl"


def test_the_real_one_is_preferred_to_its_substitute(tmp_path: Path) -> None:
    _, catalog = with_substitute(ROW, row_of(FILES, model_id="tiny-old"))
    lay(tmp_path / "tiny-old")
    lay(tmp_path / "tiny")
    assert store.find("tiny", catalog=catalog, folders=(tmp_path,)) == tmp_path / "tiny"


ARCHIVED = row_of(
    {}, UrlSource("http://publisher.example/a.zip", bytes=9, folder="a/", sha256=sha256(b"zip"))
)


def test_unpacked_archive_is_verified_by_what_was_remembered(tmp_path: Path) -> None:
    store.seal(lay(tmp_path / "tiny"), archive=sha256(b"zip"))
    store.verify(tmp_path / "tiny", row=ARCHIVED)
    flip_a_byte(tmp_path / "tiny")
    with pytest.raises(ModelCorrupt, match="is damaged"):
        store.verify(tmp_path / "tiny", row=ARCHIVED)


@pytest.mark.parametrize("archive", [None, sha256(b"an older zip")], ids=["not sealed", "older"])
def test_files_of_an_unknown_archive_are_refused(archive: str | None, tmp_path: Path) -> None:
    lay(tmp_path / "tiny")
    if archive is not None:
        store.seal(tmp_path / "tiny", archive=archive)
    with pytest.raises(ModelCorrupt, match="was never verified"):
        store.verify(tmp_path / "tiny", row=ARCHIVED)


def test_presence_reads_no_file(tmp_path: Path) -> None:
    assert not store.is_present(ROW, folders=(tmp_path,))
    (tmp_path / "tiny").mkdir()
    assert store.is_present(ROW, folders=(tmp_path,))
