"""The command: what it asks for, what it prints, and what it refuses."""

import json
from pathlib import Path

import pytest

from include.freezeline.adapters.audit_log import audit_log
from include.freezeline.cli.main import main
from include.freezeline.settings import Settings
from tests.unit.sealing.company import ASKED, RAW, REASON, landed

WHO = ["--person", "ana@example.org", "--reason", REASON, "--ticket", "INC-17"]
READ = ["break-glass", "read", "--trace", ASKED.trace_id]


@pytest.fixture
def company(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Landed with originals that the wall clock does not end."""
    monkeypatch.setattr(
        "include.freezeline.jobs.break_glass.is_over", lambda *_: False
    )  # the command asks for now
    company = landed(settings, tmp_path)
    for name, value in company.as_environment().items():
        monkeypatch.setenv(name, value)
    return company


def test_read_prints_texts_and_keeps_them_out_of_the_error_stream(
    company: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*READ, *WHO]) == 0
    told = capsys.readouterr()
    assert f"input_text: {ASKED.text}" in told.out
    assert told.err == "audit log row 1\n"
    assert main([*READ, *WHO, "--format", "json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ASKED.text in [row["texts"].get("input_text") for row in rows]
    assert main(["break-glass", "log"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["person"] for event in events] == ["ana@example.org"] * 2
    assert events[0]["login_name"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (READ, "--person"),
        ([*READ, *WHO[:4]], "--ticket"),
        ([*READ, *WHO[:2], "--reason", "because", *WHO[4:]], "--reason: 7 characters"),
        ([*READ, *WHO[:2], "--reason", f"look for {RAW} in it", *WHO[4:]], "--reason: holds EMAIL"),
        (["break-glass", "read", "--trace", "ABC", *WHO], "--trace: got 'ABC'"),
        ([*READ, "--span", "1", *WHO], "--span: got '1'"),
        (["break-glass", "rotate", "--new-key-path", "/nowhere", *WHO], "/nowhere: no master key"),
        (["break-glass", "expire", "--as-of", "soon"], "not an ISO 8601 time"),
    ],
)
def test_bad_input_is_told_without_texts_and_leaves_no_row(
    company: Settings, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(arguments) in (1, 2)
    told = capsys.readouterr()
    assert message in told.err
    assert told.out == ""
    assert RAW not in told.err
    assert audit_log(company).events() == []


def test_list_and_expire_tell_what_is_left(
    company: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["break-glass", "list"]) == 0
    assert "readable until 2026-10-21" in capsys.readouterr().out
    assert main(["break-glass", "expire", "--as-of", "2026-10-22"]) == 0
    assert "1 keys destroyed" in capsys.readouterr().out
    assert main(["break-glass", "list"]) == 0
    assert "destroyed as of 2026-10-22: 7 days are over" in capsys.readouterr().out
    assert main([*READ, *WHO]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "no original can be read" in told.err


def test_the_terminal_gets_no_control_characters() -> None:
    from include.freezeline.cli.break_glass import _shown

    assert _shown("a\x1b[31mred\nline\u202e") == "a[31mred\nline"
