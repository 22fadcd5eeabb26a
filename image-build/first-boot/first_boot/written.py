"""A text file as a person's editor left it: byte order mark, code page and line ends included."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, replace
from typing import Final

from first_boot.errors import OwnerMistake

MARKS: Final = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
"""What the first bytes say about the rest; Windows' editors write them."""


@dataclass(frozen=True, slots=True)
class Written:
    """One text, and how to write it back in the same way."""

    name: str
    """The file's name, for errors."""

    text: str
    """Its lines end with a plain line feed."""

    mark: bytes = b""
    """Its byte order mark."""

    code: str = "utf-8"
    """Name of its character encoding."""

    end: str = "\n"
    """How its lines ended, most of the time."""

    @property
    def is_guessed(self) -> bool:
        """Whether it was no valid UTF-8, so that letters beyond ASCII may be others."""
        return self.code == "cp1252"

    def encode(self) -> bytes:
        """The bytes of the file."""
        return self.mark + self.text.replace("\n", self.end).encode(self.code, "replace")

    def with_text(self, text: str) -> Written:
        """The same file with another text."""
        return replace(self, text=text)


def decode(data: bytes, *, name: str) -> Written:
    """Read a file's bytes as text.

    Raises:
        OwnerMistake: it is not text.
    """
    mark = next((each for each in MARKS if data.startswith(each)), b"")
    code = MARKS.get(mark, "utf-8")
    try:
        text = data[len(mark) :].decode(code)
    except UnicodeDecodeError:
        if mark:
            raise OwnerMistake(f"{name}: is damaged, or is no text file") from None
        code = "cp1252"  # Notepad's "ANSI"
        text = data.decode(code, "replace")
    if "\x00" in text:
        raise OwnerMistake(f"{name}: is damaged, or is no text file")
    end = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    return Written(name, text.replace("\r\n", "\n"), mark, code, end)
