"""Which subscriptions an event matches (SUB-2), and area `match`."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from common import Area, Result, Step

Subscription = Dict[str, Any]


def covers(listed: List[str], name: Optional[str]) -> bool:
    """An event without the thing in question is covered by `*` alone."""
    return "*" in listed or (name is not None and name in listed)


def matches(subscription: Subscription, event: Dict[str, Any]) -> bool:
    """SUB-2, with workspaces that are left out as `*` (SUB-3)."""
    workspaces = subscription.get("workspaces")
    return (
        subscription["enabled"]
        and subscription["sandbox"] == event["sandbox"]
        and covers(subscription["subscribed_events"], event["name"])
        and covers(subscription["scopes"], event.get("scope"))
        and covers(["*"] if workspaces is None else workspaces, event.get("workspace"))
    )


def _begin(given: Dict[str, Any]) -> List[Subscription]:
    return given["subscriptions"]


def _match(state: List[Subscription], step: Step) -> Tuple[List[Subscription], Result]:
    found = sorted(subscription["id"] for subscription in state if matches(subscription, step["event"]))
    return state, {"matches": found}


AREA = Area(begin=_begin, steps={"match": _match}, end=lambda state: {})
