"""Tests of the peer: the protocol, the examples of FORMAT.md, and the rules of each area."""

import hashlib
import hmac
import json
import os
import random
import subprocess
import sys
import unittest

import canonical
import peer
import resources
import times

HERE = os.path.dirname(os.path.abspath(__file__))
GREETING = '{"protocol":"sluice-conformance","version":1}'


def talk(*lines):
    """Runs the program on lines of input, and gives its answers and its status."""
    done = subprocess.run(
        [sys.executable, os.path.join(HERE, "peer.py")],
        input="".join(line + "\n" for line in lines).encode(),
        stdout=subprocess.PIPE,
        timeout=10,
    )
    return [json.loads(line) for line in done.stdout.decode().splitlines()], done.returncode


def ask(area, given, *steps):
    """The `then` of a question that makes sense."""
    question = {"id": "q", "area": area, "given": given, "when": list(steps)}
    answer = peer.answer(json.dumps(question).encode())
    if "then" not in answer:
        raise AssertionError(answer)
    return answer["then"]


def fits(pattern, answer):
    """Whether an answer fits a pattern, as FORMAT.md has it."""
    if isinstance(pattern, dict):
        return isinstance(answer, dict) and all(fits(value, answer.get(name)) for name, value in pattern.items())
    if isinstance(pattern, list):
        return isinstance(answer, list) and len(pattern) == len(answer) and all(map(fits, pattern, answer))
    return type(pattern) is type(answer) and pattern == answer


class Fitting(unittest.TestCase):
    def assertFits(self, pattern, answer):
        self.assertTrue(fits(pattern, answer), f"\n  wanted {pattern}\n  got    {answer}")

    def assertSteps(self, area, given, *pairs, end=None):
        """Takes steps, and holds each result and the end against a pattern."""
        then = ask(area, given, *(step for step, _ in pairs))
        self.assertFits([pattern for _, pattern in pairs], then["steps"])
        if end is not None:
            self.assertFits(end, then["end"])


class Protocol(Fitting):
    def test_greeting_and_example(self):
        question = '{"id":"group/join/empty","area":"group","given":{"group_type":"company_verification"},"when":[]}'
        answers, status = talk(GREETING, question)
        self.assertEqual(answers[0], {**json.loads(GREETING), "name": "sluice peer in Python"})
        self.assertEqual(answers[1], {"id": "group/join/empty", "then": {"steps": [], "end": {"status": "awaiting"}}})
        self.assertEqual(status, 0)

    def test_other_version_ends(self):
        answers, status = talk('{"protocol":"sluice-conformance","version":2}', "{}")
        self.assertEqual(([answer["version"] for answer in answers], status), ([1], 0))

    def test_no_input(self):
        self.assertEqual(talk(), ([], 0))

    def test_broken_questions_do_not_end_it(self):
        broken = [
            "{",
            "[]",
            '{"id":1}',
            '{"id":"a"}',
            '{"id":"a","area":[],"given":{},"when":[]}',
            '{"id":"a","area":"group","given":{},"when":[]}',
            '{"id":"a","area":"resource","given":{},"when":[{"do":"fly"}]}',
            '{"id":"a","area":"resource","given":{},"when":[{"do":"allowed"}]}',
            '{"id":"a","area":"resource","given":NaN,"when":[]}',
            "[" * 100000,
        ]
        answers, status = talk(GREETING, *broken, '{"id":"b","area":"nowhere","given":{},"when":[]}')
        self.assertEqual(len(answers), len(broken) + 2)
        for answer in answers[1:-1]:
            self.assertEqual(sorted(answer), ["failure", "id"])
        self.assertEqual(answers[-1], {"id": "b", "unknown_area": True})
        self.assertEqual(status, 0)

    def test_example_vector(self):
        company = {"type": "company_verification", "status": "pending"}
        retry = {
            "do": "retry",
            "previous_attempt_id": "v1",
            "inputs": {"siren": "2"},
            "resource": {"id": "v2", **company},
        }
        self.assertSteps(
            "attempt",
            {"session_id": "s1", "attempts": [{"id": "v1", **company, "inputs": {"siren": "1"}}]},
            (retry, {"error": "not_blocking", "all": ["not_blocking"]}),
            end={"status": "pending", "attempts": [{"id": "v1", "status": "pending"}]},
        )


