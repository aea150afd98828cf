"""Checks on tiny landed batches and marts: what stops a night, what only warns."""

import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.freezeline.adapters.lake import Lake, object_hash
from include.freezeline.adapters.lake_books import LakeBooks
from include.freezeline.adapters.unchecked import UncheckedObjects
from include.freezeline.adapters.warehouse import open_warehouse
from include.freezeline.config import config_dir
from include.freezeline.contracts.columns import Table
from include.freezeline.contracts.lake import LEDGER, LEDGER_NIGHTS, SPANS
from include.freezeline.errors import CheckFailedError, EmptyNightError
from include.freezeline.facts.spec import fact_table, load_fact_specs
from include.freezeline.jobs.check import check_landed, check_marts
from include.freezeline.settings import Settings

_OBJECT = "otel/a.json"
_COUNTS = tuple(c.name for c in LEDGER_NIGHTS.columns if c.type == "int64" and not c.nullable)
_SECRET = "4000 0076 1895 8554"


def _filled(table: Table, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with a harmless value in every column that needs one."""
    harmless: dict[str, Any] = {
        "string": "x",
        "timestamp": datetime(2026, 10, 13, 8, tzinfo=UTC),
        "bool": False,
        "float64": 1.0,
    }
    needed = {c.name: harmless.get(c.type, 1) for c in table.columns if not c.nullable}
    return dict.fromkeys(table.column_names) | needed | dict(given)


def _span(offset: int, **given: Any) -> dict[str, Any]:
    plain = {
        "trace_id": f"{offset:032x}",
        "span_id": f"{offset:016x}",
        "span_type": "llm",
        "status": "ok",
        "input_tokens": 10,
        "source_object": _OBJECT,
        "source_offset": offset,
        "arrived_at": datetime(2026, 10, 13, 9, tzinfo=UTC),
    }
    return _filled(SPANS, plain | given)


def _land(settings: Settings, as_of: datetime, table: Table, rows: list[dict[str, Any]]) -> None:
    lake = Lake(settings.lake_dir)
    name = object_hash(_OBJECT)
    lake.write_rows(table, rows, lake.path_of(table.name, name, datetime(2026, 10, 13).date()))  # noqa: DTZ001
    entry = {"source_object": _OBJECT, "status": "landed", "night_as_of": as_of}
    entry["arrived_at"] = as_of - timedelta(hours=1)
    lake.write_rows(LEDGER, [_filled(LEDGER, entry)], lake.path_of(LEDGER.name, name))


def _night(source: str, night: datetime, **counts: int) -> dict[str, Any]:
    """Return a source's line of a night in which all went well but for the given counts."""
    plain = dict.fromkeys(_COUNTS, 0) | {"object_count": 1, "record_count": 5}
    line = {"source_name": source, "night_as_of": night, "landed_count": 5}
    return _filled(LEDGER_NIGHTS, plain | line | counts)


def _nights(settings: Settings, rows: list[dict[str, Any]]) -> None:
    LakeBooks(Lake(settings.lake_dir)).write_nights(rows)


def _data_docs(settings: Settings) -> list[str]:
    folder = settings.home / "published" / "data_docs"
    return [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.html"))]


def _results(settings: Settings) -> list[dict[str, Any]]:
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        return warehouse.rows(
            "select * from judgement.check_results order by expectation, revision"
        )


def test_landed_batch_passes_when_it_follows_the_contract(
    settings: Settings, as_of: datetime
) -> None:
    _land(settings, as_of, SPANS, [_span(1), _span(2)])
    summary = check_landed(settings, as_of)
    assert (summary.n_rows, summary.warnings) == (2, ())
    results = _results(settings)
    assert len(results) == summary.n_expectations > 10
    assert all(row["is_success"] for row in results)
    check_landed(settings, as_of)
    assert _results(settings) == results


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"trace_id": _SECRET}, "spans.trace_id: expect_column_values_to_match_regex"),
        ({"span_type": _SECRET}, "spans.span_type: expect_column_values_to_be_in_set"),
        ({"output_tokens": -5}, "spans.output_tokens: expect_column_values_to_be_between"),
        ({"source_offset": 1}, "spans.source_object+source_offset: expect_compound_columns"),
    ],
)
def test_night_stops_with_count_and_remedy_but_no_value_when_a_critical_check_fails(
    settings: Settings, as_of: datetime, given: dict[str, Any], name: str
) -> None:
    _land(settings, as_of, SPANS, [_span(1), _span(2, **given)])
    with pytest.raises(CheckFailedError) as caught:
        check_landed(settings, as_of)
    message = str(caught.value)
    assert message.startswith("landed_batch of 2026-10-14: " + name)
    assert "of 2 rows broke it" in message
    assert f"{_OBJECT} {given.get('source_offset', 2)}" in message, "names the row"
    assert "land them again" in message
    assert _SECRET not in message
    failed = [row for row in _results(settings) if not row["is_success"]]
    assert [row["severity"] for row in failed] == ["critical"]
    assert not [row for row in _results(settings) if _SECRET in str(row)]
    pages = _data_docs(settings)
    assert any("trace_id" in page for page in pages)
    assert not [page for page in pages if _SECRET in page]


