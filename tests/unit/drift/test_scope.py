"""Segments, windows and references as the policy says."""

from datetime import UTC, date, datetime, timedelta

import pytest

from include.freezeline.adapters.warehouse import Warehouse, open_scratch
from include.freezeline.drift.evidence import texts_query
from include.freezeline.drift.policy import DriftPolicy
from include.freezeline.drift.scope import AcceptedChange, Reference, duration_of, duration_words
from include.freezeline.drift.segments import Segment
from include.freezeline.drift.windows import ServedDay, Window, recent_windows, reference_windows
from include.freezeline.jobs.judge_reads import load_segments
from tests.unit.drift.worlds import AS_OF, FIRST_DAY, SHIPPED

POLICY = DriftPolicy.model_validate(SHIPPED)
RECENT = Window(AS_OF - timedelta(days=6), AS_OF)
MOVED = FIRST_DAY + timedelta(days=20)
CHANGE = AcceptedChange(
    feature="code-helper", model="m", from_date=date(2026, 9, 20), by="Ada", reason="better"
)
FIRST_CALLS = {
    "v1": [ServedDay(FIRST_DAY + timedelta(hours=3))],
    "v2": [ServedDay(MOVED)],
}


def _rule(moves: str, *changes: AcceptedChange) -> Reference:
    return Reference.model_validate({"days": 14, "moves": moves, "accepted_changes": changes})


@pytest.mark.parametrize(
    ("text", "length", "words"),
    [
        ("30m", timedelta(minutes=30), "30 minutes"),
        ("1h", timedelta(hours=1), "1 hour"),
        ("2d", timedelta(days=2), "2 days"),
    ],
)
def test_window_lengths_are_read_and_said(text: str, length: timedelta, words: str) -> None:
    assert (duration_of(text), duration_words(text)) == (length, words)
    policy = DriftPolicy.model_validate({**SHIPPED, "window": text})
    windows = recent_windows(AS_OF, policy)
    assert [w.ended_at - w.started_at for w in windows] == [length] * 3
    assert [w.ended_at for w in windows[1:]] == [w.started_at for w in windows[:-1]]


def test_reference_is_of_each_version_when_new_versions_move_it() -> None:
    late = FIRST_CALLS | {"v3": [ServedDay(AS_OF - timedelta(days=10))]}
    found = reference_windows(late, _rule("when_prompt_version_is_new"), RECENT)
    assert found["v1"] == Window(FIRST_DAY, FIRST_DAY + timedelta(days=14))
    assert found["v2"].started_at == MOVED
    assert "v3" not in found, "its first days are not over yet"


def test_reference_never_moves_when_the_rule_says_so() -> None:
    for as_of in (AS_OF, AS_OF + timedelta(days=60)):
        recent = Window(as_of - timedelta(days=6), as_of)
        found = reference_windows(FIRST_CALLS, _rule("never"), recent)
        assert found == {"v1": Window(FIRST_DAY, FIRST_DAY + timedelta(days=14))}


def test_reference_starts_again_when_a_change_was_accepted() -> None:
    rule = _rule("after_accepted_change", CHANGE)
    segment = ("code-helper", "production", "m")
    start = rule.accepted_at(*segment, as_of=AS_OF)
    assert start == datetime(2026, 9, 20, tzinfo=UTC)
    found = reference_windows(FIRST_CALLS, rule, RECENT, start)
    assert found["v1"] == Window(start, start + timedelta(days=14))
    assert found["v2"].started_at == MOVED, "the version is newer than the accepted change"


def test_reference_stays_when_another_segment_or_a_later_night_accepted() -> None:
    rule = _rule("after_accepted_change", CHANGE)
    assert rule.accepted_at("code-helper", "production", "other", as_of=AS_OF) is None
    assert rule.accepted_at("other", "production", "m", as_of=AS_OF) is None
    assert rule.accepted_at("code-helper", "staging", "m", as_of=AS_OF) is not None
    early = datetime(2026, 9, 19, tzinfo=UTC)
    assert rule.accepted_at("code-helper", "production", "m", as_of=early) is None


def test_nothing_is_compared_when_the_accepted_state_is_young() -> None:
    accepted_at = AS_OF - timedelta(days=7)
    rule = _rule("after_accepted_change", CHANGE)
    assert reference_windows(FIRST_CALLS, rule, RECENT, accepted_at) == {}


def _days_from(
    start: datetime, n: int, *, every: int = 1, is_organic: bool = True
) -> list[ServedDay]:
    return [ServedDay(start + timedelta(days=i, hours=9), is_organic) for i in range(0, n, every)]


@pytest.mark.parametrize("moves", ["when_prompt_version_is_new", "never"])
@pytest.mark.parametrize("n_stray", [0, 1, 3])
def test_stray_early_calls_are_no_reference(moves: str, n_stray: int) -> None:
    """A try months before the launch must not blind a segment for good."""
    stray = _days_from(FIRST_DAY - timedelta(days=90), n_stray)
    served = {"v1": stray + _days_from(FIRST_DAY, 40)}
    if moves == "never":
        served["v0"] = _days_from(FIRST_DAY - timedelta(days=95), 1)
    found = reference_windows(served, _rule(moves), RECENT)
    assert found["v1"] == Window(FIRST_DAY, FIRST_DAY + timedelta(days=14))


