"""Sessions and their commands (SES), and area `session`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

import attempts
import canonical
import resources
import times
from attempts import Action, Candidate, Resolution
from common import Area, Refused, Result, Step, is_id, is_name
from groups import group_status

ANNOUNCED = {"ongoing": "started", "blocked": "blocked", "done": "done"}  # SES-7


@dataclass(frozen=True)
class Group:
    type: str
    actions: Tuple[Action, ...] = ()

    @property
    def status(self) -> str:
        return group_status((action.main.resource, action.resolved) for action in self.actions)


@dataclass(frozen=True)
class Session:
    id: str
    name: str
    workspace_id: Optional[str]
    template_id: str
    created_at: int
    updated_at: int
    groups: Tuple[Group, ...]

    @property
    def status(self) -> str:
        """SES-2"""
        found = {group.status for group in self.groups}
        if "blocked" in found:
            return "blocked"
        return found.pop() if len(found) == 1 else "ongoing"

    @property
    def key(self) -> bytes:
        return canonical.digest_key(self.id, None)

    def actions(self) -> Iterator[Action]:
        return (action for group in self.groups for action in group.actions)

    def holder(self, resource_id: str) -> Optional[Action]:
        """The Action that has the resource in any of its attempts."""
        return next((action for action in self.actions() if action.find(resource_id)), None)


State = Optional[Session]
Command = Callable[[State, Step], Tuple[Session, str]]


# Creation.


class Template(NamedTuple):
    id: str
    group_types: Tuple[str, ...]
    workspaces: Tuple[str, ...]


def read_template(told: Any) -> Template:
    """SES-1"""
    try:
        kinds = tuple(group["type"] for group in told["action_groups"])
        for kind in kinds:
            resources.require_listed(kind, resources.GROUPS)
        workspaces = tuple(told.get("workspaces") or ())
        sound = (
            is_id(told["id"])
            and is_name(told.get("name", "-"))
            and len(kinds) > 0
            and len(set(kinds)) == len(kinds)
            and all(is_id(workspace) for workspace in workspaces)
        )
    except (AttributeError, KeyError, TypeError):
        sound = False
    if not sound:
        raise Refused("invalid_template")
    return Template(told["id"], kinds, workspaces)


def choose_workspace(scope: Tuple[str, ...], given: Optional[str], default: Optional[str]) -> Optional[str]:
    """SES-3"""
    if given is None and len(scope) < 2:
        given = scope[0] if scope else default
    if given is None or scope and given not in scope:
        raise Refused("wrong_workspace")
    return given


def create(state: State, step: Step) -> Tuple[Session, str]:
    """SES-1, SES-3"""
    if state is not None:
        raise Refused("session_exists")
    if not is_id(step["id"]):
        raise Refused("invalid_id")
    if not is_name(step["name"]):
        raise Refused("invalid_name")
    template = read_template(step["template"])
    workspace = choose_workspace(template.workspaces, step.get("workspace_id"), step.get("default_workspace_id"))
    now = times.second(step["now"])
    groups = tuple(Group(kind) for kind in template.group_types)
    return Session(step["id"], step["name"], workspace, template.id, now, now, groups), "taken"


# Commands on a session that exists.


def existing(state: State) -> Session:
    if state is None:
        raise Refused("no_session")
    return state


def link(state: State, step: Step) -> Tuple[Session, str]:
    """SES-4"""
    if state is None:
        # What is wrong with the resource itself is told before that there is no session.
        attempts.candidate(step, b"", times.second(step["now"]))
    session = existing(state)
    new = _candidate(session, step)
    attempts.refuse_any(link_faults(session, step, new))
    previous_id = step.get("previous_attempt_id")
    if previous_id is not None:
        return _change(session, previous_id, lambda action: attempts.append(action, new)), "taken"
    added = Action((new.attempt,))
    kind = resources.GROUP_OF[new.attempt.resource.type]
    groups = tuple(
        replace(group, actions=group.actions + (added,)) if group.type == kind else group for group in session.groups
    )
    return replace(session, groups=groups), "taken"


def link_faults(session: Session, step: Step, new: Candidate) -> List[str]:
    """All that a link is refused for: the order of ATT-13, then SES-4."""
    taken = [attempt.id for action in session.actions() for attempt in action.attempts]
    faults = _chain_faults(session, step.get("previous_attempt_id"), new)
    faults += attempts.taken_faults(new, taken)
    if None not in (new.workspace_id, session.workspace_id) and new.workspace_id != session.workspace_id:
        faults.append("wrong_workspace")
    if resources.GROUP_OF[new.attempt.resource.type] not in [group.type for group in session.groups]:
        faults.append("no_group")
    return faults


def _chain_faults(session: Session, previous_id: Optional[str], new: Candidate) -> List[str]:
    """What is wrong with the place in a chain that the resource is to take."""
    action = None if previous_id is None else session.holder(previous_id)
    if action is not None:
        return attempts.retry_faults(action, previous_id, new)
    faults = [] if previous_id is None else ["not_main"]
    return faults + (["invalid_inputs"] if new.invalid_inputs else [])


def observe(state: State, step: Step) -> Tuple[Session, str]:
    resources.require_listed(step["status"], resources.STATUSES)
    as_of = times.second(step["as_of"])
    return _report(state, step, lambda action, id: attempts.observe(action, id, step["status"], as_of))


def transition(state: State, step: Step) -> Tuple[Session, str]:
    resources.require_listed(step["event"], resources.EVENTS)
    at = times.second(step["at"])
    return _report(state, step, lambda action, id: attempts.transition(action, id, step["event"], at))


def resolve(state: State, step: Step) -> Tuple[Session, str]:
    resolution = Resolution(times.second(step["now"]), step.get("reason"), step.get("by"))
    return _report(state, step, lambda action, id: (attempts.resolve(action, id, resolution), "taken"))


def _report(state: State, step: Step, hear: Callable[[Action, str], Tuple[Action, str]]) -> Tuple[Session, str]:
    """Lets the Action that has a resource hear of it (SES-12)."""
    session, resource_id = existing(state), step["resource_id"]
    action = session.holder(resource_id)
    if action is None:
        raise Refused("unknown_resource")
    changed, outcome = hear(action, resource_id)
    return _change(session, resource_id, lambda _: changed), outcome


def _change(session: Session, resource_id: str, change: Callable[[Action], Action]) -> Session:
    """The session with the Action changed that has the resource."""

    def changed(group: Group) -> Group:
        actions = (change(action) if action.find(resource_id) else action for action in group.actions)
        return replace(group, actions=tuple(actions))

    return replace(session, groups=tuple(map(changed, session.groups)))


def _candidate(session: Session, step: Step) -> Candidate:
    return attempts.candidate(step, session.key, times.second(step["now"]))


# What follows of a command.


def announcements(before: State, after: Session) -> List[Result]:
    """SES-7: the net change of a command, the groups in template order and then the session."""
    told_groups = before.groups if before else [Group(group.type) for group in after.groups]
    found = []
    for old, new in zip(told_groups, after.groups):
        if old.status != new.status and new.status in ANNOUNCED:
            found.append({"name": f"workflow_action_group.{ANNOUNCED[new.status]}", "group_type": new.type})
    old_status = before.status if before else "awaiting"
    if old_status != after.status and after.status in ANNOUNCED:
        found.append({"name": f"workflow_session.{ANNOUNCED[after.status]}"})
    return found


def _shown(session: Session) -> Any:
    """What the public API shows of the Actions: all but the as-of (SES-8)."""
    return [
        (action.resolution, [(attempt.id, attempt.resource.status) for attempt in action.attempts])
        for action in session.actions()
    ]


def _step(command: Command) -> Callable[[State, Step], Tuple[Session, Result]]:
    """A command as a step of the area: `updated_at` (SES-8) and the announcements."""

    def run(before: State, step: Step) -> Tuple[Session, Result]:
        after, outcome = command(before, step)
        if before is not None and _shown(after) != _shown(before):
            after = replace(after, updated_at=max(before.updated_at, times.second(step["now"])))
        return after, {"outcome": outcome, "announcements": announcements(before, after)}

    return run


# Questions to a session, which change nothing.


def _refusals(state: State, step: Step) -> Tuple[State, Result]:
    session = existing(state)
    return state, {"refusals": link_faults(session, step, _candidate(session, step))}


def _blockers(state: State, step: Step) -> Tuple[State, Result]:
    """SES-9"""
    blockers = [
        {
            "group_type": group.type,
            "resource_id": action.main.id,
            "attempt": len(action.attempts),
            "ways_out": ways_out(action),
        }
        for group in existing(state).groups
        for action in group.actions
        if action.main.resource.blocks and not action.resolved
    ]
    return state, {"blockers": blockers}


def ways_out(action: Action) -> List[Result]:
    """SES-9: what can be done about an Action that blocks."""
    resource = action.main.resource
    events = resources.allowed(resource)
    ways = []
    if action.retries_left and action.main.digest is not None:
        ways.append({"way": "retry", "attempts_left": action.retries_left})
    if resource.is_verification and resource.status in attempts.RESOLVABLE:
        ways.append({"way": "resolve"})
    if "deleted" in events:
        ways.append({"way": "delete"})
    if "reactivated" in events:
        ways.append({"way": "reactivate"})
    return ways


def _end(state: State) -> Result:
    return {"session": state and _show_session(state)}


def _show_session(session: Session) -> Result:
    return {
        "id": session.id,
        "name": session.name,
        "workspace_id": session.workspace_id,
        "template_id": session.template_id,
        "status": session.status,
        "created_at": times.show(session.created_at),
        "updated_at": times.show(session.updated_at),
        "verifications_used": sum(action.verifications_used for action in session.actions()),
        "groups": [
            {"type": group.type, "status": group.status, "actions": [_show_action(action) for action in group.actions]}
            for group in session.groups
        ],
    }


def _show_action(action: Action) -> Result:
    return {
        "status": action.main.resource.status,
        "resolved": action.resolved,
        "attempts": [
            {"id": attempt.id, "status": attempt.resource.status, "as_of": times.show(attempt.resource.as_of)}
            for attempt in action.attempts
        ],
    }


STEPS = {
    "create": _step(create),
    "link": _step(link),
    "observe": _step(observe),
    "transition": _step(transition),
    "resolve": _step(resolve),
    "refusals": _refusals,
    "blockers": _blockers,
    "show": lambda state, step: (state, _end(state)),
}


def _begin(given: Dict[str, Any]) -> State:
    """The session after the steps before, of which none is refused."""
    state = None
    for step in given.get("before") or ():
        state, _ = STEPS[step["do"]](state, step)
    return state


AREA = Area(begin=_begin, steps=STEPS, end=_end)
