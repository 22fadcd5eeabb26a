"""llama.cpp, the part of its C interface that scoring needs: load, tokenise, evaluate, look.

Sampling, chat templates and everything else that could make text are left out on purpose.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np

from models.choose import TURN_END, TURN_START, BadChoices
from models.errors import ModelCorrupt, ModelError, ModelMissing, ModelUnfit

_LOG: Final = logging.getLogger(__name__)

BATCH_TOKENS: Final = 32
"""Most tokens evaluated at once. 64 are 3 % faster on x86 and cost 13 MB of logits."""

CONTEXT_TOKENS: Final = 1024
"""Default room for prefix, prompt and choices: 24 MB for the smallest model."""

_MOST_THREADS: Final = 4
_ABORTED: Final = 2
"""What `llama_decode` returns when the abort callback said so."""

_MARK: Final = re.compile(f"({TURN_START}|{TURN_END})")


class Aborted(ModelError):
    """The evaluation was stopped halfway, because `should_stop` said so."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One token to evaluate."""

    token: int

    position: int
    """From 0; in every lane of the slot the positions must follow on without a gap."""

    lanes: tuple[int, ...] = (0,)
    """The lanes it belongs to, each below `Llama.lanes`."""

    is_looked_at: bool = False
    """Whether `Llama.log_probabilities` will be asked what may follow it."""


def default_threads() -> int:
    """One core less than there are, at least 1 and at most 4.

    The threads wait for each other in a spin loop: with one for each of two cores a choice took
    0.32 s, and 8 to 14 s as soon as another program wanted a core too; with one it took 0.52 s.
    """
    return max(1, min(_MOST_THREADS, len(os.sched_getaffinity(0)) - 1))


class Llama:
    """One model, one context. Its memory holds lanes of tokens, which may share tokens."""

    lanes: Final = BATCH_TOKENS
    """Lanes, numbered from 0. llama.cpp keeps room for as many logits as there are lanes."""

    def __init__(
        self,
        path: Path,
        *,
        should_stop: Callable[[], bool],
        threads: int | None = None,
        context_tokens: int = CONTEXT_TOKENS,
    ) -> None:
        """Load a model file whose hash was verified: llama.cpp kills the process on a bad one.

        Args:
            path: the GGUF file.
            should_stop: asked about a thousand times an evaluation; True ends it with `Aborted`.
            threads: for evaluation; None for `default_threads()`.
            context_tokens: room for all lanes together.

        Raises:
            ModelMissing: there is no such file.
            ModelCorrupt: it is not a GGUF file.
            ModelUnfit: llama.cpp cannot use it.
        """
        _check_magic(path)
        self._c = c = _library()
        self.context_tokens = context_tokens
        self.threads = threads or default_threads()
        self._model = c.llama_model_load_from_file(
            os.fsencode(path), c.llama_model_default_params()
        )
        if not self._model:
            raise ModelUnfit(f"llama.cpp cannot load {path}; its log, at debug level, says why")
        self._abort = c.ggml_abort_callback(lambda _: should_stop())  # kept: C calls it
        self._context = c.llama_init_from_model(self._model, self._settings())
        if not self._context:
            c.llama_model_free(self._model)
            raise ModelUnfit(f"no room for {context_tokens} tokens of context with {path.name}")
        self._memory = c.llama_get_memory(self._context)
        self._vocabulary = c.llama_model_get_vocab(self._model)
        self._words = int(c.llama_vocab_n_tokens(self._vocabulary))
        self._batch = c.llama_batch_init(BATCH_TOKENS, 0, self.lanes)
        self._marks = {
            mark: self._pieces(text, special=True)
            for mark, text in ((TURN_START, "<|im_start|>"), (TURN_END, "<|im_end|>"))
        }

    def tokenise(self, text: str) -> tuple[int, ...]:
        """Cut a text into tokens. Only `TURN_START` and `TURN_END` become control tokens.

        Raises:
            BadChoices: the text holds one of these and the model does not know chats.
        """
        tokens: list[int] = []
        for part in _MARK.split(text):
            mark = self._marks.get(part)
            if mark is not None and len(mark) != 1:
                raise BadChoices("this model was not trained on chats of that form")
            tokens += mark or self._pieces(part, special=False)
        return tuple(tokens)

    def evaluate(self, slots: Sequence[Slot]) -> None:
        """Let the model read at most `BATCH_TOKENS` tokens; blocks for the time that takes.

        Raises:
            Aborted: `should_stop` said so. The caller forgets what may have been read.
            ModelUnfit: the memory is full, or llama.cpp failed.
        """
        batch = self._batch
        batch.n_tokens = len(slots)
        for i, slot in enumerate(slots):
            batch.token[i], batch.pos[i] = slot.token, slot.position
            batch.logits[i], batch.n_seq_id[i] = slot.is_looked_at, len(slot.lanes)
            for j, lane in enumerate(slot.lanes):
                batch.seq_id[i][j] = lane
        result = self._c.llama_decode(self._context, batch)
        if result == _ABORTED:
            raise Aborted("stopped")
        if result != 0:
            raise ModelUnfit(f"llama.cpp could not evaluate {len(slots)} tokens (code {result})")

    def log_probabilities(self, slot: int, tokens: Iterable[int]) -> list[float]:
        """How likely each token is to follow a slot of the last `evaluate`, in nats."""
        row = self._c.llama_get_logits_ith(self._context, slot)
        logits = np.ctypeslib.as_array(row, shape=(self._words,))
        highest = float(logits.max())
        total = highest + math.log(float(np.exp(logits - highest).sum()))
        return [float(logits[token]) - total for token in tokens]

    def fork(self, lanes: Iterable[int]) -> None:
        """Let these lanes share all that lane 0 holds; copies nothing."""
        for lane in lanes:
            self._c.llama_memory_seq_cp(self._memory, 0, lane, -1, -1)

    def forget(self, *, lane: int, start: int = 0) -> None:
        """Drop what a lane holds from a position on; -1 means every lane."""
        self._c.llama_memory_seq_rm(self._memory, lane, start, -1)

    def close(self) -> None:
        """Free everything."""
        self._c.llama_batch_free(self._batch)
        self._c.llama_free(self._context)
        self._c.llama_model_free(self._model)

    def _settings(self) -> Any:
        settings = self._c.llama_context_default_params()
        settings.n_ctx = self.context_tokens
        settings.n_batch = settings.n_ubatch = settings.n_outputs_max = BATCH_TOKENS
        settings.n_seq_max = self.lanes
        settings.kv_unified = True  # lanes share the prefix instead of having room of their own
        settings.n_threads = settings.n_threads_batch = self.threads
        settings.flash_attn_type = self._c.LLAMA_FLASH_ATTN_TYPE_DISABLED  # measured: not faster
        settings.abort_callback = self._abort
        settings.no_perf = True
        return settings

    def _pieces(self, text: str, *, special: bool) -> list[int]:
        raw = text.encode()
        found = (self._c.llama_token * (len(raw) + 1))()
        count = self._c.llama_tokenize(
            self._vocabulary, raw, len(raw), found, len(found), False, special
        )
        return list(found[:count])


