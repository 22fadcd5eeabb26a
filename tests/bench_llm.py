"""The language model's part of `make bench`: our scoring beside llama_cpp's own ways, in one run.

All of it uses the same model, the same text and the same number of threads; each figure is the
best of a few rounds, since another program's work is not what is compared.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from llmagentos.clock import Instant
from models import store
from models.choose import Baseline
from models.errors import ModelError
from models.llama import CONTEXT_TOKENS, Llama, Slot, default_threads
from models.llama_chooser import LlamaChooser

ROUNDS = 3
PREFILL_TOKENS = 512
DECODE_TOKENS = 64

EXAMPLES = (
    ("The bathroom mirror is all steamed up", "turn on the bathroom extractor"),
    ("I am done in the cellar", "turn off the cellar bulb"),
    ("Someone is at the gate, let them in", "open the gate"),
    ("The hall is pitch black", "turn on the hall lantern"),
    ("Keep the cat from getting out", "close the cat flap"),
)
SILENCE: list[Any] = []
"""Keeps a callback that C holds on to."""

PREFIX = "".join(f'"{said}." So please {done}.\n' for said, done in EXAMPLES)
PROMPT = '"I want to read my book now but it is much too dark in here to see." So please'
NEUTRAL = '"Hello." So please'
PLACES = ("desk", "ceiling", "hall", "kitchen", "garden", "cellar", "porch", "stair", "bed", "wall")
CHOICES = tuple(
    f" {verb} the {place} {thing}"
    for place in PLACES
    for verb, thing in (
        ("turn on", "lamp"),
        ("turn off", "lamp"),
        ("open", "blind"),
        ("close", "blind"),
    )
)


def clock() -> Instant:
    return Instant(time.monotonic(), time.time())


def best_s(task: Callable[[int], object]) -> float:
    """Seconds of the fastest round."""
    taken = []
    for number in range(ROUNDS):
        began = time.perf_counter()
        task(number)
        taken.append(time.perf_counter() - began)
    return min(taken)


def pss_mb() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000.0


@cache
def their_library() -> Any:
    """llama_cpp whole. Its import takes over the log, and tells the terminal all of it."""
    import llama_cpp

    SILENCE.append(llama_cpp.llama_log_callback(lambda *_: None))
    llama_cpp.llama_log_set(SILENCE[0], None)
    return llama_cpp


@contextmanager
def plain_context(path: Path, *, threads: int) -> Iterator[tuple[Any, Any, Any]]:
    """llama_cpp's low-level interface as its own examples use it: defaults, apart from threads."""
    c = their_library()
    model = c.llama_model_load_from_file(os.fsencode(path), c.llama_model_default_params())
    settings = c.llama_context_default_params()
    settings.n_ctx, settings.n_threads, settings.n_threads_batch = CONTEXT_TOKENS, threads, threads
    context = c.llama_init_from_model(model, settings)
    try:
        yield c, model, context
    finally:
        c.llama_free(context)
        c.llama_model_free(model)


def plain_rates(path: Path, tokens: tuple[int, ...], *, threads: int) -> tuple[float, float]:
    """Prefill and greedy decode of llama_cpp's own loop, tokens a second."""
    with plain_context(path, threads=threads) as (c, model, context):
        memory, vocabulary = c.llama_get_memory(context), c.llama_model_get_vocab(model)
        sampler = c.llama_sampler_chain_init(c.llama_sampler_chain_default_params())
        c.llama_sampler_chain_add(sampler, c.llama_sampler_init_greedy())
        assert c.llama_vocab_n_tokens(vocabulary) > max(tokens)

        def decode(values: tuple[int, ...]) -> None:
            held = (c.llama_token * len(values))(*values)
            pointer = ctypes.cast(held, ctypes.POINTER(c.llama_token))
            assert c.llama_decode(context, c.llama_batch_get_one(pointer, len(values))) == 0

        def prefill(_: int) -> None:
            c.llama_memory_clear(memory, False)
            decode(tokens)
            c.llama_synchronize(context)

        def generate(_: int) -> None:
            for _step in range(DECODE_TOKENS):
                decode((c.llama_sampler_sample(sampler, context, -1),))

        rates = len(tokens) / best_s(prefill), DECODE_TOKENS / best_s(generate)
        c.llama_sampler_free(sampler)
        return rates


