"""Canonical JSON (RFC 8785), and the digest of inputs that is made from it (ATT-6)."""

from __future__ import annotations

import hmac
import json
import math
from decimal import Decimal
from typing import Any, Optional

from common import Refused

# They tell where a resource belongs, and not what was entered (ATT-6).
_NOT_INPUTS = ("workflow_session_id", "previous_attempt_id", "workspace_id")


def canonical(value: Any) -> str:
    """The one text of a JSON value. A ValueError says that the value is beyond JSON's common ground."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
    return "{" + ",".join(f"{canonical(name)}:{canonical(inner)}" for name, inner in members) + "}"


def digest_key(session_id: str, secret: Optional[str]) -> bytes:
    """The key of a session's digests: its id, or what a secret of the host makes of it."""
    key = session_id.encode()
    return hmac.digest(secret.encode(), key, "sha256") if secret else key


def digest(inputs: Any, key: bytes) -> str:
    """The HMAC-SHA-256 of inputs, in hexadecimal."""
    if not isinstance(inputs, dict):
        raise Refused("invalid_inputs")
    kept = {name: value for name, value in inputs.items() if name not in _NOT_INPUTS}
    try:
        text = canonical(kept).encode()
    except ValueError:
        raise Refused("invalid_inputs") from None
    return hmac.digest(key, text, "sha256").hex()


def _number(value: Any) -> str:
    """A number as ECMAScript writes it (Number::toString): every number is a double there."""
    try:
        double = float(value)
    except OverflowError:
        raise ValueError("a number too large for a double") from None
    if not math.isfinite(double):
        raise ValueError("a number too large for a double")
    if double == 0:
        return "0"  # also for -0
    # repr gives the shortest digits that read as this double, which ECMAScript asks for too.
    negative, figures, exponent = Decimal(repr(double)).as_tuple()
    digits = "".join(map(str, figures)).rstrip("0")
    point = len(figures) + exponent
    return ("-" if negative else "") + _place_point(digits, point)


def _place_point(digits: str, point: int) -> str:
    """Digits with the decimal point behind the first `point` of them."""
    if len(digits) <= point <= 21:
        return digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{mantissa}e{point - 1:+d}"