def _check_magic(path: Path) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as exc:
        raise ModelMissing(f"cannot read {path}: {exc.strerror or exc}") from exc
    if magic != b"GGUF":
        raise ModelCorrupt(f"{path} is not a GGUF file, it begins with {magic!r}")


@cache
def _library() -> Any:
    """The bare C interface, without the package around it.

    The package's own `__init__` imports the high-level class with its templates, caches and
    downloads: 11 MB and 50 ms for what is never used here. It is left out by standing in for the
    package while its one module is imported.
    """
    os.environ.setdefault("GGML_NO_BACKTRACE", "1")  # its way to a backtrace is to start gdb
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.submodule_search_locations is None:
        raise ModelUnfit("llama-cpp-python is not installed; install llmagentos[box]")
    package = sys.modules.get("llama_cpp")
    if package is None:
        stand_in = ModuleType("llama_cpp")
        stand_in.__path__ = list(spec.submodule_search_locations)
        sys.modules["llama_cpp"] = stand_in
    library: Any = importlib.import_module("llama_cpp.llama_cpp")
    if package is None:
        del sys.modules["llama_cpp"]
    library.llama_log_set(_log_callback(library), None)
    library.llama_backend_init()
    return library


@cache
def _log_callback(library: Any) -> Any:
    """Hands llama.cpp's words to logging; cached, since C keeps calling it.

    All of them are details: it warns of a short context at every start and calls an evaluation
    that was called off an error, four lines of it. What fails for us is raised by us.
    """

    def log(_level: int, text: bytes, _data: object) -> None:
        line = text.decode(errors="replace").strip()
        if line.strip("."):  # progress is a row of dots
            _LOG.debug("llama.cpp: %s", line)

    return library.llama_log_callback(log)
