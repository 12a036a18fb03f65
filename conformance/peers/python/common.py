"""What every area uses: how it is put together, how it refuses, and the form of ids and names."""

from __future__ import annotations

from typing import Any, Callable, Dict, NamedTuple, Tuple

Step = Dict[str, Any]
Result = Dict[str, Any]


class Area(NamedTuple):
    """An area of the rules: a state that a question begins with, and steps that lead to the next one.

    States are values. A step that is refused therefore leaves nothing behind.
    """

    begin: Callable[[Dict[str, Any]], Any]
    steps: Dict[str, Callable[[Any, Step], Tuple[Any, Result]]]
    end: Callable[[Any], Result]


class Refused(Exception):
    """A rule forbids a step. `name` is the name of the error, `result` all that the answer says of it."""

    def __init__(self, name: str, **more: Any) -> None:
        super().__init__(name)
        self.name = name
        self.result = {"error": name, **more}


def is_id(value: Any) -> bool:
    """SES-11: an id is not empty, and has at most 128 bytes of UTF-8 without NUL."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        return 1 <= len(value.encode()) <= 128
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def is_name(value: Any) -> bool:
    """SES-11: a name has 1 to 128 characters."""
    return isinstance(value, str) and 1 <= len(value) <= 128