class Canonical(unittest.TestCase):
    def test_numbers(self):
        cases = {
            "333333333.33333329": "333333333.3333333",
            "1E30": "1e+30",
            "4.50": "4.5",
            "2e-3": "0.002",
            "0.000000000000000000000000001": "1e-27",
            "-0.0": "0",
            "-0": "0",
            "5e-324": "5e-324",
            "1.7976931348623157e308": "1.7976931348623157e+308",
            "9007199254740993": "9007199254740992",
            "100000000000000000000": "100000000000000000000",
            "1e21": "1e+21",
            "123456789012345678901234": "1.2345678901234569e+23",
            "0.000001": "0.000001",
            "0.0000001": "1e-7",
            "-12.5": "-12.5",
        }
        for written, wanted in cases.items():
            self.assertEqual(canonical.canonical(json.loads(written)), wanted, written)

    def test_members_by_utf16(self):
        names = ["€", "\r", "\ufb33", "1", "😀", "\x80", "ö"]
        text = canonical.canonical({name: True for name in names})
        self.assertEqual(list(json.loads(text)), ["\r", "1", "\x80", "ö", "€", "😀", "\ufb33"])

    def test_texts(self):
        self.assertEqual(canonical.canonical('€$\x0f\nA\'B"\\/\x7f'), '"€$\\u000f\\nA\'B\\"\\\\/\x7f"')

    def test_digest(self):
        wanted = hmac.new(b"s1", b'{"a":[1,null],"b":{"workspace_id":"x"}}', hashlib.sha256).hexdigest()
        inputs = {"workspace_id": "w", "b": {"workspace_id": "x"}, "a": [1.0, None], "previous_attempt_id": "v"}
        self.assertEqual(canonical.digest(inputs, canonical.digest_key("s1", None)), wanted)
        key = hmac.new("é".encode(), b"s1", hashlib.sha256).digest()
        self.assertEqual(canonical.digest_key("s1", "é"), key)


class Times(unittest.TestCase):
    def test_forms(self):
        for text in ("2025-09-22T14:30:00Z", "2025-09-22T14:30:00.1Z", "1969-12-31T23:59:59.999Z"):
            self.assertEqual(times.show(times.parse(text)), text)
        self.assertEqual(times.second("1969-12-31T23:59:59.999Z"), -1)
        day = "2025-09-22"
        for text in (f"{day}T14:30:00", f"{day}T14:30:00+00:00", f"{day} 14:30:00Z", "2025-09-31T14:30:00Z"):
            self.assertRaises(ValueError, times.parse, text)

    def test_retry_after(self):
        now = times.parse("2025-09-22T14:30:00Z")
        cases = {
            "90": 90,
            " 90\t": 90,
            "9" * 5000: 10**18,
            "Mon, 22 Sep 2025 14:31:00 GMT": 60,
            "Monday, 22-Sep-25 14:31:00 GMT": 60,
            "Mon Sep 22 14:31:00 2025": 60,
            "Mon, 22 Sep 2025 14:00:00 GMT": 0,
            "-5": 0,
            "1.5": 0,
            "soon": 0,
            "": 0,
        }
        for header, wanted in cases.items():
            self.assertEqual(times.retry_after(header, now), wanted, header)
        self.assertEqual(times.retry_after(None, now), 0)


