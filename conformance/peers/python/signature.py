"""Signatures of calls (WHK-10, WHK-11), and area `signature`."""

from __future__ import annotations

import hmac
import json
import re
from typing import Any, Dict, List, Optional, Tuple

import times
from common import Area, Refused, Result, Step

_HEADER = re.compile("sha256=([0-9a-fA-F]{64})")

# What the members of a body beside the id are, where they are there (WHK-10).
_TEXTS = ("event_name", "event_time", "subscription_id", "subscription_description")


def sign(body: bytes, secret: str) -> str:
    """WHK-11"""
    if not secret:
        raise Refused("invalid_secret")
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()


def verify(body: bytes, header: Optional[str], secrets: List[str]) -> None:
    """Refuses a header that none of the secrets explains."""
    if not secrets:
        raise Refused("invalid_secret")
    expected = [sign(body, secret) for secret in secrets]
    if not isinstance(header, str) or not _HEADER.fullmatch(header):
        raise Refused("malformed_header")
    # Each secret is compared, so that time does not tell which one it was.
    if not any([hmac.compare_digest(header.lower(), signature) for signature in expected]):
        raise Refused("signature_mismatch")


def check_issued(header: Any, now: times.Instant, tolerance: times.Instant) -> None:
    """Refuses a call from too long ago or too far ahead. A tolerance of 0 does not look."""
    if tolerance == 0:
        return
    if not isinstance(header, str) or not re.fullmatch("[0-9]{1,18}", header):
        raise Refused("malformed_header")
    if abs(now - int(header)) > tolerance:
        raise Refused("issued_at")


def event_id(body: bytes) -> str:
    """The event id of a body that is a document of WHK-10."""
    try:
        document = json.loads(body.decode())
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not _is_sound(document):
        raise Refused("invalid_document")
    return document["event_id"]


def _is_sound(document: Dict[str, Any]) -> bool:
    found = document.get("event_id")
    return (
        isinstance(found, str)
        and found != ""
        and all(isinstance(document.get(name, ""), str) for name in _TEXTS)
        and re.fullmatch("-?[0-9]+", document.get("event_time", "0")) is not None
        and isinstance(document.get("sandbox", False), bool)
    )


# The area.


def _body(step: Step) -> bytes:
    return bytes.fromhex(step["body_hex"]) if "body_hex" in step else step["body"].encode()


def _sign(state: None, step: Step) -> Tuple[None, Result]:
    return state, {"signature": sign(_body(step), step.get("secret") or "")}


def _verify(state: None, step: Step) -> Tuple[None, Result]:
    verify(_body(step), step.get("signature"), step.get("secrets") or [])
    return state, {"outcome": "taken"}


def _receive(state: None, step: Step) -> Tuple[None, Result]:
    body = _body(step)
    verify(body, step.get("signature"), step.get("secrets") or [])
    check_issued(step.get("issued_at"), times.parse(step["now"]), times.duration(step["tolerance_s"]))
    return state, {"event_id": event_id(body)}


AREA = Area(
    begin=lambda given: None,
    steps={"sign": _sign, "verify": _verify, "receive": _receive},
    end=lambda state: {},
)
