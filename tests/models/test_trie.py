"""The token trie: everything once, parents first, never more branches than fit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trie import Trie

SEQUENCES = st.lists(
    st.lists(st.integers(0, 3), min_size=1, max_size=5).map(tuple), min_size=1, unique=True
)


def test_only_tokens_that_others_follow_are_evaluated():
    trie = Trie([(1, 2, 3), (1, 2, 4), (1, 5, 9)])
    (nodes,) = trie.passes(8)
    assert [(node.path, node.lanes) for node in nodes] == [
        ((1,), (0, 1)),
        ((1, 2), (0,)),
        ((1, 5), (1,)),
    ]


def test_one_token_choices_need_no_evaluation_at_all():
    assert list(Trie([(1,), (2,), (3,)]).passes(8)) == []


def test_a_choice_that_goes_on_where_another_ends_keeps_both():
    trie = Trie([(1,), (1, 2)])
    assert trie.children == {(): [(1,)], (1,): [(1, 2)]}


def test_more_branches_than_lanes_make_more_passes():
    trie = Trie([(7, i, 0) for i in range(10)])
    passes = list(trie.passes(4))
    assert [sum(len(node.path) == 2 for node in nodes) for nodes in passes] == [4, 4, 2]
    assert all(nodes[0].path == (7,) for nodes in passes)


def test_a_choice_of_two_thousand_tokens_does_not_exhaust_the_stack():
    (nodes,) = Trie([tuple(range(2000))]).passes(1)
    assert len(nodes) == 1999


@pytest.mark.parametrize("lanes", [1, 3, 31])
@given(sequences=SEQUENCES)
def test_every_followed_token_is_in_a_pass_after_its_parent(lanes, sequences):
    trie = Trie(sequences)
    passes = list(trie.passes(lanes))
    followed = {s[:depth] for s in sequences for depth in range(1, len(s))}
    assert {node.path for nodes in passes for node in nodes} == followed
    for nodes in passes:
        seen = {(): set(range(lanes))}
        for node in nodes:
            assert set(node.lanes) <= seen[node.path[:-1]]
            seen[node.path] = set(node.lanes)