def test_probes_before_a_launch_are_no_reference_of_answers_to_users() -> None:
    probes = _days_from(FIRST_DAY - timedelta(days=60), 60, is_organic=False)
    served = {"v1": probes + _days_from(FIRST_DAY, 40)}
    found = reference_windows(served, _rule("never"), RECENT)
    assert found["v1"].started_at == FIRST_DAY
    found = reference_windows({"v1": probes}, _rule("never"), RECENT)
    assert found["v1"].started_at == FIRST_DAY - timedelta(days=60), "where there are no others"


@pytest.mark.parametrize("every", [1, 2, 5])
def test_reference_stays_when_traffic_grows(every: int) -> None:
    """How many answers a day has does not count; days alone do."""
    start = FIRST_DAY - timedelta(days=30)
    served = {"v1": _days_from(start, 60, every=every)}
    found = reference_windows(served, _rule("never"), RECENT)
    assert found["v1"].started_at == start


def test_days_of_all_versions_count_where_the_reference_never_moves() -> None:
    served = {f"v{i}": _days_from(FIRST_DAY + timedelta(days=i), 40, every=5) for i in range(5)}
    served["v0"] = [ServedDay(FIRST_DAY - timedelta(days=90)), *served["v0"]]
    found = reference_windows(served, _rule("never"), RECENT)
    assert {window.started_at for window in found.values()} == {FIRST_DAY}
    assert len(found) == 5


def _fill(warehouse: Warehouse) -> None:
    """Write six weeks of two tiers, hourly, one of them without a name."""
    warehouse.execute("create schema marts")
    warehouse.execute(
        """
        create table marts.fct_llm_calls as
        select 'k' || i as call_key, 'f' as feature, 'production' as environment,
            'm' as request_model, 'v1' as prompt_version,
            $first + to_hours(i::bigint) as called_at,
            if(i % 2 = 0, 'gold', null) as tenant_tier, null::boolean as is_retrieval_empty,
            false as is_gateway_cache_hit, null::varchar as tenant_key
        from range(43 * 24) as r(i)
        """,
        {"first": FIRST_DAY},
    )
    warehouse.execute(
        "create table marts.fct_call_texts as select call_key, feature, environment, "
        "request_model, prompt_version, called_at, null as canary_id, 'asked' as "
        "input_text_redacted, 'said ' || call_key as output_text_redacted from marts.fct_llm_calls"
    )


def test_answers_are_parted_by_the_dimensions_of_the_policy() -> None:
    tiers = {"dimensions": ["feature", "environment", "tenant_tier"]}
    policy = DriftPolicy.model_validate({**SHIPPED, "segments": tiers})
    with open_scratch() as warehouse:
        _fill(warehouse)
        nameless, gold = load_segments(warehouse, policy, AS_OF)
        assert gold.segment == Segment("f", "production", None, (("tenant_tier", "gold"),))
        assert gold.segment.label == "f (production, tenant_tier gold)"
        assert nameless.segment.label == "f (production, tenant_tier (none))"
        keys = [{row.call_key for row in texts.recent_rows} for texts in (gold, nameless)]
        assert not keys[0] & keys[1]
        assert {len(found) for found in keys} == {6 * 12}
        window = recent_windows(AS_OF, policy)[0]
        sql = texts_query(gold.segment, window, None, is_canary=False)
        shown = {row["call_key"] for row in warehouse.rows(sql)}
    assert shown == {row.call_key for row in gold.rows_in(window)}


def test_one_segment_holds_all_models_when_models_do_not_part() -> None:
    policy = DriftPolicy.model_validate(
        {**SHIPPED, "segments": {"dimensions": ["feature", "environment"]}, "window": "6h"}
    )
    with open_scratch() as warehouse:
        _fill(warehouse)
        (texts,) = load_segments(warehouse, policy, AS_OF)
    assert texts.segment == Segment("f", "production")
    assert len(texts.recent_rows) == 18
    assert len(texts.reference_rows) == 14 * 24


def test_segment_that_has_stopped_is_told_until_it_is_given_up() -> None:
    """Silence is no ``ok``: there is a row that says that nothing is known."""
    by_silence = {}
    with open_scratch() as warehouse:
        _fill(warehouse)
        last = warehouse.rows("select max(called_at) as at from marts.fct_call_texts")[0]["at"]
        for days in (1, 10, 19, 21):
            as_of = AS_OF + timedelta(days=days)
            warehouse.execute(
                "delete from marts.fct_call_texts where called_at >= $at", {"at": AS_OF}
            )
            by_silence[days] = load_segments(warehouse, POLICY, as_of)
    assert last >= AS_OF - timedelta(days=2)
    assert [len(found) for found in by_silence.values()] == [1, 1, 1, 0]
    (silent,) = by_silence[10]
    assert (silent.recent_rows, silent.references) == ((), {})


def test_calls_that_name_no_model_are_a_segment() -> None:
    with open_scratch() as warehouse:
        _fill(warehouse)
        for table in ("fct_llm_calls", "fct_call_texts"):
            warehouse.execute(f"update marts.{table} set request_model = null")
        (texts,) = load_segments(warehouse, POLICY, AS_OF)
        window = recent_windows(AS_OF, POLICY)[0]
        shown = warehouse.rows(texts_query(texts.segment, window, None, is_canary=False))
    assert texts.segment == Segment("f", "production", "")
    assert texts.segment.label == "f (production, no model named)"
    assert texts.segment.model_name is None
    assert len(texts.recent_rows) == 6 * 24
    assert len(texts.reference_rows) == 14 * 24
    assert {row["call_key"] for row in shown} == {r.call_key for r in texts.rows_in(window)}
