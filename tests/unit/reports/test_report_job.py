"""The job and the command that show the report."""

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner

from include.freezeline.adapters.warehouse import open_warehouse, publish_snapshot
from include.freezeline.cli.report import command
from include.freezeline.errors import WarehouseError
from include.freezeline.jobs.report import render_report
from include.freezeline.settings import Settings
from tests.unit.reports.sample_night import FROZEN_FEATURE, write_file

_AS_OF = datetime(2026, 10, 14, tzinfo=UTC)


def test_report_is_the_same_when_read_from_warehouse_or_snapshot(settings: Settings) -> None:
    write_file(settings.warehouse_path, _AS_OF)
    publish_snapshot(settings, _AS_OF)
    from_warehouse = render_report(settings, _AS_OF)
    assert render_report(settings, source="snapshot") == from_warehouse
    assert FROZEN_FEATURE in from_warehouse.html
    assert from_warehouse.markdown.startswith("# Freeze report 2026-10-14\n")


def test_report_is_an_error_when_nothing_is_published(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match="nothing published yet"):
        render_report(settings, source="snapshot")


def test_report_is_an_error_when_no_night_was_decided(settings: Settings) -> None:
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.ensure_judgement_tables()
    with pytest.raises(WarehouseError, match="no decided night"):
        render_report(settings)


@pytest.mark.parametrize(
    ("view", "start"), [("markdown", "# Freeze"), ("html", "<!doctype"), ("json", "{")]
)
def test_show_prints_the_view_when_a_night_is_published(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, view: str, start: str
) -> None:
    write_file(settings.warehouse_path, _AS_OF)
    publish_snapshot(settings, _AS_OF)
    monkeypatch.setenv("FREEZELINE_HOME", str(settings.home))
    result = CliRunner().invoke(command, ["show", "--format", view])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(start)
    assert FROZEN_FEATURE in result.output
