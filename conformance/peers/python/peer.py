"""Answers the questions of the conformance protocol (FORMAT.md) from standard input to standard output."""

from __future__ import annotations

import json
import sys
from typing import Any, BinaryIO, Dict, TextIO

import attempts
import delivery
import groups
import matching
import resources
import sessions
import signature
from common import Area, Refused

GREETING = {"protocol": "sluice-conformance", "version": 1, "name": "sluice peer in Python"}

AREAS: Dict[str, Area] = {
    "resource": resources.AREA,
    "attempt": attempts.AREA,
    "resolve": attempts.AREA,
    "group": groups.AREA,
    "session": sessions.AREA,
    "delivery": delivery.AREA,
    "match": matching.AREA,
    "signature": signature.AREA,
}


def main(questions: BinaryIO, answers: TextIO) -> None:
    """Greets, and answers line by line until the input ends."""
    first = questions.readline()
    if not first:
        return
    _say(GREETING, answers)
    if not _is_greeted(first):
        return
    for line in questions:
        _say(answer(line), answers)


def _is_greeted(line: bytes) -> bool:
    try:
        greeting = _read(line)
    except ValueError:
        return False
    return all(isinstance(greeting, dict) and greeting.get(name) == GREETING[name] for name in ("protocol", "version"))


def answer(line: bytes) -> Dict[str, Any]:
    """The answer to one line, whatever it is."""
    name = ""
    try:
        question = _read(line)
        if not isinstance(question, dict) or not isinstance(question.get("id"), str):
            raise ValueError("a question is an object with an id")
        name = question["id"]
        if question["area"] not in AREAS:
            return {"id": name, "unknown_area": True}
        return {"id": name, "then": run(AREAS[question["area"]], question)}
    except Exception as problem:  # A question that makes no sense must not keep the next one from its answer.
        return {"id": name, "failure": f"{type(problem).__name__}: {problem}"}


def run(area: Area, question: Dict[str, Any]) -> Dict[str, Any]:
    """Takes the steps of a question, one after the other."""
    state = area.begin(question["given"])
    results = []
    for step in question["when"]:
        if step["do"] not in area.steps:
            raise ValueError(f"the area has no step {step['do']!r}")
        try:
            state, result = area.steps[step["do"]](state, step)
        except Refused as refusal:
            result = refusal.result
        results.append(result)
    return {"steps": results, "end": area.end(state)}


def _read(line: bytes) -> Any:
    return json.loads(line.decode(), parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _say(message: Dict[str, Any], answers: TextIO) -> None:
    # Escaped as ASCII, a message is UTF-8 whatever encoding the stream has.
    answers.write(json.dumps(message, separators=(",", ":")) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout)