class Resource(Fitting):
    GIVEN = {"resource": {"type": "signature_request", "status": "ongoing", "as_of": "2025-09-22T14:30:00Z"}}

    def observe(self, status, as_of):
        return {"do": "observe", "status": status, "as_of": f"2025-09-22T{as_of}Z"}

    def transition(self, event, at):
        return {"do": "transition", "event": event, "at": f"2025-09-22T{at}Z"}

    def test_tables(self):
        video = {"do": "describe", "type": "identity_video_verification"}
        self.assertSteps(
            "resource",
            {},
            (
                video,
                {
                    "group_type": "identity_verification",
                    "statuses": ["failed", "inconclusive", "pending", "verified"],
                },
            ),
            ({**video, "status": "failed"}, {"blocks": True, "complete": False}),
            ({**video, "status": "awaiting_data"}, {"error": "unknown_name"}),
            ({"do": "describe", "type": "invoice_document_analysis", "status": "done"}, {"complete": True}),
            ({"do": "describe", "type": "Signature_request"}, {"error": "unknown_name"}),
            end={},
        )

    def test_webhooks(self):
        company = {"do": "webhook", "type": "company_verification", "event": "failed"}
        self.assertSteps(
            "resource",
            {},
            (company, {"webhook": "verification.company.done"}),
            ({**company, "event": "data_received"}, {"webhook": None}),
            ({**company, "event": "data_received", "type": "watchlist_verification"}, {"webhook": None}),
            ({**company, "event": "paused"}, {"webhook": None}),
            ({**company, "event": "signer.done"}, {"error": "unknown_name"}),
            ({**company, "type": "invoice_document_analysis"}, {"webhook": "document_analysis.done"}),
        )

    def test_strict_events(self):
        allowed = ["canceled", "declined", "done", "expired", "paused"]
        self.assertSteps(
            "resource",
            self.GIVEN,
            ({"do": "allowed"}, {"allowed": allowed}),
            (self.transition("approved", "14:31:00"), {"error": "not_allowed", "allowed": allowed}),
            (self.transition("approved", "14:29:59"), {"outcome": "stale"}),
            (self.transition("verified", "14:29:59"), {"error": "not_allowed", "allowed": allowed}),
            (self.transition("Paused", "14:29:59"), {"error": "unknown_name"}),
            (self.transition("paused", "14:30:00"), {"outcome": "taken"}),
            end={"resource": {"status": "paused", "as_of": "2025-09-22T14:30:00Z"}},
        )

    def test_observations(self):
        self.assertSteps(
            "resource",
            self.GIVEN,
            (self.observe("approval", "14:30:00"), {"outcome": "stale"}),
            (self.observe("ongoing", "14:30:00.999"), {"outcome": "duplicate"}),
            (self.observe("draft", "14:31:00"), {"error": "contradiction"}),
            (self.observe("failed", "14:29:00"), {"error": "unknown_name"}),
            (self.observe("ongoing", "14:30:05"), {"outcome": "taken"}),
            (self.observe("rejected", "14:30:06"), {"outcome": "taken"}),
            (self.observe("ongoing", "14:30:07"), {"error": "contradiction"}),
            end={"resource": {"status": "rejected", "as_of": "2025-09-22T14:30:06Z"}},
        )

    def test_reach(self):
        approval = resources.make("signature_request", "approval", 0)
        statuses = set(resources.MACHINES["signature_request"].statuses)
        self.assertEqual(statuses - resources.reachable(approval), {"draft"})
        verified = resources.make("company_verification", "verified", 0)
        self.assertEqual(resources.reachable(verified), {"verified"})

    def test_order_of_observations_does_not_matter(self):
        """ACT-5, on histories made at random."""
        chance = random.Random(5)
        for _ in range(300):
            history = self.history(chance)
            ends = set()
            for _ in range(10):
                resource = resources.make("signature_request", *chance.choice(history))
                for status, as_of in chance.choices(history, k=4) + chance.sample(history, len(history)):
                    resource, _ = resources.observe(resource, status, as_of)
                ends.add(resource)
            self.assertEqual(len(ends), 1, history)

    def history(self, chance):
        resource, history = resources.make("signature_request", "draft", 0), [("draft", 0)]
        for _ in range(chance.randint(0, 12)):
            event = chance.choice(resources.allowed(resource))
            resource, _ = resources.transition(resource, event, resource.as_of + chance.randint(0, 1))
            history.append((resource.status, resource.as_of))
        return history


