"""The filter of JSON lines, with good and bad input."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.freezeline.cli.main import command
from include.freezeline.jobs import redact
from include.freezeline.jobs.redact import redact_lines
from include.freezeline.redaction.engine import Redactor
from include.freezeline.settings import Settings


@pytest.fixture(autouse=True)
def _one_redactor(monkeypatch: pytest.MonkeyPatch, redactor: Redactor) -> None:
    """Compiling the rules again for every example would take minutes."""
    monkeypatch.setattr(redact, "open_redactor", lambda _settings: redactor.fresh())


def _run(data: bytes) -> Result:
    return CliRunner().invoke(command, ["redact"], input=data)


def test_offsets_are_in_the_input_and_order_is_kept() -> None:
    text = "é\U0001f600 jane@example.org and 198.51.100.119"
    result = _run(f"{json.dumps({'text': text})}\n\n{json.dumps({'text': 'plain'})}\n".encode())
    first, second = map(json.loads, result.stdout.splitlines())
    assert first["text"] == "é\U0001f600 <EMAIL_1> and <IP_1>"
    assert [(f["type"], text[f["start"] : f["end"]]) for f in first["found"]] == [
        ("EMAIL", "jane@example.org"),
        ("IP", "198.51.100.119"),
    ]
    assert second == {"text": "plain", "found": []}
    assert (result.exit_code, result.stderr) == (0, "")


def test_bad_lines_are_reported_by_number_and_the_others_are_redacted() -> None:
    lines = [
        b'{"text": "to jane@example.org"}',
        b'{"text": 5}',
        b"not json, jane@example.org",
        b'["jane@example.org"]',
        b'{"text": "\xff jane@example.org"}',
        b"[" * 100_000,
        b'{"text": "last"}',
    ]
    result = _run(b"\n".join(lines))
    assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == [
        "to <EMAIL_1>",
        "last",
    ]
    assert result.exit_code == 1
    reported = result.stderr.splitlines()
    assert [line.split(":")[0] for line in reported] == [f"line {n}" for n in (2, 3, 4, 5, 6)]
    assert "jane" not in result.stderr
    assert "UTF-8" in reported[3]


def test_text_that_cannot_be_scanned_is_withheld() -> None:
    result = _run(json.dumps({"text": "secret " * 700_000}).encode())
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot be scanned" in result.stderr


def test_help_says_what_goes_in_and_comes_out() -> None:
    result = CliRunner().invoke(command, ["redact", "--help"])
    assert result.exit_code == 0
    assert all(word in result.stdout for word in ('"found"', "start", "line", "exit", "names"))


_LINES = st.one_of(
    st.binary(max_size=60).map(lambda data: data.replace(b"\n", b"")),
    st.text(max_size=40).map(lambda text: json.dumps({"text": text}).encode()),
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5), lambda x: st.lists(x, max_size=3)
    ).map(lambda value: json.dumps({"text": value}).encode()),
)


@hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(_LINES, max_size=8))
def test_every_line_comes_out_or_is_reported(tmp_path: Path, lines: list[bytes]) -> None:
    results = list(redact_lines(Settings(home=tmp_path), lines))
    assert [line.number for line in results] == [
        number for number, line in enumerate(lines, start=1) if line.strip()
    ]
    assert all((line.output is None) != (line.problem is None) for line in results)
    assert all(
        json.loads(line.output).keys() == {"text", "found"} for line in results if line.output
    )
