"""Rules by sentence: asked back in the box's own words, armed on a yes, listed, taken out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from agentd.agents.rule import Rule
from agentd.agents.rules import Listed
from agentd.understand.conversation import Conversation, Pending
from agentd.understand.doing import Preview, make_plan
from agentd.understand.interpreter import Understood
from agentd.understand.port import PromisePort
from agentd.understand.reply import sentences
from agentd.understand.rule_reply import RuleReply
from agentd.understand.words import Words, tokens
from llmagentos.cause import Cause
from llmagentos.home import Home
from llmagentos.plan import Ruling
from llmagentos.utterance import NewRule, Observation, PromiseRequest, Utterance

_ID: Final = "said-"
"""What the ids of spoken rules begin with."""

_AFAR: Final = "mqtt"
"""The channel from which no rule is armed on what needs a yes: a rule asks nobody for one."""


class RuleMaker:
    """Arms rules; each call may raise `PromiseError`."""

    def __init__(self, port: PromisePort, words: Words, *, preview: Preview) -> None:
        self._port, self._words, self._preview = port, words, preview
        self._replies = RuleReply(words)

    def would(self, wish: NewRule, home: Home) -> str:
        """The rule in words; arms nothing."""
        return sentences([self._replies.of(wish.table, home)])

    def arm(
        self,
        wish: NewRule,
        heard: Utterance,
        found: Understood,
        cause: Cause,
        *,
        talk: Conversation,
        observation: Observation,
    ) -> str:
        """Ask whether that is the rule; once a yes was said, arm it."""
        table = {"id": self._free_id(observation), **wish.table}
        rule = self._port.read_rule(table)
        asked = found.confirmed
        if asked is None:
            return self._ask(wish, rule, heard, found, talk=talk, observation=observation)
        # The rule itself will ask nobody: its yes is the yes to all that it does, on the right
        # channel where a device insists on one.
        verdicts = self._preview(make_plan(heard, found, rule.actions, cause))
        if refused := [v.reason for v in verdicts if v.ruling is Ruling.CONFIRM]:
            talk.pending = replace(asked, wish=wish)
            return sentences(dict.fromkeys(refused))
        self._port.add_rule(table, origin=asked.origin or heard.origin)
        talk.promised = (rule.id,)
        told = self._replies.of(wish.table, observation.home)
        return sentences([self._words.say("rule_armed", rule=told)])

    def _ask(
        self, wish: NewRule, rule: Rule, heard: Utterance, found: Understood, *,
        talk: Conversation, observation: Observation,
    ) -> str:  # fmt: skip
        """Say the rule back and leave the question open."""
        home = observation.home
        risky = [home.by_id[id].name for id in sorted(rule.devices) if home.by_id[id].is_risky]
        if risky and heard.origin.channel == _AFAR:
            return sentences([self._words.say("rule_from_afar", names=self._words.join(risky))])
        told = sentences([self._replies.of(wish.table, home)])
        question = f"{told} {self._words.say('rule_question')}"
        talk.pending = Pending(wish, observation.now, found.chosen_by, question)
        return question

    def listed(self, observation: Observation) -> str:
        """All rules in words."""
        rules = [each for each in self._port.rules(observation) if each.is_enabled]
        told = [self._text(each, observation.home) for each in rules]
        return sentences(told) if told else sentences([self._words.say("no_rules")])

    def cancel(self, wish: PromiseRequest, observation: Observation) -> str:
        """Take out the one rule that was meant; those of the file stay."""
        home = observation.home
        said = {self._words.stem(word) for word in tokens(wish.text)} - self._words.filler
        meant = [each for each in self._port.rules(observation)
                 if each.is_stored and said <= self._named(each, home)]  # fmt: skip
        if not meant:
            return sentences([self._words.say("none_rule")])
        if len(meant) > 1:
            return sentences([self._words.say("rule_which"), *(self._text(r, home) for r in meant)])
        self._port.remove_rule(meant[0].id)
        return sentences([self._words.say("rule_gone"), self._text(meant[0], home)])

    def take_back(self, name: str) -> bool:
        """Take out a rule that was armed a moment ago; False for the id of something else."""
        if not name.startswith(_ID):
            return False
        self._port.remove_rule(name)
        return True

    def _free_id(self, observation: Observation) -> str:
        taken = {each.id for each in self._port.rules(observation)}
        return next(f"{_ID}{n}" for n in range(1, len(taken) + 2) if f"{_ID}{n}" not in taken)

    def _text(self, rule: Listed, home: Home) -> str:
        return self._replies.of(_written(rule), home)

    def _named(self, rule: Listed, home: Home) -> set[str]:
        names = self._replies.devices(_written(rule), home)
        return {self._words.stem(word) for word in tokens(names)}


def _written(rule: Listed) -> dict[str, Any]:
    return {"when": {}, "do": [], **rule.written}