class Attempts(Fitting):
    def given(self, *statuses, **more):
        kind = more.pop("type", "company_verification")
        attempts = [
            {"id": f"v{place}", "type": kind, "status": status, "inputs": {"n": place}}
            for place, status in enumerate(statuses, 1)
        ]
        return {"session_id": "s1", "attempts": attempts, **more}

    def retry(self, previous, new, status="failed", inputs=None, type="company_verification"):
        step = {"do": "retry", "previous_attempt_id": previous, "resource": {"id": new, "type": type, "status": status}}
        return step if inputs is None else {**step, "inputs": inputs}

    def test_chain(self):
        at = "2025-09-22T15:00:00Z"
        self.assertSteps(
            "attempt",
            self.given("failed"),
            (self.retry("v1", "v2", inputs={"n": 1.0}), {"error": "inputs_unchanged"}),
            (self.retry("v1", "v2", inputs={"n": 2}), {"outcome": "taken"}),
            (self.retry("v2", "v3", status="pending", inputs={"n": 1}), {"outcome": "taken"}),
            ({"do": "observe", "resource_id": "v1", "status": "verified", "as_of": at}, {"outcome": "frozen"}),
            ({"do": "observe", "resource_id": "v9", "status": "verified", "as_of": at}, {"error": "unknown_resource"}),
            ({"do": "transition", "resource_id": "v3", "event": "failed", "at": at}, {"outcome": "taken"}),
            end={
                "status": "failed",
                "group": "blocked",
                "left": 7,
                "verifications_used": 3,
                "attempts": [{"id": f"v{n}", "status": "failed"} for n in (1, 2, 3)],
                "resolution": None,
            },
        )

    def test_all_faults(self):
        wrong = self.retry("v1", "v2", type="watchlist_verification")
        self.assertSteps(
            "attempt",
            self.given(*["failed"] * 9, "verified", resolution={"at": "2025-09-22T15:00:00Z"}),
            (
                wrong,
                {
                    "error": "resolved",
                    "all": [
                        "resolved",
                        "complete",
                        "not_main",
                        "too_many",
                        "type_changed",
                        "inputs_unknown",
                        "resource_taken",
                    ],
                },
            ),
        )

    def test_the_resource_itself(self):
        then = ask(
            "attempt",
            self.given("failed", taken=["x"]),
            self.retry("v1", "", inputs={}),
            self.retry("v1", "v2", status="done", inputs={}),
            self.retry("v1", "x", inputs=[]),
        )
        self.assertEqual(then["steps"][:2], [{"error": "invalid_id"}, {"error": "unknown_name"}])
        self.assertEqual(then["steps"][2]["all"], ["invalid_inputs", "resource_taken"])

    def test_resolve(self):
        step = {"do": "resolve", "resource_id": "v2", "reason": "é" * 150, "by": "Ada", "at": "2025-09-22T15:00:00Z"}
        self.assertSteps(
            "resolve",
            self.given("failed", "inconclusive"),
            ({**step, "resource_id": "v1"}, {"error": "not_main"}),
            ({**step, "resource_id": "v3"}, {"error": "unknown_resource"}),
            ({**step, "reason": "é" * 151}, {"error": "invalid_reason"}),
            (step, {"outcome": "taken"}),
            (step, {"error": "resolved"}),
            end={"group": "done", "status": "inconclusive", "resolution": {"by": "Ada", "at": "2025-09-22T15:00:00Z"}},
        )
        request = self.given("expired", type="signature_request")
        self.assertSteps("resolve", request, ({**step, "resource_id": "v1"}, {"error": "not_verification"}))


