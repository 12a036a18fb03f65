"""Times: seconds since 1970 as exact numbers, so that no rule is decided by rounding."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Optional, Union

Instant = Union[int, Fraction]

_EPOCH = datetime(1970, 1, 1)
_RFC3339 = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?Z")
_HTTP_DATES = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y")


def parse(text: str) -> Instant:
    """The instant of an RFC 3339 time in UTC."""
    match = _RFC3339.fullmatch(text)
    if not match:
        raise ValueError(f"no time in UTC: {text!r}")
    whole = _seconds(datetime.fromisoformat(match[1]))
    return whole + Fraction("0" + match[2]) if match[2] else whole


def second(text: str) -> int:
    """The whole second that a time lies in (ACT-4)."""
    return floor(parse(text))


def show(instant: Instant) -> str:
    """RFC 3339 in UTC, with a fraction only where the second is divided."""
    whole = floor(instant)
    nanoseconds = floor((instant - whole) * 10**9)
    fraction = f".{nanoseconds:09d}".rstrip("0") if nanoseconds else ""
    return (_EPOCH + timedelta(seconds=whole)).isoformat() + fraction + "Z"


def duration(seconds: Union[int, float]) -> Instant:
    """A setting in seconds, exactly as its digits say."""
    return seconds if isinstance(seconds, int) else Fraction(str(seconds))


def retry_after(header: Optional[str], now: Instant) -> Instant:
    """The delay that a Retry-After header asks for: 0 where it has passed or makes no sense."""
    text = (header or "").strip(" \t")
    if re.fullmatch("[0-9]+", text):
        # More digits than these are beyond any limit, and int() refuses thousands of them.
        return int(text) if len(text) <= 18 else 10**18
    for form in _HTTP_DATES:
        try:
            return max(0, _seconds(datetime.strptime(text, form)) - now)
        except ValueError:
            continue
    return 0


def _seconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1)


DEFAULT = second("2025-09-22T14:30:00Z")
