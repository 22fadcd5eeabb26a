"""A language is complete: every reply that the code says is there, with the blanks it fills in."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import agentd.understand
from agentd.understand.words import Phrases, clauses, load_words, tokens
from llmagentos.home import Device
from llmagentos.kind import ACTIONS

SOURCES = sorted(Path(agentd.understand.__file__).parent.glob("*.py"))


def said_in(source):
    """The literal first argument of every `say(...)` call."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name == "say" and isinstance(node.args[0].value, str):
                yield node.args[0].value


def test_every_reply_that_is_said_has_words():
    words = load_words("en")
    said = {reply for source in SOURCES for reply in said_in(source)}

    assert len(said) > 20
    assert said - set(words.replies) == set()


def test_every_action_of_every_kind_can_be_asked_about():
    words = load_words("en")

    for actions in ACTIONS.values():
        for action in actions:
            assert words.act(action, "desk lamp", 40)


def test_every_kind_has_a_name():
    words = load_words("en")

    assert all(words.kind_names(Device("x", "x", kind)) for kind in ACTIONS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Turn ON the lamp!",          ("turn", "on", "the", "lamp")),
        ("Fred’s lamp",                ("fred's", "lamp")),
        ("22.5 °C, 40%",               ("22.5", "°", "c", "40", "%")),
        ("bedroom-2",                  ("bedroom", "2")),
        ("",                           ()),
        ("?!",                         ()),
    ],
)  # fmt: skip
def test_text_becomes_words(text, words):
    assert tokens(text) == words


def test_text_becomes_clauses():
    assert clauses("open it, then stop. 22.5 degrees") == ("open it", "then stop", "22.5 degrees")


def test_longest_phrase_is_found():
    phrases = Phrases.of(["and", "and then", ""])

    assert phrases.match_at(("go", "and", "then", "stop"), 1) == 2
    assert phrases.occurs(("a", "and"))
    assert not phrases.occurs(())
    assert not phrases.equals(())
    assert not phrases.starts(())


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([],                        ""),
        (["a"],                     "a"),
        (["a", "b"],                "a and b"),
        (["a", "b", "c"],           "a, b and c"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
    ],
)  # fmt: skip
def test_names_are_listed(names, text):
    assert load_words("en").join(names) == text


def test_unknown_language_falls_back_to_english():
    assert load_words("xx").language == "en"
    assert load_words("en-GB").language == "en"