class Groups(Fitting):
    def test_join(self):
        def add(status, **more):
            return {"do": "add", "type": "signature_request", "status": status, **more}

        self.assertSteps(
            "group",
            {"group_type": "signature_request"},
            (add("draft"), {"status": "awaiting"}),
            (add("deleted", previous=["declined"]), {"status": "awaiting"}),
            (add("done"), {"status": "done"}),
            (add("paused"), {"status": "ongoing"}),
            (add("expired"), {"status": "blocked"}),
            (add("pending"), {"error": "unknown_name"}),
            ({"do": "add", "type": "company_verification", "status": "pending"}, {"error": "no_group"}),
            end={"status": "blocked"},
        )

    def test_resolved(self):
        failed = {"do": "add", "type": "company_verification", "status": "failed", "resolved": True}
        self.assertSteps("group", {"group_type": "company_verification"}, (failed, {"status": "done"}))


class Sessions(Fitting):
    CREATE = {
        "do": "create",
        "id": "s1",
        "name": "Kelly",
        "now": "2025-09-22T14:30:00.5Z",
        "template": {"id": "t1", "action_groups": [{"type": "company_verification"}, {"type": "signature_request"}]},
    }

    def link(self, id, status, minute, inputs=None, type="company_verification", previous=None, **more):
        step = {
            "do": "link",
            "now": f"2025-09-22T14:{minute}:00Z",
            "resource": {"id": id, "type": type, "status": status, **more},
        }
        if inputs is not None:
            step["inputs"] = inputs
        if previous is not None:
            step["previous_attempt_id"] = previous
        return step

    def test_life(self):
        refused = self.link("v1", "deleted", 34, type="signature_request", workspace_id="w2")
        show = {"do": "show", "now": "2025-09-22T14:35:00Z"}
        group, session = "workflow_action_group.", "workflow_session."
        kind = "company_verification"
        self.assertSteps(
            "session",
            {},
            (self.link("v1", "failed", 31), {"error": "no_session"}),
            ({**self.CREATE, "workspace_id": "w1"}, {"outcome": "taken", "announcements": []}),
            (self.CREATE, {"error": "session_exists"}),
            (
                self.link("v1", "failed", 31, inputs={"n": 1}),
                {"announcements": [{"name": group + "blocked", "group_type": kind}, {"name": session + "blocked"}]},
            ),
            (
                self.link("v2", "verified", 32, inputs={"n": 2}, previous="v1"),
                {"announcements": [{"name": group + "done", "group_type": kind}, {"name": session + "started"}]},
            ),
            (refused, {"error": "resource_taken", "all": ["resource_taken", "resource_deleted", "wrong_workspace"]}),
            ({**refused, "do": "refusals"}, {"refusals": ["resource_taken", "resource_deleted", "wrong_workspace"]}),
            (
                {
                    "do": "observe",
                    "now": "2025-09-22T14:36:00Z",
                    "resource_id": "v2",
                    "status": "verified",
                    "as_of": "2025-09-22T14:35:00Z",
                },
                {"outcome": "taken", "announcements": []},
            ),
            (show, {"session": {"status": "ongoing", "workspace_id": "w1", "template_id": "t1"}}),
            end={
                "session": {
                    "created_at": "2025-09-22T14:30:00Z",
                    "updated_at": "2025-09-22T14:32:00Z",
                    "verifications_used": 2,
                    "groups": [
                        {
                            "status": "done",
                            "actions": [
                                {
                                    "status": "verified",
                                    "resolved": False,
                                    "attempts": [{"id": "v1"}, {"id": "v2", "as_of": "2025-09-22T14:35:00Z"}],
                                }
                            ],
                        },
                        {"status": "awaiting", "actions": []},
                    ],
                }
            },
        )

    def test_ways_out(self):
        self.assertSteps(
            "session",
            {},
            ({**self.CREATE, "workspace_id": "w1"}, {"outcome": "taken"}),
            (self.link("v1", "failed", 31, inputs={"n": 1}), {"outcome": "taken"}),
            (self.link("v2", "failed", 31, inputs={"n": 2}, previous="v1"), {"outcome": "taken"}),
            (self.link("r1", "expired", 31, type="signature_request"), {"outcome": "taken"}),
            (
                {"do": "blockers", "now": "2025-09-22T14:32:00Z"},
                {
                    "blockers": [
                        {
                            "resource_id": "v2",
                            "attempt": 2,
                            "ways_out": [{"way": "retry", "attempts_left": 8}, {"way": "resolve"}],
                        },
                        {"group_type": "signature_request", "ways_out": [{"way": "delete"}, {"way": "reactivate"}]},
                    ]
                },
            ),
            ({"do": "resolve", "resource_id": "v2", "now": "2025-09-22T14:33:00Z"}, {"outcome": "taken"}),
            ({"do": "blockers", "now": "2025-09-22T14:34:00Z"}, {"blockers": [{"resource_id": "r1"}]}),
        )

    def test_create_is_refused(self):
        template = self.CREATE["template"]
        twice = {**template, "action_groups": template["action_groups"] * 2}
        for change, error in (
            ({"id": "x" * 129}, "invalid_id"),
            ({"name": ""}, "invalid_name"),
            ({"template": twice}, "invalid_template"),
            ({"template": {**template, "action_groups": []}}, "invalid_template"),
            ({"template": {**template, "action_groups": [{"type": "x"}]}}, "unknown_name"),
            ({"template": {**template, "workspaces": ["w1"]}, "workspace_id": "w2"}, "wrong_workspace"),
            ({"template": {**template, "workspaces": ["w1", "w2"]}, "default_workspace_id": "w1"}, "wrong_workspace"),
        ):
            self.assertSteps("session", {}, ({**self.CREATE, **change}, {"error": error}), end={"session": None})


