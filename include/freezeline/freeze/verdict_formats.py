"""A verdict as people, programs, GitHub and readers of JUnit reports want it."""

import json
import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from include.freezeline.freeze.gate import (
    EXIT_ALLOW,
    EXIT_FROZEN,
    EXIT_UNKNOWN_FEATURE,
    EXIT_UNTRUSTED,
    GateAnswer,
)
from include.freezeline.freeze.verdict import Verdict

FORMATS = ("text", "json", "github", "junit")

_TITLE = "Release freeze"
_MOMENTS = ("sequence", "data_through", "evaluated_at", "valid_until", "report_url")
_OVERRIDE = ("override_id", "requested_by", "approved_by", "expires_at", "reason")
# XML 1.0 has no way to write these, not even as references.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XML_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)  # fmt: skip


def render(verdict: Verdict, output: str) -> tuple[str, str]:
    """Return what goes to standard output and to standard error in a format of ``FORMATS``."""
    said = (_sentence(answer, verdict.document) for answer in verdict.answers)
    sentences = "\n".join(dict.fromkeys(said))  # about the document all answers say the same
    if output == "json":
        return json.dumps(as_json(verdict), indent=1, sort_keys=True), sentences
    if output == "junit":
        return _as_junit(verdict), sentences
    if output == "github":
        return _as_github(verdict), ""
    return sentences, ""


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Return the answer of one feature, or of several the whole with the answers in it."""
    if len(verdict.answers) == 1:
        return _answer_as_json(verdict.answers[0], verdict)
    deciding = verdict.deciding
    return {
        "schema_version": "1",
        "allow": verdict.is_allowed,
        "decision": deciding.decision,
        "reason": deciding.reason,
        "explanation": _sentence(deciding, verdict.document),
        "exit_code": verdict.exit_code,
        "environment": deciding.environment,
        "change_class": deciding.change_class,
        "fresh": verdict.is_fresh,
        "asked_at": verdict.asked_at.isoformat(),
        **{name: verdict.document.get(name) for name in _MOMENTS},
        "answers": [_answer_as_json(answer, verdict) for answer in verdict.answers],
    }


def _answer_as_json(answer: GateAnswer, verdict: Verdict) -> dict[str, Any]:
    """Return the answer in the published shape."""
    return {
        **{name: value for name, value in answer.entry.items() if name != "environment"},
        "schema_version": "1",
        "allow": answer.is_allowed,
        "decision": answer.decision,
        "reason": answer.reason,
        "explanation": _explanation(answer, verdict.document),
        "exit_code": answer.exit_code,
        "feature": answer.feature,
        "environment": answer.environment,
        "change_class": answer.change_class,
        "override": dict(answer.override) or None,
        "fresh": verdict.is_fresh,
        "asked_at": verdict.asked_at.isoformat(),
        **{name: verdict.document.get(name) for name in _MOMENTS},
    }


def _explanation(answer: GateAnswer, document: Mapping[str, Any]) -> str:
    """Say why: the state's reason, what is wrong with the document, or else the whole sentence."""
    if answer.reason in ("stale", "unknown_feature"):
        return _sentence(answer, document)
    return str(answer.entry.get("reason", answer.problem))


def _sentence(answer: GateAnswer, document: Mapping[str, Any]) -> str:
    """Say the answer, why, and what to do."""
    subject = f"{answer.feature} ({answer.environment})"
    entry = answer.entry
    if answer.exit_code == EXIT_UNTRUSTED and answer.reason == "stale":
        return (
            f"BLOCKED: the freeze document is stale since {document['valid_until']} "
            "(run the nightly, or ship as rollback, security_fix or reliability_fix)"
        )
    if answer.exit_code == EXIT_UNTRUSTED:
        return f"BLOCKED: the freeze document cannot be trusted: {answer.problem}"
    if answer.exit_code == EXIT_UNKNOWN_FEATURE:
        known = ", ".join(_known_features(document))
        return f"BLOCKED: {subject} is not in the freeze document (known: {known})"
    if answer.exit_code == EXIT_FROZEN:
        thaw = entry.get("earliest_thaw") or "not foreseeable"
        return (
            f"BLOCKED: {subject} is {entry['state']} since {entry.get('since', 'unknown')}: "
            f"{entry.get('reason', '')}. Earliest thaw: {thaw}. Report: "
            f"{document.get('report_url', '')}"
        )
    if answer.exit_code != EXIT_ALLOW:
        return f"BLOCKED: {answer.reason}"
    note = f" although {answer.problem}" if answer.problem else ""
    state = f"; state {entry['state']}" if entry else ""
    if answer.override:
        state += f"; {_override_words(answer.override)}"
    return f"ALLOWED: {subject}, {answer.change_class} ({answer.reason}{state}){note}"


def _override_words(override: Mapping[str, Any]) -> str:
    """Say who let a frozen feature ship, until when and why."""
    number, asking, approving, until, reason = (override.get(n, "unknown") for n in _OVERRIDE)
    return f"override {number} by {asking}, approved by {approving}, until {until}: {reason}"


def _known_features(document: Mapping[str, Any]) -> list[str]:
    """Return the features of a document, which may be signed and malformed all the same."""
    features = document.get("features")
    entries = features if isinstance(features, list) else []
    return sorted({str(item.get("feature")) for item in entries if isinstance(item, Mapping)})


def _as_github(verdict: Verdict) -> str:
    """Return one annotation a feature; a line break would end it."""
    lines = []
    for answer in verdict.answers:
        kind = "notice" if answer.is_allowed else "error"
        text = _sentence(answer, verdict.document)
        escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        lines.append(f"::{kind} title={_TITLE}::{escaped}")
    return "\n".join(lines)


def _as_junit(verdict: Verdict) -> str:
    """Return a JUnit report: frozen is a failure, not being able to tell is an error.

    It is ASCII, so that it is what its first line says whatever the terminal's encoding is.
    """
    n_failures = sum(answer.exit_code == EXIT_FROZEN for answer in verdict.answers)
    n_errors = sum(not answer.is_allowed for answer in verdict.answers) - n_failures
    counts = f'tests="{len(verdict.answers)}" failures="{n_failures}" errors="{n_errors}"'
    cases = "\n".join(_test_case(answer, verdict.document) for answer in verdict.answers)
    asked_at = verdict.asked_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="{_TITLE}" {counts} time="0">\n'
        f' <testsuite name="{_TITLE}" {counts} skipped="0" time="0" timestamp="{asked_at}">\n'
        f"{cases}\n </testsuite>\n</testsuites>"
    )


def _test_case(answer: GateAnswer, document: Mapping[str, Any]) -> str:
    """Return one feature as a test."""
    said = _xml(_sentence(answer, document))
    name = _xml(f"{answer.feature} ({answer.environment}, {answer.change_class})")
    if answer.is_allowed:
        inner = f"<system-out>{said}</system-out>"
    else:
        kind = "failure" if answer.exit_code == EXIT_FROZEN else "error"
        inner = f'<{kind} type="{_xml(answer.reason)}" message="{said}">{said}</{kind}>'
    return f'  <testcase classname="release_freeze" name="{name}" time="0">{inner}</testcase>'


def _xml(text: str) -> str:
    """Escape a text for an attribute or an element; what XML cannot hold becomes U+FFFD."""
    escaped = _NO_XML.sub("\ufffd", text).translate(_XML_ESCAPES)
    return escaped.encode("ascii", "xmlcharrefreplace").decode("ascii")
