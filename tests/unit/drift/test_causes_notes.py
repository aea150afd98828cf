"""Changes of identities that are hard to see, and changes that say nothing about the cause."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from include.freezeline.drift.cause_evidence import Evidence, RootCause
from include.freezeline.drift.cause_notes import FINGERPRINTS_TURN_OVER, TOGETHER, TURNS_OVER
from include.freezeline.drift.cause_shares import shift_of, short_names
from include.freezeline.drift.causes import find_cause, refining_permutations
from include.freezeline.drift.signs import SIGNS, CauseRows
from tests.unit.drift.test_causes import IS_CURRENT, POLICY, N, _columns, _find, _put


def _by_name(found: RootCause, name: str) -> Evidence:
    return next(e for e in found.evidence if e.name == name)


_ARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-{}-v2:0"


def test_names_that_differ_after_sixty_characters_are_different_names() -> None:
    columns = _columns(1)
    columns["response_model"] = [_ARN.format("20241022" if x else "20240620") for x in IS_CURRENT]
    found = _find(columns)
    assert found.cause == "model"
    moved = _by_name(found, "response model").result.details["moved_categories"]
    assert all(len(name) <= 60 for name in moved)
    assert {name[-13:] for name in moved} == {"20240620-v2:0", "20241022-v2:0"}
    whole = {item["full_name"] for item in moved.values()}
    assert whole == {_ARN.format("20240620"), _ARN.format("20241022")}, "for who acts on a name"


@pytest.mark.parametrize("n_values", [14, 18, 25])
def test_many_values_replaced_by_as_many_others_are_a_change(n_values: int) -> None:
    rng = np.random.default_rng(3)
    columns = _columns(1)
    columns["system_fingerprint"] = [
        f"fp_{'new' if x else 'old'}_{rng.integers(n_values)}" for x in IS_CURRENT
    ]
    found = _find(columns)
    assert found.cause == "model"
    largest = _by_name(found, "fingerprint").result
    assert largest.details["total_variation"] == pytest.approx(1.0)
    assert f"{n_values} values went (100.0% of calls before)" in found.reason
    assert f"{n_values} came (100.0% of calls now)" in found.reason


def test_many_values_that_stay_are_no_change() -> None:
    rng = np.random.default_rng(4)
    columns = _columns(1)
    columns["system_fingerprint"] = [f"fp_{i}" for i in rng.integers(0, 40, 2 * N)]
    result = _by_name(_find(columns), "fingerprint").result
    assert result.details["total_variation"] > POLICY.min_share_change  # by chance alone
    assert shift_of(result) < POLICY.min_share_change


def test_shares_are_shown_inside_prompt_versions_as_they_are_tested() -> None:
    """v1 has one fingerprint and v2 another; only a few calls of both get a new one."""
    rng = np.random.default_rng(5)
    columns = _columns(1)
    is_v2 = rng.random(2 * N) < np.where(IS_CURRENT, 0.6, 0.2)
    is_new = IS_CURRENT & (rng.random(2 * N) < 0.2)
    columns["prompt_version"] = ["v2" if x else "v1" for x in is_v2]
    columns["system_fingerprint"] = [
        "fp_c" if new else "fp_b" if x else "fp_a" for x, new in zip(is_v2, is_new, strict=True)
    ]
    found = _find(columns)
    moved = _by_name(found, "fingerprint").result.details["moved_categories"]
    assert next(iter(moved)) == "fp_c"
    assert moved["fp_b"]["change_ratio"] < 0 < moved["fp_c"]["change_ratio"] < 0.25
    assert "fingerprint: fp_c from 0.0% to" in found.reason
    assert "of calls of the same prompt version" in found.reason


def test_model_that_moved_together_with_the_prompt_is_shown_and_not_counted() -> None:
    columns = _columns(2)
    columns["prompt_version"] = ["v2" if x else "v1" for x in IS_CURRENT]
    columns["response_model"] = ["m-2" if x else "m-1" for x in IS_CURRENT]
    found = _find(columns, is_given_version=False)
    assert found.cause == "prompt"
    evidence = _by_name(found, "response model")
    assert (evidence.is_changed, evidence.is_counted, evidence.note) == (True, False, TOGETHER)
    assert "changed but not counted: model (response model: m-1 from 100.0% to 0.0%" in found.reason
    assert "nothing is known" not in found.reason


@pytest.mark.parametrize("column", ["system_fingerprint", "document_source", "prompt_version"])
@pytest.mark.parametrize("share", [1.0, 0.6])
def test_column_recorded_from_now_on_is_no_cause(column: str, share: float) -> None:
    absent = "" if column == "prompt_version" else None
    first, last = _columns(1), _columns(1)
    _put(first, column, "a", share)
    for i in range(2 * N):
        is_recorded = IS_CURRENT[i] and first[column][i] == "a"
        first[column][i] = "a" if is_recorded else absent
        last[column][i] = absent if IS_CURRENT[i] else "a"
    name = next(sign.name for sign in SIGNS if sign.column == column)
    is_retrieval_of_some = column == "document_source" and share < 1.0
    began = _find(first, is_given_version=False)
    assert _by_name(began, name).is_counted == is_retrieval_of_some
    assert began.cause == ("retrieval" if is_retrieval_of_some else "unknown")
    if not is_retrieval_of_some:
        assert "recording began" in began.reason
    ended = _find(last, is_given_version=False)
    assert ended.cause == "unknown"
    assert "recording ended" in ended.reason


def _with_times(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Return calls of a fortnight before and of a day."""
    start = datetime(2026, 9, 1, tzinfo=UTC)
    days = np.where(IS_CURRENT, 14, np.arange(2 * N) % 14)
    return columns | {"called_at": [start + timedelta(days=int(day)) for day in days]}


