"""Delivery of one event to one endpoint (WHK-1 to WHK-7, WHK-13, WHK-14), and area `delivery`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, Mapping, Optional, Tuple

import times
from common import Area, Result, Step
from times import Instant

MINUTE, HOUR, DAY = 60, 3600, 86400

# What the rules say where a host says nothing else.
POLICY: Dict[str, Any] = {
    "first_timeout_s": 1,  # WHK-2
    "retry_timeout_s": 10,
    "delays_s": [2 * MINUTE, 6 * MINUTE, 30 * MINUTE, HOUR, 5 * HOUR, 18 * HOUR, DAY, 2 * DAY],  # WHK-3
    "max_retry_after_s": DAY,  # WHK-13
    "gone_ends": False,
}

# Settings that other areas look at: a delivery takes them, and goes on as before.
OTHER_SETTINGS = frozenset(
    "window_s min_ended failed_percent probe_after_s probe_max_s drain_per_second"
    " retry_count_header signature_header issued_at_header user_agent".split()
)

ANSWERS = frozenset({"answered", "body_too_long"})
OTHER_RESULTS = frozenset(
    "timed_out connection_refused connection_failed tls_failed dns_failed address_refused too_many_redirects".split()
)


@dataclass(frozen=True)
class Subscription:
    enabled: bool
    auto_retry: bool
    deleted: bool = False


@dataclass(frozen=True)
class Delivery:
    """A delivery. `number` of its calls were made, so the next one has this number (WHK-6)."""

    policy: Mapping[str, Any]
    subscription: Subscription
    due: Optional[Instant]
    number: int = 0
    state: str = "pending"
    calling: bool = False
    timed_out_at_first: bool = False
    last: Optional[Result] = None  # the decision that ended it


Decided = Tuple[Delivery, Result]


def ask(delivery: Delivery, now: Instant) -> Decided:
    """Is anything due?"""
    if delivery.last is not None:
        return delivery, delivery.last
    if now < delivery.due:
        return delivery, _wait(delivery)
    reason = _reason_to_cancel(delivery)
    if reason:
        return _finish(delivery, "canceled", {"verdict": "cancel", "reason": reason})
    timeout = delivery.policy["retry_timeout_s" if delivery.number else "first_timeout_s"]
    return replace(delivery, calling=True), {"verdict": "call", "number": delivery.number, "timeout_s": timeout}


def _reason_to_cancel(delivery: Delivery) -> Optional[str]:
    """WHK-7: what the subscription says at the moment when a call falls due."""
    if delivery.subscription.deleted:
        return "deleted"
    if not delivery.subscription.enabled:
        return "disabled"
    granted = delivery.number == 1 and delivery.timed_out_at_first  # WHK-5
    if delivery.number > 0 and not delivery.subscription.auto_retry and not granted:
        return "auto_retry_off"
    return None


def succeeded(call: Step) -> bool:
    """WHK-1"""
    if call["result"] not in ANSWERS | OTHER_RESULTS:
        raise ValueError(f"no result of a call: {call['result']!r}")
    return call["result"] in ANSWERS and 200 <= call["status"] <= 399


def called(delivery: Delivery, call: Step) -> Decided:
    """A call has ended: what comes of it."""
    if delivery.last is not None:
        return delivery, delivery.last
    if not delivery.calling:
        raise ValueError("no call was wanted")
    number = delivery.number
    timed_out_at_first = number == 0 and call["result"] == "timed_out"
    made = replace(
        delivery,
        calling=False,
        number=number + 1,
        timed_out_at_first=delivery.timed_out_at_first or timed_out_at_first,
    )
    if succeeded(call):
        return _finish(made, "delivered", {"verdict": "done"})
    if delivery.policy["gone_ends"] and call["result"] in ANSWERS and call["status"] == 410:
        return _finish(made, "canceled", {"verdict": "cancel", "reason": "gone"})  # WHK-13
    may_retry = delivery.subscription.auto_retry or timed_out_at_first  # WHK-4, WHK-5
    if not may_retry or number >= len(delivery.policy["delays_s"]):
        return _finish(made, "exhausted", {"verdict": "exhaust"})
    ended = times.parse(call["ended"])
    waiting = replace(made, state="waiting", due=ended + _delay(delivery, call, ended))
    return waiting, _wait(waiting)


def _delay(delivery: Delivery, call: Step, ended: Instant) -> Instant:
    """WHK-3, WHK-13: the longer of the schedule's delay and the one that the answer asks for."""
    scheduled = times.duration(delivery.policy["delays_s"][delivery.number])
    if call["result"] not in ANSWERS:
        return scheduled
    limit = times.duration(delivery.policy["max_retry_after_s"])
    return max(scheduled, min(limit, times.retry_after(call.get("retry_after"), ended)))


def _wait(delivery: Delivery) -> Result:
    return {"verdict": "wait", "number": delivery.number, "at": times.show(delivery.due)}


def _finish(delivery: Delivery, state: str, decision: Result) -> Decided:
    return replace(delivery, state=state, due=None, calling=False, last=decision), decision


# The area.


def _begin(given: Dict[str, Any]) -> Delivery:
    own = given.get("policy") or {}
    unknown = sorted(set(own) - set(POLICY) - OTHER_SETTINGS)
    if unknown:
        raise ValueError(f"no settings: {', '.join(unknown)}")
    told = given["subscription"]
    subscription = Subscription(told["enabled"], told["auto_retry"])
    return Delivery({**POLICY, **own}, subscription, times.parse(given["created_at"]))


def _ask(delivery: Delivery, step: Step) -> Decided:
    return ask(delivery, times.parse(step["now"]))


def _subscription(delivery: Delivery, step: Step) -> Decided:
    changes = {name: step[name] for name in ("enabled", "auto_retry", "deleted") if name in step}
    changed = replace(delivery, subscription=replace(delivery.subscription, **changes))
    return changed, {"outcome": "taken"}


def _end(delivery: Delivery) -> Result:
    due = None if delivery.due is None else times.show(delivery.due)
    return {"state": delivery.state, "number": delivery.number, "due": due}


AREA = Area(begin=_begin, steps={"ask": _ask, "ended": called, "subscription": _subscription}, end=_end)
