"""The gate at work: every plan is reviewed, every output is watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agentd.safety import form, table
from agentd.safety.memory import GateState, note
from agentd.safety.row import Row
from agentd.safety.rule import Case, Order, Rows, Site
from llmagentos.cause import Rank
from llmagentos.kind import Scalar, effect
from llmagentos.plan import Action, Plan, Ruling, Verdict
from llmagentos.reading import State
from llmagentos.utterance import Observation


def review(
    plan: Plan, gate: GateState, observation: Observation, rows: Rows
) -> tuple[Verdict, ...]:
    """Judge every action of a plan, in order; each sees what the ones before it would leave."""
    verdicts: list[Verdict] = []
    for action in plan.actions:
        row = rows.get(action.device)
        if row is None:
            reason = form.unknown_device(action, observation)
            verdicts.append(Verdict(Ruling.DENY, action, None, "allowed", reason))
            continue
        verdict = _judge(Case(row, gate, observation, rows, action, plan))
        verdicts.append(verdict)
        if verdict.granted:
            state = _foresee(observation, verdict.granted)
            observation = replace(observation, states={**observation.states, action.device: state})
            rank = plan.origin.rank
            gate = note(gate, row, state.values, observation.now, rank=rank, plan=plan)
    return tuple(verdicts)


def watch(gate: GateState, observation: Observation, rows: Rows) -> tuple[Order, ...]:
    """What must be done now without anybody asking: limits fire by themselves."""
    orders: list[Order] = []
    for row in rows.values():
        site = Site(row, gate, observation, rows)
        for rule in table.RULES:
            if rule.fire and (fired := rule.fire(site)):
                action, reason = fired
                orders.append(Order(action, rule.name, reason))
                break
    return tuple(orders)


def safe_orders(
    observation: Observation, rows: Rows, *, rule: str, reason: str
) -> tuple[Order, ...]:
    """What drives every output to its declared safe state; a moving cover that keeps stops."""
    orders: list[Order] = []
    for row in rows.values():
        state = observation.states.get(row.device.id)
        action = row.safe_action or _halt(row, state.values if state else {})
        if action:
            orders.append(Order(action, rule, reason))
    return tuple(orders)


def _halt(row: Row, values: Mapping[str, Scalar]) -> Action | None:
    is_moving = values.get("state") in ("opening", "closing")
    return Action(row.device.id, "stop") if is_moving else None


def _judge(case: Case) -> Verdict:
    asked = case.action
    for rule in table.RULES:
        if rule.reject and (reason := rule.reject(case)):
            return Verdict(Ruling.DENY, asked, None, rule.name, reason)
    name, why = "", ""
    for rule in table.RULES:
        if rule.bound and (bounded := rule.bound(case)):
            name, (granted, why) = rule.name, bounded
            case = replace(case, action=granted)
    if case.plan.origin.rank is not Rank.SAFETY and (verdict := _object(case, asked)):
        return verdict
    return Verdict(Ruling.CLAMP if name else Ruling.ALLOW, asked, case.action, name, why)


def _object(case: Case, asked: Action) -> Verdict | None:
    """The first objection of a rule: a refusal, else a question."""
    for rule in table.RULES:
        if rule.refuse and (reason := rule.refuse(case)):
            return Verdict(Ruling.DENY, asked, None, rule.name, reason)
    for rule in table.RULES:
        if rule.ask and (question := rule.ask(case)):
            return Verdict(Ruling.CONFIRM, asked, None, rule.name, question)
    return None


def _foresee(observation: Observation, action: Action) -> State:
    """The device's state as it would be after the action."""
    device = observation.home.by_id[action.device]
    old = observation.states.get(action.device, State(action.device))
    return replace(old, values={**old.values, **effect(device.kind, action.name, action.args)})
