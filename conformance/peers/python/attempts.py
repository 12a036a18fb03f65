"""One Action and its attempts (ATT), resolution by hand (RSL), and areas `attempt` and `resolve`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Collection, Dict, FrozenSet, List, NamedTuple, Optional, Tuple

import canonical
import resources
import times
from common import Area, Refused, Result, Step, is_id
from groups import group_status
from resources import Resource

MAX_ATTEMPTS = 10  # ATT-5
MAX_REASON = 150  # RSL-4
RESOLVABLE = frozenset({"pending", "awaiting_data", "failed", "inconclusive"})  # RSL-2


@dataclass(frozen=True)
class Attempt:
    """One resource in the chain of an Action. Without a digest its inputs are not known."""

    id: str
    resource: Resource
    digest: Optional[str] = None


@dataclass(frozen=True)
class Resolution:
    at: int
    reason: Optional[str] = None
    by: Optional[str] = None


@dataclass(frozen=True)
class Action:
    """A place that a chain of attempts fills, oldest first."""

    attempts: Tuple[Attempt, ...]
    resolution: Optional[Resolution] = None

    @property
    def main(self) -> Attempt:
        return self.attempts[-1]

    @property
    def resolved(self) -> bool:
        return self.resolution is not None

    @property
    def retries_left(self) -> int:
        """ATT-5"""
        return max(0, MAX_ATTEMPTS - len(self.attempts))

    @property
    def verifications_used(self) -> int:
        """ATT-11"""
        return len(self.attempts) if self.main.resource.is_verification else 0

    def find(self, resource_id: str) -> Optional[Attempt]:
        return next((attempt for attempt in self.attempts if attempt.id == resource_id), None)


class Candidate(NamedTuple):
    """A resource that wants to become an attempt."""

    attempt: Attempt
    invalid_inputs: bool
    workspace_id: Optional[str]


def candidate(step: Step, key: bytes, now: int) -> Candidate:
    """The resource of a `retry` or a `link`, refused if it is itself no good."""
    told = step["resource"]
    as_of = times.second(told["as_of"]) if "as_of" in told else now
    attempt = Attempt(told["id"], resources.make(told["type"], told["status"], as_of))
    workspace_id = told.get("workspace_id")
    if not is_id(attempt.id) or workspace_id is not None and not is_id(workspace_id):
        raise Refused("invalid_id")
    if "inputs" not in step:
        return Candidate(attempt, False, workspace_id)
    try:
        digest = canonical.digest(step["inputs"], key)
    except Refused:
        return Candidate(attempt, True, workspace_id)
    return Candidate(replace(attempt, digest=digest), False, workspace_id)


def retry_faults(action: Action, previous_id: Optional[str], new: Candidate) -> List[str]:
    """The rules on the Action that a retry breaks, ATT-3 to ATT-6 in the order of ATT-13."""
    main = action.main
    checks = (
        ("resolved", action.resolved),  # ATT-3
        ("complete", main.resource.complete),  # ATT-2
        ("not_blocking", not main.resource.blocks and not main.resource.complete),  # ATT-1
        ("not_main", main.id != previous_id),  # ATT-8
        ("too_many", action.retries_left == 0),  # ATT-5
        ("type_changed", new.attempt.resource.type != main.resource.type),  # ATT-4
    )
    return [name for name, broken in checks if broken] + _input_faults(main, new)


def _input_faults(main: Attempt, new: Candidate) -> List[str]:
    """ATT-6"""
    if new.invalid_inputs:
        return ["invalid_inputs"]
    if main.digest is None or new.attempt.digest is None:
        return ["inputs_unknown"]
    return ["inputs_unchanged"] if main.digest == new.attempt.digest else []


def taken_faults(new: Candidate, taken: Collection[str]) -> List[str]:
    """ATT-12, and what SES-4 says of the resource alone."""
    checks = (
        ("resource_taken", new.attempt.id in taken),
        ("resource_deleted", new.attempt.resource.status == "deleted"),
    )
    return [name for name, broken in checks if broken]


def refuse_any(faults: List[str]) -> None:
    """ATT-13: the first fault is the error, and all of them are told."""
    if faults:
        raise Refused(faults[0], all=faults)


def append(action: Action, new: Candidate) -> Action:
    """ATT-8: the new attempt is the main one at once."""
    return replace(action, attempts=action.attempts + (new.attempt,))


def observe(action: Action, resource_id: str, status: str, as_of: int) -> Tuple[Action, str]:
    """An observation of a resource of the Action (ACT-4). Names are looked at even where it is frozen (RES-6)."""
    resources.require_listed(status, resources.STATUSES)
    attempt = _known(action, resource_id)
    resources.require_status(attempt.resource.type, status)
    if attempt is not action.main:
        return action, "frozen"  # ATT-9
    resource, outcome = resources.observe(attempt.resource, status, as_of)
    return _with_main(action, resource), outcome


def transition(action: Action, resource_id: str, event: str, at: int) -> Tuple[Action, str]:
    """A strict event of a resource of the Action (ACT-3)."""
    resources.require_listed(event, resources.EVENTS)
    attempt = _known(action, resource_id)
    resources.require_event(attempt.resource, event)
    if attempt is not action.main:
        return action, "frozen"  # ATT-9
    resource, outcome = resources.transition(attempt.resource, event, at)
    return _with_main(action, resource), outcome


def resolve(action: Action, resource_id: str, resolution: Resolution) -> Action:
    """RSL-1 to RSL-5"""
    attempt = _known(action, resource_id)
    checks = (
        ("not_verification", not attempt.resource.is_verification),
        ("not_main", attempt is not action.main),
        ("resolved", action.resolved),
        ("not_resolvable", attempt.resource.status not in RESOLVABLE),
        ("invalid_reason", len(resolution.reason or "") > MAX_REASON or not is_giver(resolution.by)),
    )
    for name, broken in checks:
        if broken:
            raise Refused(name)
    return replace(action, resolution=resolution)


def is_giver(by: Optional[str]) -> bool:
    """RSL-4: who gave a resolution need not be told, and has a form that an id may have."""
    return not by or is_id(by)


def _known(action: Action, resource_id: str) -> Attempt:
    """SES-12"""
    attempt = action.find(resource_id)
    if attempt is None:
        raise Refused("unknown_resource")
    return attempt


def _with_main(action: Action, resource: Resource) -> Action:
    main = replace(action.main, resource=resource)
    return replace(action, attempts=action.attempts[:-1] + (main,))


# The areas.


@dataclass(frozen=True)
class State:
    action: Action
    key: bytes
    elsewhere: FrozenSet[str]


def _begin(given: Dict[str, Any]) -> State:
    key = canonical.digest_key(given["session_id"], given.get("secret"))
    attempts = tuple(_given_attempt(told, key) for told in given["attempts"])
    if not attempts:
        raise ValueError("an Action without attempts")
    told = given.get("resolution")
    resolution = told and Resolution(times.second(told["at"]), told.get("reason"), told.get("by"))
    return State(Action(attempts, resolution), key, frozenset(given.get("taken") or ()))


def _given_attempt(told: Dict[str, Any], key: bytes) -> Attempt:
    as_of = times.second(told["as_of"]) if "as_of" in told else times.DEFAULT
    digest = canonical.digest(told["inputs"], key) if "inputs" in told else None
    return Attempt(told["id"], resources.make(told["type"], told["status"], as_of), digest)


def _retry(state: State, step: Step) -> Tuple[State, Result]:
    now = times.second(step["now"]) if "now" in step else times.DEFAULT
    new = candidate(step, state.key, now)
    taken = state.elsewhere.union(attempt.id for attempt in state.action.attempts)
    refuse_any(retry_faults(state.action, step["previous_attempt_id"], new) + taken_faults(new, taken))
    return replace(state, action=append(state.action, new)), {"outcome": "taken"}


def _observe(state: State, step: Step) -> Tuple[State, Result]:
    as_of = times.second(step["as_of"])
    action, outcome = observe(state.action, step["resource_id"], step["status"], as_of)
    return replace(state, action=action), {"outcome": outcome}


def _transition(state: State, step: Step) -> Tuple[State, Result]:
    at = times.second(step["at"])
    action, outcome = transition(state.action, step["resource_id"], step["event"], at)
    return replace(state, action=action), {"outcome": outcome}


def _resolve(state: State, step: Step) -> Tuple[State, Result]:
    resolution = Resolution(times.second(step["at"]), step.get("reason"), step.get("by"))
    action = resolve(state.action, step["resource_id"], resolution)
    return replace(state, action=action), {"outcome": "taken"}


def _digest(state: State, step: Step) -> Tuple[State, Result]:
    return state, {"digest": canonical.digest(step["inputs"], state.key)}


def _end(state: State) -> Result:
    action = state.action
    return {
        "status": action.main.resource.status,  # ATT-10
        "group": group_status([(action.main.resource, action.resolved)]),
        "left": action.retries_left,
        "verifications_used": action.verifications_used,
        "attempts": [{"id": attempt.id, "status": attempt.resource.status} for attempt in action.attempts],
        "resolution": action.resolution and _show_resolution(action.resolution),
    }


def _show_resolution(resolution: Resolution) -> Result:
    return {"reason": resolution.reason, "by": resolution.by, "at": times.show(resolution.at)}


AREA = Area(
    begin=_begin,
    steps={
        "retry": _retry,
        "observe": _observe,
        "transition": _transition,
        "resolve": _resolve,
        "digest": _digest,
    },
    end=_end,
)
