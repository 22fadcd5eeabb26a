"""Scenes: several actions that the owner gave one name, asked for by exactly that name."""

from __future__ import annotations

from agentd.understand.recogniser import Context, Recogniser, Recognition
from agentd.understand.words import Words, tokens
from llmagentos.home import Home, Scene
from llmagentos.utterance import Act, Observation


class SceneRecogniser(Recogniser):
    """Knows the sentences of the language's scene templates, filled with the scenes' names."""

    name = "scene"

    def __init__(self, words: Words) -> None:
        self._words = words
        self._scenes: dict[tuple[str, ...], Scene] = {}

    def refresh(self, home: Home) -> None:
        self._scenes = {
            tokens(template.format(scene=name)): scene
            for scene in home.scenes
            for name in (scene.name, *scene.aliases)
            for template in self._words.speech["scene"]
        }

    def recognise(
        self,
        text: str,
        observation: Observation,  # noqa: ARG002 - a scene is the same in every state
        context: Context,  # noqa: ARG002 - and wherever it is asked for
    ) -> Recognition | None:
        scene = self._scenes.get(self._words.without_courtesy(tokens(text)))
        if scene is None:
            return None
        return Recognition(Act(scene.actions), self.name, explain={"scene": scene.id})
