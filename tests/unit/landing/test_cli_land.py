"""The commands ``land`` and ``retention``."""

from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from include.freezeline.cli.land import command as land_command
from include.freezeline.cli.land import parse_as_of
from include.freezeline.cli.retention import command as retention_command
from include.freezeline.settings import Settings
from tests.unit.landing.bucket import spans_json, trace_key, write


@pytest.fixture
def environ(settings: Settings) -> dict[str, str | None]:
    """The settings as environment variables."""
    assert settings.pseudonym_key is not None
    return {
        "FREEZELINE_HOME": str(settings.home),
        "FREEZELINE_SOURCE_URI": settings.source_uri,
        "FREEZELINE_PSEUDONYM_KEY": settings.pseudonym_key.get_secret_value(),
    }


def test_land_command_prints_what_landed(
    settings: Settings, environ: dict[str, str | None]
) -> None:
    write(settings, trace_key("a"), spans_json(3))
    done = CliRunner().invoke(land_command, ["--as-of", "2026-10-14"], env=environ)
    assert done.exit_code == 0, done.output
    assert "landed: 1 objects" in done.stdout
    assert "3 of 3 records" in done.stdout


def test_retention_commands_plan_and_apply(
    settings: Settings, environ: dict[str, str | None]
) -> None:
    write(settings, trace_key("a"), spans_json(3))
    CliRunner().invoke(land_command, ["--as-of", "2026-10-14"], env=environ)
    runner = CliRunner()
    planned = runner.invoke(retention_command, ["plan", "--as-of", "2027-02-01"], env=environ)
    assert planned.exit_code == 0, planned.output
    assert (
        "empty_texts of lake/spans for unknown/*, hot: 60 days are over: 1 targets, 3 rows"
        in planned.stdout
    )
    assert "nothing was changed" in planned.stdout
    plan_id = planned.stdout.split("retention apply ")[1].strip()
    applied = runner.invoke(
        retention_command, ["apply", plan_id, "--as-of", "2027-02-01"], env=environ
    )
    assert applied.exit_code == 0, applied.output
    assert "1 actions done on 3 rows" in applied.stdout
    assert (Path(settings.home) / "retention" / "proofs" / f"{plan_id}.jsonl").exists()


def test_as_of_is_read_as_utc_and_refused_when_it_is_no_time() -> None:
    midnight = datetime(2026, 10, 14, tzinfo=UTC)
    assert parse_as_of("2026-10-14") == midnight
    assert parse_as_of("2026-10-14T02:00+02:00") == midnight
    with pytest.raises(click.BadParameter, match=r"not an ISO 8601 time"):
        parse_as_of("tomorrow")
