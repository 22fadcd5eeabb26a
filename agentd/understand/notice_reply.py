"""What promises and rules have to tell, in the words of one language."""

from __future__ import annotations

from agentd.agents.notice import Notice, NoticeKind
from agentd.understand.moment import Moments
from agentd.understand.reply import sentences
from agentd.understand.words import Words


class NoticeReply:
    """Words notices; see `agentd.agents.notice`."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._spans = Moments(words).spans

    def tell(self, notice: Notice) -> str:
        """One notice as a sentence, or as two where there is a reason."""
        if notice.kind is NoticeKind.RULE:
            return self._rule(notice)
        said = self._words.say(
            f"ring_{notice.kind.value}",
            what=self._timer(notice) if notice.kind is NoticeKind.TIMER else self._what(notice),
            late=self._late(notice),
        )
        return f"{sentences([said])} {notice.reason}".strip()

    def _rule(self, notice: Notice) -> str:
        """A rule's own sentence; one that only ran late says so."""
        if not notice.text:
            said = self._words.say("ring_late", what=self._what(notice), late=self._late(notice))
            return sentences([said])
        if not notice.is_late:
            return notice.text
        late = self._words.say("ring_late_too", span=self._spans.say(notice.late_s))
        return f"{notice.text} {late}"

    def _timer(self, notice: Notice) -> str:
        if notice.name:
            return self._words.say("timer_called", name=notice.name)
        if notice.start_s:
            return self._words.say("timer_long", span=self._spans.say(notice.start_s))
        return self._words.say("timer_plain")

    def _what(self, notice: Notice) -> str:
        if notice.kind is NoticeKind.REMINDER:
            return notice.text
        return self._words.say("ring_what", text=notice.text or notice.id)

    def _late(self, notice: Notice) -> str:
        """`, 5 minutes late`; nothing when it is on time."""
        if not notice.is_late_known:
            return self._words.say("ring_unknown_late")
        if not notice.is_late:
            return ""
        return self._words.say("ring_span_late", span=self._spans.say(notice.late_s))
