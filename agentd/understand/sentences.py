"""Sentence files in Home Assistant's format: its own collection, and ours beside it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import yaml  # type: ignore[import-untyped]  # publishes no types
from home_assistant_intents import get_intents


def home_assistant_sentences(language: str) -> Mapping[str, Any]:
    """Home Assistant's sentences, lists and rules for a language; empty where it has none."""
    return get_intents(language) or get_intents(language.split("-")[0]) or {}


def own_sentences(language: str) -> Mapping[str, Any]:
    """Our sentences for a language, in the same format; empty where there are none.

    The lists of Home Assistant's collection (colours, percentages) can be used in them.
    """
    folder = files(__package__) / "language" / language.split("-")[0]
    if not folder.is_dir():
        return {}
    merged: dict[str, Any] = {"language": language, "intents": {}, "skip_words": []}
    merged["lists"] = dict(home_assistant_sentences(language).get("lists", {}))
    for part in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if part.name.endswith(".yaml"):
            _merge(merged, read_yaml(part.read_text("utf-8")))
    return merged


def read_yaml(text: str) -> Any:
    """Parse YAML, with the C parser where it is built in: ten times faster."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _merge(into: dict[str, Any], part: Mapping[str, Any]) -> None:
    into["skip_words"] += part.get("skip_words", [])
    for key in ("lists", "expansion_rules"):
        into.setdefault(key, {}).update(part.get(key, {}))
    for name, intent in part.get("intents", {}).items():
        into["intents"].setdefault(name, {"data": []})["data"] += intent["data"]
