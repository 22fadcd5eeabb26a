"""The pages that doors and the tick share."""

from __future__ import annotations

from agentd.agents.due import Due
from agentd.agents.pages import Pages
from agentd.agents.promise import Kind, Promise
from llmagentos.cause import Origin, Rank
from llmagentos.clock import Instant
from tests.agentd.agents.paper import Paper


def promise(name: str = "t1", boot: str = "b") -> Promise:
    due = Due(Instant(0.0, 0.0), boot, 60.0)
    return Promise(name, Kind.TIMER, None, Origin(Rank.PERSON, "cli"), due, "o")


def test_what_a_door_changes_the_tick_neither_takes_nor_changes_nor_sees() -> None:
    pages = Pages(Paper().shelf())
    pages.add(promise())
    with pages.changing("t1") as change:
        assert change.old == promise()
        assert pages.at_rest() == ()
        assert not pages.take("t1")
        pages.update(promise(boot="c"))
        assert pages.all() == (promise(),)
    assert pages.take("t1")


def test_a_promise_that_is_gone_is_not_updated_back_to_life() -> None:
    paper = Paper()
    pages = Pages(paper.shelf())
    pages.update(promise())
    assert (pages.all(), paper.documents) == ((), {})


def test_dropping_an_old_one_leaves_a_new_one_of_its_name() -> None:
    paper = Paper()
    pages = Pages(paper.shelf())
    pages.put(promise())
    pages.take("t1")
    pages.put(promise(boot="c"))
    pages.drop("t1")
    assert list(Pages(paper.shelf()).all()) == [promise(boot="c")]


def test_ids_go_on_after_a_restart() -> None:
    paper = Paper()
    pages = Pages(paper.shelf())
    pages.add(promise("t7"))
    pages.put(promise("end:x:y"))
    assert Pages(paper.shelf()).new_id("r") == "r8"