def test_data_docs_show_every_boundary_and_load_nothing_from_elsewhere(
    settings: Settings, as_of: datetime
) -> None:
    _land(settings, as_of, SPANS, [_span(1)])
    _nights(settings, [_night("escalations", as_of)])
    check_landed(settings, as_of)
    _build_marts(settings, [_CALL], _DAY)
    check_marts(settings, as_of)
    folder = settings.home / "published" / "data_docs"
    boundaries = {"business_facts", "landed_batch", "published_marts"}
    assert {path.name for path in folder.iterdir()} == boundaries
    assert all((folder / name / "index.html").exists() for name in boundaries)
    loaded = re.compile(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//')
    assert not [page for page in _data_docs(settings) if loaded.search(page)]


def test_data_docs_of_a_boundary_are_those_of_its_last_night(
    settings: Settings, as_of: datetime
) -> None:
    for night in (as_of, as_of + timedelta(days=1)):
        _land(settings, night, SPANS, [_span(1, arrived_at=night - timedelta(hours=1))])
        check_landed(settings, night)
    folder = settings.home / "published" / "data_docs" / "landed_batch" / "validations" / "spans"
    assert [path.name for path in folder.iterdir()] == [f"{as_of + timedelta(days=1):%Y-%m-%d}"]


def test_fact_that_stopped_coming_is_a_warning_that_names_it(
    settings: Settings, as_of: datetime
) -> None:
    _land(settings, as_of, SPANS, [_span(1)])
    old, late = as_of - timedelta(days=3), as_of - timedelta(days=2)
    _nights(settings, [_night("escalations", old), _night("overrides", late)])
    (warning,) = check_landed(settings, as_of).warnings
    assert "fact_escalations_delivery.max_silent_h+silent_h" in warning
    assert "config/facts/escalations.yml" in warning


@pytest.mark.parametrize(
    "counts",
    [
        {"record_count": 10, "landed_count": 9, "quarantined_count": 1},
        {"object_count": 2, "quarantined_object_count": 1, "record_count": 500},
    ],
)
def test_broken_delivery_stops_the_night_where_the_fact_says_so(
    settings: Settings, as_of: datetime, tmp_path: Path, counts: dict[str, int]
) -> None:
    shutil.copytree(config_dir(settings), tmp_path / "config")
    settings = settings.model_copy(update={"config_dir": tmp_path / "config"})
    file = tmp_path / "config" / "facts" / "escalations.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("delivery: {", "delivery: {stops_night: true, "), encoding="utf-8")
    _land(settings, as_of, SPANS, [_span(1)])
    _nights(settings, [_night("escalations", as_of, **counts)])
    with pytest.raises(CheckFailedError, match="business_facts of 2026-10-14") as caught:
        check_landed(settings, as_of)
    assert "escalations 2026-10-14" in str(caught.value)
    assert "fct_quarantined_records" in str(caught.value)


def test_fact_that_nobody_ever_delivered_is_not_missed(settings: Settings, as_of: datetime) -> None:
    _land(settings, as_of, SPANS, [_span(1)])
    nothing = {"object_count": 0, "record_count": 0, "landed_count": 0}
    _nights(settings, [_night("escalations", as_of, **nothing)])
    assert check_landed(settings, as_of).warnings == ()


def test_night_goes_on_when_only_a_warning_fails(settings: Settings, as_of: datetime) -> None:
    _land(settings, as_of, SPANS, [_span(1), _span(2, started_at=as_of + timedelta(days=9))])
    summary = check_landed(settings, as_of)
    assert len(summary.warnings) == 1
    assert "arrived_at+started_at" in summary.warnings[0]
    assert [row["severity"] for row in _results(settings) if not row["is_success"]] == ["warning"]


def test_fact_batch_is_checked_by_its_own_columns(settings: Settings, as_of: datetime) -> None:
    spec = next(s for s in load_fact_specs(config_dir(settings)) if s.name == "escalations")
    table = fact_table(spec)
    rows = [_filled(table, {"source_object": _OBJECT, "source_offset": n}) for n in (1, 1)]
    _land(settings, as_of, table, rows)
    with pytest.raises(CheckFailedError, match=r"fact_escalations\.source_object"):
        check_landed(settings, as_of)


def test_nothing_is_checked_when_a_rerun_landed_nothing_new(
    settings: Settings, as_of: datetime
) -> None:
    yesterday = as_of - timedelta(days=1)
    _land(settings, yesterday, SPANS, [_span(1)])
    assert check_landed(settings, yesterday).n_rows == 1
    assert check_landed(settings, as_of).n_expectations == 0


def test_batch_that_stopped_a_night_stops_the_next_one_too(
    settings: Settings, as_of: datetime
) -> None:
    yesterday = as_of - timedelta(days=1)
    _land(settings, yesterday, SPANS, [_span(1, output_tokens=-5)])
    for night in (yesterday, as_of):
        with pytest.raises(CheckFailedError, match=r"spans\.output_tokens"):
            check_landed(settings, night)
    _land(settings, as_of, SPANS, [_span(1)])
    assert check_landed(settings, as_of).n_rows == 1


def test_object_that_came_late_for_a_checked_night_is_checked(
    settings: Settings, as_of: datetime
) -> None:
    yesterday = as_of - timedelta(days=1)
    _land(settings, yesterday, SPANS, [_span(1)])
    check_landed(settings, yesterday)
    _land(settings, yesterday, SPANS, [_span(1, output_tokens=-5)])
    assert check_landed(settings, as_of).n_rows == 0
    UncheckedObjects(settings).add([object_hash(_OBJECT)])
    for _ in range(2):
        with pytest.raises(CheckFailedError, match=r"spans\.output_tokens"):
            check_landed(settings, as_of)
    _land(settings, yesterday, SPANS, [_span(1)])
    assert check_landed(settings, as_of).n_rows == 1
    assert check_landed(settings, as_of + timedelta(days=1)).n_rows == 0


def test_empty_night_is_an_error_when_nothing_was_ever_landed(
    settings: Settings, as_of: datetime
) -> None:
    with pytest.raises(EmptyNightError, match="nothing was ever landed"):
        check_landed(settings, as_of)


_CALL = {
    "call_key": "'a'",
    "feature": "'f'",
    "environment": "'production'",
    "called_at": "timestamptz '2026-10-13 08:00:00+00'",
    "arrived_at": "timestamptz '2026-10-13 09:00:00+00'",
    "call_date": "date '2026-10-13'",
    "is_error": "false",
    "is_canary": "false",
    "sample_weight": "1.0::double",
    "duration_ms": "900.0",
    "ttft_ms": "100.0",
    "input_tokens": "10",
    "output_tokens": "5",
    "cache_read_tokens": "0",
    "cost_usd": "0.01::decimal(18,9)",
    "escalation_recorded_at": "null::timestamptz",
    "override_recorded_at": "null::timestamptz",
}
_DAY = {
    "feature": "'f'",
    "environment": "'production'",
    "request_model": "'m'",
    "call_date": "date '2026-10-13'",
    "n_calls": "2",
    "call_count": "12.0::double",
    "n_errors": "0",
    "error_count": "0.0::double",
    "n_escalated": "0",
    "cost_usd": "0.02::decimal(18,9)",
}


def _build_marts(settings: Settings, calls: list[dict[str, str]], day: dict[str, str]) -> None:
    with open_warehouse(settings.warehouse_path, read_only=False) as warehouse:
        warehouse.execute("create schema marts")
        for mart, rows in (("fct_llm_calls", calls), ("agg_feature_daily", [day])):
            selects = [", ".join(f"{sql} as {name}" for name, sql in row.items()) for row in rows]
            body = " union all ".join(f"select {select}" for select in selects)
            warehouse.execute(f"create table marts.{mart} as {body}")


def test_marts_pass_when_they_follow_the_contract(settings: Settings, as_of: datetime) -> None:
    _build_marts(settings, [_CALL, _CALL | {"call_key": "'b'"}], _DAY)
    summary = check_marts(settings, as_of)
    assert (summary.suite_name, summary.n_rows, summary.warnings) == ("published_marts", 3, ())
    assert summary.n_expectations > 20


@pytest.mark.parametrize(
    ("call", "day", "name"),
    [
        ({}, {}, "fct_llm_calls.call_key: expect_column_values_to_be_unique"),
        ({"call_key": "'b'", "cost_usd": "-1::decimal(18,9)"}, {}, "fct_llm_calls.cost_usd"),
        (
            {"call_key": "'b'", "escalation_recorded_at": "timestamptz '2026-10-15 00:00:00+00'"},
            {},
            "fct_llm_calls.as_of[+]escalation_recorded_at",
        ),
        ({"call_key": "'b'"}, {"n_errors": "3"}, "agg_feature_daily.n_calls[+]n_errors"),
        (
            {"call_key": "'b'"},
            {"call_count": "1.0::double"},
            "agg_feature_daily.call_count[+]n_calls",
        ),
    ],
)
def test_night_stops_when_a_mart_is_wrong(
    settings: Settings, as_of: datetime, call: dict[str, str], day: dict[str, str], name: str
) -> None:
    _build_marts(settings, [_CALL, _CALL | call], _DAY | day)
    with pytest.raises(CheckFailedError, match=f"published_marts of 2026-10-14: {name}"):
        check_marts(settings, as_of)


def test_unpriced_calls_are_a_warning(settings: Settings, as_of: datetime) -> None:
    unpriced = _CALL | {"call_key": "'b'", "cost_usd": "null::decimal(18,9)"}
    _build_marts(settings, [_CALL, unpriced], _DAY)
    (warning,) = check_marts(settings, as_of).warnings
    assert "1 of 2 rows broke it" in warning
    assert "price_overrides.yml" in warning