class Delivery(Fitting):
    def given(self, auto_retry=True, **policy):
        return {
            "created_at": "2025-09-22T14:30:00Z",
            "subscription": {"enabled": True, "auto_retry": auto_retry},
            "policy": policy,
        }

    def ask(self, at):
        return {"do": "ask", "now": f"2025-09-22T{at}Z"}

    def ended(self, at, result="answered", **more):
        time = f"2025-09-22T{at}Z"
        return {"do": "ended", "began": time, "ended": time, "result": result, **more}

    def test_retry_and_success(self):
        wait = {"verdict": "wait", "number": 1, "at": "2025-09-22T14:32:01Z"}
        self.assertSteps(
            "delivery",
            self.given(),
            (self.ask("14:29:59"), {"verdict": "wait", "number": 0, "at": "2025-09-22T14:30:00Z"}),
            (self.ask("14:30:00"), {"verdict": "call", "number": 0, "timeout_s": 1}),
            (self.ended("14:30:01", status=500), wait),
            (self.ask("14:32:00"), wait),
            (self.ask("14:32:01"), {"verdict": "call", "number": 1, "timeout_s": 10}),
            (self.ended("14:32:02", "body_too_long", status=302), {"verdict": "done"}),
            (self.ask("14:40:00"), {"verdict": "done"}),
            end={"state": "delivered", "number": 2, "due": None},
        )

    def test_schedule_ends(self):
        self.assertSteps(
            "delivery",
            self.given(delays_s=[60]),
            (self.ask("14:30:00"), {"verdict": "call"}),
            (self.ended("14:30:01", "tls_failed"), {"verdict": "wait"}),
            (self.ask("14:31:01"), {"verdict": "call"}),
            (self.ended("14:31:02", status=404), {"verdict": "exhaust"}),
            end={"state": "exhausted", "number": 2},
        )

    def test_one_retry_in_any_case(self):
        self.assertSteps(
            "delivery",
            self.given(auto_retry=False),
            (self.ask("14:30:00"), {"verdict": "call"}),
            (self.ended("14:30:01", "timed_out"), {"verdict": "wait", "number": 1}),
            (self.ask("14:32:01"), {"verdict": "call", "number": 1}),
            (self.ended("14:32:11", "timed_out"), {"verdict": "exhaust"}),
        )
        refused = self.ended("14:30:01", "connection_refused")
        self.assertSteps(
            "delivery", self.given(auto_retry=False), (self.ask("14:30:00"), {}), (refused, {"verdict": "exhaust"})
        )

    def test_subscription_is_read_when_due(self):
        taken = {"outcome": "taken"}
        self.assertSteps(
            "delivery",
            self.given(),
            (self.ask("14:30:00"), {"verdict": "call"}),
            ({"do": "subscription", "enabled": False}, taken),
            (self.ended("14:30:01", status=500), {"verdict": "wait"}),
            ({"do": "subscription", "enabled": True, "auto_retry": False}, taken),
            (self.ask("14:31:00"), {"verdict": "wait"}),
            (self.ask("14:33:00"), {"verdict": "cancel", "reason": "auto_retry_off"}),
            ({"do": "subscription", "auto_retry": True}, taken),
            (self.ask("14:34:00"), {"verdict": "cancel", "reason": "auto_retry_off"}),
            end={"state": "canceled", "number": 1, "due": None},
        )

    def test_retry_after_and_gone(self):
        call = (self.ask("14:30:00"), {"verdict": "call"})
        long = self.ended("14:30:00", status=503, retry_after="Mon, 22 Sep 2025 15:00:00 GMT")
        short = self.ended("14:30:00", status=503, retry_after="5")
        endless = self.ended("14:30:00", status=503, retry_after="9" * 30)
        self.assertSteps("delivery", self.given(), call, (long, {"at": "2025-09-22T15:00:00Z"}))
        self.assertSteps("delivery", self.given(), call, (short, {"at": "2025-09-22T14:32:00Z"}))
        self.assertSteps("delivery", self.given(), call, (endless, {"at": "2025-09-23T14:30:00Z"}))
        gone = self.ended("14:30:00", status=410)
        self.assertSteps("delivery", self.given(), call, (gone, {"verdict": "wait"}))
        self.assertSteps("delivery", self.given(gone_ends=True), call, (gone, {"verdict": "cancel", "reason": "gone"}))