def our_rates(path: Path, tokens: tuple[int, ...], *, threads: int) -> tuple[float, float]:
    """The same through our adapter; after each single token all of its followers are priced."""
    llama = Llama(path, should_stop=lambda: False, threads=threads)

    def prefill(_: int) -> None:
        llama.forget(lane=0)
        for start in range(0, len(tokens), llama.lanes):
            part = tokens[start : start + llama.lanes]
            slots = [Slot(token, start + i) for i, token in enumerate(part)]
            slots[-1] = Slot(part[-1], start + len(part) - 1, is_looked_at=True)
            llama.evaluate(slots)
        llama.log_probabilities(len(part) - 1, tokens[:10])

    def decode(_: int) -> None:
        llama.forget(lane=0, start=len(tokens))
        for position in range(len(tokens), len(tokens) + DECODE_TOKENS):
            llama.evaluate([Slot(tokens[position % 50], position, is_looked_at=True)])
            llama.log_probabilities(0, tokens[:10])

    rates = len(tokens) / best_s(prefill), DECODE_TOKENS / best_s(decode)
    llama.close()
    return rates


def plain_choice_s(path: Path, *, threads: int) -> tuple[float, str]:
    """Seconds of `create_chat_completion` with a JSON schema over the same text and choices."""
    llama = their_library().Llama(
        str(path), n_ctx=CONTEXT_TOKENS, n_threads=threads, n_threads_batch=threads,
        chat_format="chatml", verbose=False,
    )  # fmt: skip
    actions = {"action": {"type": "string", "enum": [choice.strip() for choice in CHOICES]}}
    schema = {"type": "object", "properties": actions, "required": ["action"]}
    said = ""

    def ask(number: int) -> None:
        nonlocal said
        text = PREFIX + PROMPT.replace("book", ("book", "paper", "letter", "story")[number % 4])
        answer: Any = llama.create_chat_completion(
            [{"role": "user", "content": text}],
            response_format={"type": "json_object", "schema": schema},
            temperature=0.0,
            max_tokens=48,
        )
        said = answer["choices"][0]["message"]["content"]

    ask(3)  # from here on its cache holds the prefix, as ours does
    taken = best_s(ask)
    llama.close()
    return taken, said


def bench_rates(path: Path, tokens: tuple[int, ...], *, threads: int) -> None:
    ours, plain = (
        our_rates(path, tokens, threads=threads),
        plain_rates(path, tokens, threads=threads),
    )
    for name, our, its in zip(("prefill", "decode"), ours, plain, strict=True):
        print(
            f"{f'{name}, {threads} threads':<46} {our:6.0f} tokens/s,"
            f" llama_cpp's own loop {its:6.0f}, ratio {our / its:.2f}"
        )


def bench_choice(path: Path, *, threads: int) -> None:
    began = time.perf_counter()
    chooser = LlamaChooser(path, clock=clock, threads=threads)
    load_ms = (time.perf_counter() - began) * 1000.0
    took = best_s(lambda number: chooser.set_prefix(PREFIX * (2 - number % 2), end=".\n"))
    chooser.set_prefix(PREFIX, end=".\n")
    chosen = chooser.choose(PROMPT, CHOICES, deadline_s=60)
    plain_ms = best_s(lambda _: chooser.choose(PROMPT, CHOICES, deadline_s=60)) * 1000.0
    baseline = Baseline((NEUTRAL,))
    cold = chooser.choose(PROMPT, CHOICES, deadline_s=60, baseline=baseline)
    warm_ms = 1000.0 * best_s(
        lambda _: chooser.choose(PROMPT, CHOICES, deadline_s=60, baseline=baseline)
    )
    size = pss_mb()
    chooser.close()
    its_s, said = plain_choice_s(path, threads=threads)
    name = f"choice of {len(CHOICES)}, warm prefix, {threads} threads"
    print(
        f"{name:<46} {plain_ms:6.0f} ms, create_chat_completion with a schema"
        f" {its_s * 1000.0:6.0f} ms, ratio {its_s * 1000.0 / plain_ms:.2f}"
    )
    print(
        f"{'':<46} {warm_ms:6.0f} ms with a known baseline, {cold.elapsed_ms:.0f} ms with a new one;"
        f" load {load_ms:.0f} ms, prefix {took * 1000.0:.0f} ms, PSS {size:.0f} MB of this process"
    )
    print(f"{'':<46} ours {CHOICES[chosen.index].strip()!r}, theirs {said!r}")


def main() -> None:
    try:
        path = store.hold("smollm2-135m").file
    except ModelError as exc:
        print(f"language model: skipped, {exc}")
        return
    llama = Llama(path, should_stop=lambda: False, threads=1)
    tokens = llama.tokenise(PREFIX * 12)[:PREFILL_TOKENS]
    llama.close()
    print(f"language model {path.name}, {default_threads()} threads by default here")
    for threads in sorted({1, default_threads(), os.cpu_count() or 1}):
        bench_rates(path, tokens, threads=threads)
    bench_choice(path, threads=default_threads())


if __name__ == "__main__":
    main()