def test_prompt_text_that_is_new_every_day_hides_no_model() -> None:
    columns = _with_times(_columns(1))
    columns["prompt_hash"] = [f"h{t:%m%d}" for t in columns["called_at"]]
    _put(columns, "response_model", "m-2026-10")
    found = _find(columns)
    assert found.cause == "model"
    evidence = _by_name(found, "prompt text under its version")
    assert (evidence.is_changed, evidence.is_counted, evidence.note) == (True, False, TURNS_OVER)


def test_prompt_text_edited_once_before_still_counts() -> None:
    columns = _with_times(_columns(1))
    columns["prompt_hash"] = [
        "c" if now else "a" if t.day <= 4 else "b"
        for t, now in zip(columns["called_at"], IS_CURRENT, strict=True)
    ]
    assert _find(columns).cause == "prompt"


def test_rare_prompt_texts_beside_a_steady_one_hide_no_edit_of_it() -> None:
    columns = _with_times(_columns(1))
    columns["prompt_hash"] = [
        f"rare {i}" if i % 5 == 0 else "new" if now else "steady"
        for i, now in enumerate(IS_CURRENT)
    ]
    assert _find(columns).cause == "prompt"


def test_level_far_below_the_shipped_one_can_be_met() -> None:
    columns = _columns(1)
    _put(columns, "response_model", "m-2026-10")
    rows = CauseRows(IS_CURRENT, columns)
    low = POLICY.model_copy(update={"level": 0.002})
    found = find_cause(rows, low, seed=5, is_given_version=True)
    assert found.cause == "model"
    assert "cannot reach" not in found.reason
    lower = POLICY.model_copy(update={"level": 0.0001})
    found = find_cause(rows, lower, seed=5, is_given_version=True)
    assert found.cause == "unknown"
    assert "19999 permutations are as many as are made, and with 18 signs" in found.reason
    assert "(set causes.level in drift.yml to at least 0.0009)" in found.reason


def test_permutations_stay_as_many_as_before_at_the_shipped_level() -> None:
    assert refining_permutations(0.01, 21, 800) == 4999
    assert refining_permutations(0.002, 21, 800) == 10500
    assert refining_permutations(0.0001, 21, 800) == 19999
    assert refining_permutations(0.0001, 21, 100_000) == 4999


def test_short_names_stay_different() -> None:
    names = ["short", *("a" * 40 + middle + "b" * 40 for middle in "xyz"), "c" * 70]
    short = short_names(names)
    assert len(set(short.values())) == len(names)
    assert short["short"] == "short"
    assert all(len(name) <= 68 for name in short.values())
    assert " #" in short[names[1]]
    assert " #" not in short[names[4]]


@pytest.mark.parametrize("days", [1, 3, 7])
def test_fingerprint_that_turns_over_by_itself_hides_no_retrieval(days: int) -> None:
    """Before, a fingerprint that was another one every week was named for everything."""
    columns = _with_times(_columns(1))
    columns["system_fingerprint"] = [f"fp_{(t.day - 1) // days}" for t in columns["called_at"]]
    _put(columns, "document_source", "wiki")
    found = _find(columns)
    assert found.cause == "retrieval"
    evidence = _by_name(found, "fingerprint")
    assert (evidence.is_changed, evidence.is_counted) == (True, False)
    assert evidence.note == FINGERPRINTS_TURN_OVER


def test_fingerprint_recorded_since_a_week_still_counts() -> None:
    columns = _with_times(_columns(1))
    columns["system_fingerprint"] = [
        "fp_2" if now else None if t.day <= 8 else "fp_1"
        for t, now in zip(columns["called_at"], IS_CURRENT, strict=True)
    ]
    assert _find(columns).cause == "model"
