"""A night that builds what arrived is the same, row for row, as one that builds everything."""

from pathlib import Path

import pytest

from include.freezeline.adapters.warehouse import open_warehouse
from include.freezeline.jobs.build import BuildSummary, build
from include.freezeline.settings import Settings
from include.freezeline.slices import plan
from tests.dbt.thirty_days import ERASED_ON, N_DAYS, ThirtyDays, night_of

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]

# Nights on which everything is built beside the slice: late rows, restatements, moved outcomes and
# spans, a changed scale, a replaced object and an erasure lie before one or the other.
COMPARED = (6, 15, 21, N_DAYS - 1)
RELATIONS = """
select table_schema || '.' || table_name as name from information_schema.tables
where table_schema = 'marts' or table_name like 'int_daily__%' order by name
"""


def content_hashes(settings: Settings) -> dict[str, str]:
    """Return the hash of the rows of every mart, whatever their order."""
    with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
        return {
            name: str(
                warehouse.rows(
                    f"select md5(coalesce(string_agg(h, ',' order by h), '')) as h "
                    f"from (select md5(cast(t as varchar)) as h from {name} as t)"
                )[0]["h"]
            )
            for name in (row["name"] for row in warehouse.rows(RELATIONS))
        }


def different_rows(name: str, one: Settings, other: Settings) -> str:
    """Return rows that only one of two warehouses has, for the failure's message."""
    found = []
    for settings in (one, other):
        with open_warehouse(settings.warehouse_path, read_only=True) as warehouse:
            found.append({str(row) for row in warehouse.rows(f"select * from {name}")})
    first, second = (sorted(a - b)[:2] for a, b in (found, found[::-1]))
    return f"{name}: in nights {first}; in everything {second}"


def assert_same(nights: Settings, everything: Settings) -> None:
    """Compare two warehouses by the content hashes of their marts."""
    one, other = content_hashes(nights), content_hashes(everything)
    assert len(one) > 50, "marts are missing"
    differ = [name for name in one | other if one.get(name) != other.get(name)]
    assert not differ, "\n".join(different_rows(name, nights, everything) for name in differ)


def test_thirty_nights_are_one_run_of_thirty_days_and_everything_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of so few days a slice would seldom be worth it.
    monkeypatch.setattr(plan, "_MIN_DAYS", 10 * N_DAYS)
    world = ThirtyDays(seed=7)
    nights, whole = Settings(home=tmp_path / "nights"), Settings(home=tmp_path / "whole")
    done: list[BuildSummary] = []
    for day in range(N_DAYS):
        world.arrive(nights, day)
        world.arrive(whole, day)
        done.append(build(nights, night_of(day), has_tests=day in COMPARED))
        if day in COMPARED:
            build(whole, night_of(day), is_everything=True, has_tests=False)
            assert_same(nights, whole)
    as_slices = [s for s in done if s.n_touched_days is not None]
    assert len(as_slices) == N_DAYS - 2, [s.scope for s in done]
    assert "erased" in done[ERASED_ON].scope
    again = build(nights, night_of(N_DAYS - 1), has_tests=False)
    assert again.n_touched_days == 0, "a night that is run again touches nothing"
    assert_same(nights, whole)