class MatchAndSignature(Fitting):
    def test_match(self):
        base = {"enabled": True, "sandbox": False, "subscribed_events": ["signer.done"], "scopes": ["*"]}
        given = {
            "subscriptions": [
                {"id": "b", **base},
                {"id": "a", **base, "subscribed_events": ["*"], "workspaces": ["*"]},
                {"id": "c", **base, "workspaces": ["w1"]},
                {"id": "d", **base, "sandbox": True},
                {"id": "e", **base, "enabled": False},
            ]
        }
        event = {"name": "signer.done", "sandbox": False}
        self.assertSteps(
            "match",
            given,
            ({"do": "match", "event": event}, {"matches": ["a", "b"]}),
            ({"do": "match", "event": {**event, "workspace": "w1"}}, {"matches": ["a", "b", "c"]}),
            ({"do": "match", "event": {**event, "name": "user.completed"}}, {"matches": ["a"]}),
        )

    def test_signature(self):
        body = '{"event_id":"e1"}'
        signature = "sha256=" + hmac.new(b"key", body.encode(), hashlib.sha256).hexdigest()
        verify = {"do": "verify", "body_hex": body.encode().hex(), "signature": signature, "secrets": ["old", "key"]}
        receive = {
            **verify,
            "do": "receive",
            "issued_at": "1758551400",
            "now": "2025-09-22T14:35:00Z",
            "tolerance_s": 300,
        }
        self.assertSteps(
            "signature",
            {},
            ({"do": "sign", "body": body, "secret": "key"}, {"signature": signature}),
            ({"do": "sign", "body": body, "secret": ""}, {"error": "invalid_secret"}),
            (verify, {"outcome": "taken"}),
            ({**verify, "secrets": ["old"]}, {"error": "signature_mismatch"}),
            ({**verify, "secrets": []}, {"error": "invalid_secret"}),
            ({**verify, "signature": signature[:-1]}, {"error": "malformed_header"}),
            (receive, {"event_id": "e1"}),
            ({**receive, "tolerance_s": 299}, {"error": "issued_at"}),
            ({**receive, "tolerance_s": 0, "issued_at": ""}, {"event_id": "e1"}),
        )


if __name__ == "__main__":
    unittest.main()
