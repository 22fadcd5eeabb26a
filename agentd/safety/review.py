"""The gate at work: every plan is reviewed, every output is watched."""

from __future__ import annotations

from dataclasses import replace

from agentd.safety import form, table
from agentd.safety.memory import GateState, note
from agentd.safety.rule import Case, Order, Rows, Site
from llmagentos.cause import Rank
from llmagentos.kind import effect
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
    """What drives every output to its declared safe state, those first that go off; a moving cover
    that keeps stops."""
    orders: list[Order] = []
    for row in sorted(rows.values(), key=lambda row: row.is_safe_on):
        state = observation.states.get(row.device.id)
        if action := row.safe_action or row.halt(state.values if state else {}):
            orders.append(Order(action, rule, reason))
    return tuple(orders)


def _judge(case: Case) -> Verdict:
    """Lead an action past every rule, in the table's order."""
    asked, name, why = case.action, "", ""
    for rule in table.RULES:
        if case.plan.origin.rank is Rank.SAFETY and not rule.binds_safety:
            continue
        if rule.refuse and (reason := rule.refuse(case)):
            return Verdict(Ruling.DENY, asked, None, rule.name, reason)
        if rule.ask and (question := rule.ask(case)):
            return Verdict(Ruling.CONFIRM, asked, None, rule.name, question)
        if rule.bound and (bounded := rule.bound(case)):
            name, (granted, why) = rule.name, bounded
            case = replace(case, action=granted)
    return Verdict(Ruling.CLAMP if name else Ruling.ALLOW, asked, case.action, name, why)


def _foresee(observation: Observation, action: Action) -> State:
    """The device's state as it would be after the action."""
    device = observation.home.by_id[action.device]
    old = observation.states.get(action.device, State(action.device))
    return replace(old, values={**old.values, **effect(device.kind, action.name, action.args)})
