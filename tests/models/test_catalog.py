"""The catalog: what is shipped, and every mistake named by file, row and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from models import catalog
from models.catalog import PypiSource, UrlSource
from models.errors import CatalogError, ModelUnknown

GOOD = """
[[model]]
id = "tiny"
title = "Tiny"
task = "choose"
licence = "CC0-1.0"
credit = "nobody"
ram_bytes = 1000
set_up = false
[[model.file]]
path = "tiny.gguf"
bytes = 3
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
[[model.source]]
kind = "url"
url = "http://publisher.example/tiny.gguf"
bytes = 3
"""


def read(text: str, tmp_path: Path) -> catalog.Catalog:
    path = tmp_path / "catalog.toml"
    path.write_text(text)
    return catalog.load(path)


def test_shipped_catalog_has_what_set_up_needs() -> None:
    rows = catalog.load().rows
    assert {row.id for row in rows.values() if row.is_set_up} == {"vosk-small-en", "smollm2-135m"}
    assert {row.licence for row in rows.values()} == {"Apache-2.0"}


def test_publisher_comes_before_the_packages_that_carry_its_bytes() -> None:
    rows = catalog.load().rows
    for model_id in ("smollm2-135m", "qwen2.5-coder-0.5b"):
        kinds = [type(source) for source in rows[model_id].sources]
        assert kinds == [UrlSource, PypiSource]


def test_parts_of_a_split_model_are_joined_in_numeric_order() -> None:
    source = catalog.load().row("qwen2.5-coder-0.5b").sources[1]
    assert isinstance(source, PypiSource)
    assert list(source.parts) == sorted(source.parts)
    assert len(source.parts) == len(source.wheels) == 6


def test_vosk_chain_ends_with_the_named_substitute() -> None:
    chain = [row.id for row in catalog.load().chain("vosk-small-en")]
    assert chain == ["vosk-small-en", "vosk-small-en-2020"]


def test_unknown_model_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ModelUnknown, match=r"no model 'gpt'.*smollm2-135m"):
        catalog.load().row("gpt")


def test_good_row_is_read(tmp_path: Path) -> None:
    row = read(GOOD, tmp_path).row("tiny")
    assert row.files[0].path == "tiny.gguf"
    assert row.bytes == 3
    assert str(row.sources[0]) == "publisher.example"


ARCHIVE = 'folder = "a/"\nsha256 = "' + "0" * 64 + '"'
FILE = GOOD[GOOD.index("[[model.file]]") : GOOD.index("[[model.source]]")]
URL = GOOD[GOOD.index("[[model.source]]") :]
WHEELS = '[[model.source]]\nkind = "pypi"\nbytes = 3\n'

MISTAKES = {
    # what is wrong                 replace          by                               said
    "no id":                       ('id = "tiny"\n', "",                              "model 1: id: is missing"),
    "id that leaves its folder":   ('"tiny"',        '"../tiny"',                     "id: '../tiny' is not of"),
    "unknown key":                 ("set_up",        "ram = 1\nset_up",               "tiny: ram: not a key here"),
    "unknown task":                ('"choose"',      '"sing"',                        "tiny: task: 'sing' is not one of"),
    "text for a number":           ("= 1000",        '= "1000"',                      "tiny: ram_bytes: '1000' is not a whole"),
    "truth for a number":          ("= 1000",        "= true",                        "tiny: ram_bytes: True is not a number"),
    "nothing for a number":        ("= 1000",        "= 0",                           "tiny: ram_bytes: 0 is not a number above"),
    "number for a truth":          ("= false",       "= 0",                           "tiny: set_up: 0 is not true or false"),
    "short hash":                  ("15ad",          "15a",                           "tiny: file 1: sha256:"),
    "path out of the folder":      ("tiny.gguf\"\n", "../../etc/passwd\"\n",          "tiny: file 1: path:"),
    "absolute path":               ("\"tiny.gguf",   "\"/tiny.gguf",                  "tiny: file 1: path:"),
    "file of another scheme":      ("http://",       "file://",                       "tiny: source 1: url:"),
    "unknown kind":                ('"url"',         '"torrent"',                     "tiny: source 1: kind: 'torrent'"),
    "no source":                   (URL,             "",                              "tiny: source: there is none"),
    "no file for a plain url":     (FILE,            "",                              "a url without folder gives exactly one"),
    "archive without hash":        (URL,             URL + 'folder = "a/"',           "an archive needs both"),
    "substitute that is nowhere":  ("set_up",        'substitute = "x"\nset_up',      "substitute: 'x' leads nowhere"),
    "substitute in a circle":      ("set_up",        'substitute = "tiny"\nset_up',   "substitute: 'tiny' leads nowhere"),
    "wheel without version":       (URL,             WHEELS + 'wheels = ["a"]',       "tiny: source 1: wheels: 'a'"),
    "no wheel":                    (URL,             WHEELS + "wheels = []",          "tiny: source 1: wheels: is empty"),
    "wheel without members":       (URL,             WHEELS + 'wheels = ["a==1"]',    "one wheel with a folder, or parts"),
    "fewer parts than wheels":     (URL,             WHEELS + 'wheels = ["a==1", "b==1"]\nparts = ["x"]', "one part for each"),
    "the same id twice":           ("",              None,                            "id 'tiny' stands twice"),
    "not TOML":                    ("[[model]]",     "[[model",                       "catalog.toml: "),
    "key of the wrong shape":      ("[[model]]",     "[model]",                       "model: write [[model]]"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES.values(), ids=MISTAKES.keys())
def test_mistake_is_named(old: str, new: str | None, said: str, tmp_path: Path) -> None:
    text = GOOD + GOOD if new is None else GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(CatalogError) as caught:
        read(text, tmp_path)
    assert said in str(caught.value)
    assert str(tmp_path / "catalog.toml") in str(caught.value)


def test_archive_needs_no_files(tmp_path: Path) -> None:
    assert read(GOOD.replace(FILE, "") + ARCHIVE, tmp_path).row("tiny").bytes == 3


@pytest.mark.parametrize("length", range(0, len(GOOD) - 1, 7))
def test_truncated_catalog_is_refused(length: int, tmp_path: Path) -> None:
    with pytest.raises(CatalogError):
        read(GOOD[:length], tmp_path)


def test_missing_catalog_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="No such file"):
        catalog.load(tmp_path / "catalog.toml")
