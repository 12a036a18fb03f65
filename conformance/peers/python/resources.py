"""Types and statuses of resources (RES), how one resource moves (ACT), and area `resource`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Collection, Dict, FrozenSet, NamedTuple, Optional, Tuple

import times
from common import Area, Refused, Result, Step

# RES-1
GROUPS: Dict[str, Tuple[str, ...]] = {
    "signature_request": ("signature_request",),
    "identity_verification": ("identity_document_verification", "identity_video_verification"),
    "proof_of_address_verification": ("proof_of_address_verification",),
    "company_verification": ("company_verification",),
    "watchlist_verification": ("watchlist_verification",),
    "bank_account_verification": (
        "bank_account_verification",
        "bank_account_connection_verification",
        "bank_account_lookup_verification",
    ),
    "document_analysis": (
        "social_security_document_analysis",
        "company_certificate_document_analysis",
        "business_registration_certificate_document_analysis",
        "driver_licence_document_analysis",
        "rne_certificate_document_analysis",
        "temporary_vehicle_registration_document_analysis",
        "vehicle_registration_document_analysis",
        "auto_insurance_claims_history_document_analysis",
        "payslip_document_analysis",
        "invoice_document_analysis",
    ),
}
GROUP_OF = {kind: group for group, kinds in GROUPS.items() for kind in kinds}

# RES-3
NEVER_AWAIT_DATA = ("identity_video_verification", "watchlist_verification")

# RES-4, RES-5
BLOCKING = frozenset({"rejected", "declined", "canceled", "expired", "failed", "inconclusive"})
COMPLETE = frozenset({"done", "verified"})


class Move(NamedTuple):
    """A row of a table of events: where the event leads from, where to, and the webhook that tells of it."""

    sources: FrozenSet[str]
    target: str
    webhook: Optional[str]


class Machine(NamedTuple):
    """What a type can be, by rank with the lowest first (ACT-4), and its moves by event."""

    statuses: Tuple[str, ...]
    moves: Dict[str, Move]


@dataclass(frozen=True)
class Resource:
    """A resource as it is known: its status as of a second."""

    type: str
    status: str
    as_of: int

    @property
    def blocks(self) -> bool:
        return self.status in BLOCKING

    @property
    def complete(self) -> bool:
        return self.status in COMPLETE

    @property
    def is_verification(self) -> bool:
        return self.type != "signature_request"


def _signature_machine() -> Machine:
    """ACT-1"""
    removable = "draft paused done rejected declined expired canceled"
    rows = (
        # event, webhook, from, to
        ("activated", "activated", "draft", "ongoing"),
        ("activated_for_approval", "activated", "draft", "approval"),
        ("approved", "approved", "approval", "ongoing"),
        ("rejected", "rejected", "approval", "rejected"),
        ("done", "done", "ongoing", "done"),
        ("declined", "declined", "ongoing", "declined"),
        ("canceled", "canceled", "approval ongoing", "canceled"),
        ("expired", "expired", "approval ongoing", "expired"),
        ("reactivated", "reactivated", "expired", "ongoing"),
        ("reactivated_for_approval", "reactivated", "expired", "approval"),
        ("paused", "paused", "ongoing", "paused"),
        ("resumed", "resumed", "paused", "ongoing"),
        ("deleted", "deleted", removable, "deleted"),
        ("permanently_deleted", "permanently_deleted", removable + " deleted", "deleted"),
    )
    ranks = "draft approval ongoing paused expired rejected declined canceled done deleted"
    return Machine(
        statuses=tuple(ranks.split()),
        moves={
            event: Move(frozenset(sources.split()), target, f"signature_request.{webhook}")
            for event, webhook, sources, target in rows
        },
    )


def _verification_machine(kind: str) -> Machine:
    """ACT-2, with the exceptions of RES-3"""
    is_analysis = GROUP_OF[kind] == "document_analysis"
    success = "done" if is_analysis else "verified"
    webhook = "document_analysis.done" if is_analysis else f"verification.{kind[: -len('_verification')]}.done"
    open_statuses = ("pending",) if kind in NEVER_AWAIT_DATA else ("awaiting_data", "pending")
    results = ("inconclusive", "failed", success)

    moves = {result: Move(frozenset(open_statuses), result, webhook) for result in results}
    if "awaiting_data" in open_statuses:
        moves["data_received"] = Move(frozenset({"awaiting_data"}), "pending", None)
    return Machine(open_statuses + results, moves)


MACHINES = {
    kind: _signature_machine() if kind == "signature_request" else _verification_machine(kind) for kind in GROUP_OF
}

STATUSES = frozenset(status for machine in MACHINES.values() for status in machine.statuses)
EVENTS = frozenset(event for machine in MACHINES.values() for event in machine.moves)


def require_listed(name: str, names: Collection[str]) -> None:
    """RES-6: a name that is not listed for any type is refused."""
    if name not in names:
        raise Refused("unknown_name")


def machine_of(kind: str) -> Machine:
    """RES-6: a type that is not listed is refused."""
    if kind not in MACHINES:
        raise Refused("unknown_name")
    return MACHINES[kind]


def require_status(kind: str, status: str) -> None:
    """RES-6: so is a status that the type cannot have."""
    if status not in machine_of(kind).statuses:
        raise Refused("unknown_name")


def make(kind: str, status: str, as_of: int) -> Resource:
    """A resource with names that are known."""
    require_status(kind, status)
    return Resource(kind, status, as_of)


def allowed(resource: Resource) -> list[str]:
    """The events that the status allows, sorted."""
    moves = MACHINES[resource.type].moves
    return sorted(event for event, move in moves.items() if resource.status in move.sources)


def require_event(resource: Resource, event: str) -> None:
    """RES-6, ACT-3: an event that no machine has, or this one does not, is refused, whenever it was."""
    require_listed(event, EVENTS)
    if event not in MACHINES[resource.type].moves:
        raise Refused("not_allowed", allowed=allowed(resource))


def transition(resource: Resource, event: str, at: int) -> Tuple[Resource, str]:
    """ACT-3, ACT-4: a strict event. Returns the resource after it, and the outcome."""
    require_event(resource, event)
    if at < resource.as_of:
        return resource, "stale"
    move = MACHINES[resource.type].moves[event]
    if resource.status not in move.sources:
        raise Refused("not_allowed", allowed=allowed(resource))
    return replace(resource, status=move.target, as_of=at), "taken"


def observe(resource: Resource, status: str, as_of: int) -> Tuple[Resource, str]:
    """ACT-4: a report of a status. Returns the resource after it, and the outcome."""
    require_status(resource.type, status)
    rank = MACHINES[resource.type].statuses.index
    known, reported = (resource.as_of, rank(resource.status)), (as_of, rank(status))
    if reported < known:
        return resource, "stale"
    if reported == known:
        return resource, "duplicate"
    if status not in reachable(resource):
        raise Refused("contradiction")
    return replace(resource, status=status, as_of=as_of), "taken"


def reachable(resource: Resource) -> FrozenSet[str]:
    """Every status that some events lead to, the present one included."""
    moves = MACHINES[resource.type].moves.values()
    found = {resource.status}
    while True:
        further = {move.target for move in moves if move.sources & found}
        if further <= found:
            return frozenset(found)
        found |= further


# The area.


def _begin(given: Dict[str, Any]) -> Optional[Resource]:
    told = given.get("resource")
    return told and make(told["type"], told["status"], times.second(told["as_of"]))


def _describe(state: Optional[Resource], step: Step) -> Tuple[Optional[Resource], Result]:
    kind = step["type"]
    machine = machine_of(kind)
    if "status" not in step:
        return state, {"group_type": GROUP_OF[kind], "statuses": sorted(machine.statuses)}
    described = make(kind, step["status"], times.DEFAULT)
    return state, {"blocks": described.blocks, "complete": described.complete}


def _webhook(state: Optional[Resource], step: Step) -> Tuple[Optional[Resource], Result]:
    moves = machine_of(step["type"]).moves
    if step["event"] not in EVENTS:
        raise Refused("unknown_name")
    move = moves.get(step["event"])
    return state, {"webhook": move and move.webhook}


def _allowed(state: Resource, step: Step) -> Tuple[Resource, Result]:
    return state, {"allowed": allowed(state)}


def _transition(state: Resource, step: Step) -> Tuple[Resource, Result]:
    state, outcome = transition(state, step["event"], times.second(step["at"]))
    return state, {"outcome": outcome}


def _observe(state: Resource, step: Step) -> Tuple[Resource, Result]:
    state, outcome = observe(state, step["status"], times.second(step["as_of"]))
    return state, {"outcome": outcome}


def _end(state: Optional[Resource]) -> Result:
    if state is None:
        return {}
    return {"resource": {"type": state.type, "status": state.status, "as_of": times.show(state.as_of)}}


AREA = Area(
    begin=_begin,
    steps={
        "describe": _describe,
        "webhook": _webhook,
        "allowed": _allowed,
        "transition": _transition,
        "observe": _observe,
    },
    end=_end,
)
