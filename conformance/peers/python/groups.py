"""The status of a group (GRP), and area `group`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, Iterable, Tuple

import resources
import times
from common import Area, Refused, Result, Step
from resources import Resource

# GRP-5: the status of a group is the greatest of what its Actions stand for.
ORDER = ("awaiting", "done", "ongoing", "blocked")

Counted = Tuple[Resource, bool]
"""The newest attempt of an Action, and whether the Action is resolved."""


def group_status(actions: Iterable[Counted]) -> str:
    """GRP-1 to GRP-5"""
    return max((_stands_for(resource, resolved) for resource, resolved in actions), key=ORDER.index, default="awaiting")


def _stands_for(resource: Resource, resolved: bool) -> str:
    """What one Action would make of a group."""
    if resource.status in ("deleted", "draft"):
        return "awaiting"
    if resolved or resource.complete:
        return "done"
    return "blocked" if resource.blocks else "ongoing"


# The area.


@dataclass(frozen=True)
class State:
    type: str
    actions: Tuple[Counted, ...] = ()


def _begin(given: Dict[str, Any]) -> State:
    if given["group_type"] not in resources.GROUPS:
        raise Refused("unknown_name")
    return State(given["group_type"])


def _add(state: State, step: Step) -> Tuple[State, Result]:
    newest = resources.make(step["type"], step["status"], times.DEFAULT)
    for status in step.get("previous") or ():
        resources.require_status(step["type"], status)
    if resources.GROUP_OF[newest.type] != state.type:
        raise Refused("no_group")
    state = replace(state, actions=state.actions + ((newest, bool(step.get("resolved"))),))
    return state, _end(state)


def _end(state: State) -> Result:
    return {"status": group_status(state.actions)}


AREA = Area(begin=_begin, steps={"add": _add}, end=_end)
