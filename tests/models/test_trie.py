"""The token trie: only forks cost, parents come first, never more branches than fit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trie import Trie

SEQUENCES = st.lists(
    st.lists(st.integers(0, 3), min_size=1, max_size=5).map(tuple), min_size=1, unique=True
)


def test_only_the_way_to_the_last_fork_is_read():
    trie = Trie([(1, 2, 3, 8), (1, 2, 4, 8), (1, 5, 9, 8)])
    (nodes,) = trie.passes(8)
    assert [(node.path, node.is_fork) for node in nodes] == [((1,), True), ((1, 2), True)]
    assert trie.forks == ((1,), (1, 2))


def test_one_token_choices_need_nothing_but_the_prompt():
    trie = Trie([(1,), (2,), (3,)])
    assert list(trie.passes(8)) == []
    assert trie.forks == ((),)


def test_a_choice_that_goes_on_where_another_ends_forks_there():
    trie = Trie([(1, 9), (1, 2, 9)])
    costs = {(1, 9): math.log(0.6), (1, 2): math.log(0.2)}
    assert trie.likelihoods(costs) == pytest.approx([math.log(0.75), math.log(0.25)])


def test_a_way_costs_what_its_forks_cost():
    trie = Trie([(1, 2, 3), (1, 4), (5, 6)])
    costs = {(1,): -1.0, (5,): -1.0, (1, 2): -3.0, (1, 4): -3.0}
    assert trie.likelihoods(costs) == pytest.approx([math.log(p) for p in (0.25, 0.25, 0.5)])


def test_a_single_choice_is_certain():
    assert Trie([(1, 2, 3)]).likelihoods({}) == [0.0]


def test_more_branches_than_lanes_make_more_passes():
    trie = Trie([(7, i, j) for i in range(10) for j in range(2)])
    passes = list(trie.passes(4))
    assert [sum(len(node.path) == 2 for node in nodes) for nodes in passes] == [4, 4, 2]
    assert all(nodes[0].path == (7,) for nodes in passes)


def test_choices_of_two_thousand_tokens_do_not_exhaust_the_stack():
    stem = tuple(range(2000))
    (nodes,) = Trie([(*stem, 1), (*stem, 2)]).passes(1)
    assert len(nodes) == 2000


@pytest.mark.parametrize("lanes", [1, 3, 31])
@given(sequences=SEQUENCES)
def test_every_fork_is_reached_in_a_pass_parents_first(lanes, sequences):
    trie = Trie(sequences)
    reached = set()
    for nodes in trie.passes(lanes):
        seen = {(): set(range(lanes))}
        for node in nodes:
            assert set(node.lanes) <= seen[node.path[:-1]]
            seen[node.path] = set(node.lanes)
            if node.is_fork:
                reached.add(node.path)
    assert reached == set(trie.forks) - {()}


@given(sequences=SEQUENCES, seed=st.randoms(use_true_random=False))
def test_what_the_choices_get_sums_to_one(sequences, seed):
    whole = [(*sequence, 9) for sequence in sequences]
    trie = Trie(whole)
    costs = {way: seed.uniform(-30, 0) for fork in trie.forks for way in trie.children[fork]}
    assert sum(map(math.exp, trie.likelihoods(costs))) == pytest.approx(1.0)
