"""A sentence as its words, each of which knows where it stands in the text."""

from __future__ import annotations

from dataclasses import dataclass

from agentd.understand.words import Words, placed


@dataclass(frozen=True, slots=True)
class Said:
    """A run of words of a text."""

    text: str
    """The whole text, as it was said."""

    words: tuple[str, ...]
    """Lower case, as `tokens` gives them."""

    places: tuple[tuple[int, int], ...]
    """Where each word begins and ends in `text`."""

    @classmethod
    def of(cls, text: str) -> Said:
        """All words of a text."""
        found = tuple(placed(text))
        return cls(text, tuple(word for word, _ in found), tuple(place for _, place in found))

    def part(self, begin: int, end: int) -> Said:
        """The words from `begin` up to `end`."""
        return Said(self.text, self.words[begin:end], self.places[begin:end])

    def plain(self) -> str:
        """The piece of the text that these words are; empty for none."""
        return self.text[self.places[0][0] : self.places[-1][1]] if self.places else ""

    def without_courtesy(self, words: Words) -> Said:
        """The words between a greeting at the beginning and a thank-you at the end."""
        begin, end = 0, len(self.words)
        while begin < end and self.words[begin] in words.lead_in:
            begin += 1
        while (
            end > begin and self.words[end - 1] in words.courtesies and not self._ends(words, end)
        ):
            end -= 1
        return self.part(begin, end)

    def _ends(self, words: Words, end: int) -> bool:
        """Whether the words before `end` are such as "from now", which is no mere courtesy."""
        tail = words.clock["from_now"]
        return any(at + tail.match_at(self.words[:end], at) == end for at in range(end))
