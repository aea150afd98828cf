"""Sampling: deterministic, order-free, stratified, with weights that add up."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from include.freezeline.config import config_dir
from include.freezeline.errors import ConfigError, LabellingError
from include.freezeline.labelling.files import LINES, MANIFEST, TABLE, parse_sample, sample_files
from include.freezeline.labelling.labels import parse_labels, rate_of_labels
from include.freezeline.labelling.policy import (
    Allocation,
    LabellingPolicy,
    load_labelling_policy,
    parse_strata,
    require_shorter_than_hot,
)
from include.freezeline.labelling.sampling import Sample, draw_sample, exclusions
from include.freezeline.retention.policy import load_retention_policy
from include.freezeline.settings import Settings
from tests.unit.labelling.calls import call, frame

POLICY = load_labelling_policy(config_dir(Settings()))
EVEN = Allocation(rule="proportional", min_per_stratum=1)


def draw(calls: pd.DataFrame, size: int, *, seed: int = 1, strata: str = "feature") -> Sample:
    reasons = exclusions(calls, POLICY, np.zeros(len(calls), dtype=np.bool_))
    return draw_sample(
        calls, reasons, strata.split(","), size=size, seed=seed, allocation=EVEN, max_strata=50
    )


CALLS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.floats(1.0, 50.0), st.booleans()),
    min_size=1,
    max_size=120,
)


def made(drawn: list[tuple[str, float, bool]]) -> pd.DataFrame:
    return frame(
        *(
            call(n, feature=feature, sample_weight=weight, consent="granted" if may else "denied")
            for n, (feature, weight, may) in enumerate(drawn)
        )
    )


@hypothesis_settings(deadline=None)
@given(CALLS, st.integers(4, 60), st.randoms())
def test_a_sample_depends_on_keys_and_seed_only(drawn: Any, size: int, rng: Any) -> None:
    calls = made(drawn)
    order = list(range(len(calls)))
    rng.shuffle(order)
    again = draw(calls.iloc[order].reset_index(drop=True), size)
    first = draw(calls, size)
    pd.testing.assert_frame_equal(first.rows, again.rows)
    assert [s.n_sampled for s in first.strata] == [s.n_sampled for s in again.strata]


@hypothesis_settings(deadline=None)
@given(CALLS, st.integers(4, 60))
def test_weights_are_those_of_the_design(drawn: Any, size: int) -> None:
    """Each is trace weight over chance; without trace sampling they add up to the calls."""
    calls = made(drawn)
    sample = draw(calls, size)
    weight = calls.set_index("call_key")["sample_weight"]
    eligible = set(calls[calls["consent"] == "granted"]["call_key"])
    assert set(sample.rows["call_key"]) <= eligible
    for row in sample.rows.to_dict("records"):
        expected = weight[row["call_key"]] / row["inclusion_probability"]
        assert row["label_weight"] == pytest.approx(expected)
    for stratum in sample.strata:
        of_stratum = sample.rows[sample.rows["stratum"] == stratum.stratum]
        assert len(of_stratum) == stratum.n_sampled
        total = float((1.0 / of_stratum["inclusion_probability"]).sum())
        assert total == pytest.approx(stratum.n_eligible if stratum.n_sampled else 0)
        assert stratum.n_calls == stratum.n_eligible + sum(stratum.excluded.values())


def test_every_call_is_drawn_as_often_as_its_probability_says() -> None:
    calls = frame(*(call(n, feature="a" if n < 30 else "b") for n in range(40)))
    counts = np.zeros(40)
    for seed in range(600):
        for key in draw(calls, 12, seed=seed).rows["call_key"]:
            counts[int(key, 16)] += 1
    assert counts[:30].mean() / 600 == pytest.approx(9 / 30)
    assert np.abs(counts / 600 - 0.3).max() < 0.09


def test_reasons_are_counted_and_empty_strata_are_listed() -> None:
    calls = frame(
        call(1),
        call(2, feature="probed", is_canary=True),
        call(3, consent="denied"),
        call(4, consent="unknown"),
        call(5, data_class="health"),
        call(6, is_text_withheld=True),
        call(7, has_text=False),
        call(8, environment="staging"),
        call(9, data_class="public"),
        call(10),
    )
    is_erased = np.arange(10) == 9
    reasons = exclusions(calls, POLICY, is_erased)
    assert list(reasons) == [
        "", "probe", "consent_denied", "consent_unknown", "data_class", "text_withheld",
        "no_text", "environment", "", "erased",
    ]  # fmt: skip
    sample = draw_sample(
        calls, reasons, ["feature"], size=10, seed=1, allocation=EVEN, max_strata=5
    )
    chat, probed = sample.strata
    assert (chat.n_eligible, chat.n_sampled) == (2, 2)
    assert (probed.n_eligible, probed.n_sampled, dict(probed.excluded)) == (0, 0, {"probe": 1})
    assert probed.inclusion_probability is None


def test_calls_without_class_need_the_policys_word() -> None:
    policy = LabellingPolicy.model_validate(POLICY.model_dump() | {"unclassified": False})
    reasons = exclusions(frame(call(1)), policy, np.zeros(1, dtype=np.bool_))
    assert list(reasons) == ["unclassified"]


def test_no_calls_give_an_empty_sample() -> None:
    calls = frame(call(1)).iloc[:0]
    sample = draw(calls, 10)
    assert (len(sample.rows), sample.strata) == (0, ())


def test_too_many_strata_are_an_error() -> None:
    calls = frame(*(call(n, feature=f"f{n}") for n in range(60)))
    with pytest.raises(LabellingError, match="60 strata, at most 50"):
        draw(calls, 100)


def test_neyman_draws_more_where_the_outcome_varies() -> None:
    calls = frame(
        *(call(n, feature="quiet", is_escalated=False) for n in range(200)),
        *(call(200 + n, feature="loud", is_escalated=n % 2 == 0) for n in range(200)),
    )
    reasons = exclusions(calls, POLICY, np.zeros(400, dtype=np.bool_))
    rule = Allocation(rule="neyman", min_per_stratum=5, rate_column="is_escalated")
    sample = draw_sample(calls, reasons, ["feature"], size=60, seed=1, allocation=rule,
                         max_strata=5)  # fmt: skip
    loud, quiet = sample.strata
    assert loud.n_sampled > 5 * quiet.n_sampled >= 25


def files_of(calls: pd.DataFrame, sample: Sample) -> dict[str, bytes]:
    known = calls.set_index("call_key", drop=False)
    rows = [
        {**known.loc[row["call_key"]].to_dict(), **row, "trace_id": "t", "span_id": "s",
         "prompt_version": None, "input_text_redacted": "hi", "output_text_redacted": None}
        for row in sample.rows.to_dict("records")
    ]  # fmt: skip
    return sample_files(rows, sample, {"seed": 1})


def test_labels_of_all_calls_give_the_true_rate_back() -> None:
    calls = frame(*(call(n, feature="a" if n < 30 else "b") for n in range(50)))
    sample = draw(calls, 50)
    manifest, rows = parse_sample(files_of(calls, sample))
    labels = {row["call_key"]: int(row["call_key"], 16) % 5 == 0 for row in rows}
    result = rate_of_labels(manifest, rows, labels)
    assert result.value == pytest.approx(0.2)
    assert result.interval == (pytest.approx(0.2), pytest.approx(0.2))


def test_files_are_the_same_bytes_again_and_checked_when_read() -> None:
    calls = frame(*(call(n) for n in range(20)))
    first, again = files_of(calls, draw(calls, 8)), files_of(calls, draw(calls, 8))
    assert first == again
    assert list(first) == [LINES, TABLE, MANIFEST]
    with pytest.raises(LabellingError, match="differs from its manifest"):
        parse_sample(first | {LINES: first[LINES].replace(b"chat", b"chit")})
    with pytest.raises(LabellingError, match="not a sample"):
        parse_sample(first | {MANIFEST: b"{}"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("call_key,label\na,maybe\n", "labels.csv:2: label 'maybe'"),
        ("key,label\na,yes\n", "labels.csv:2: no call_key"),
        ('{"call_key": "a", "label": true}\n{oops\n', "labels.csv:2: not a JSON object"),
        ("call_key,label\na,yes\na,no\n", "labels.csv:3: a second label"),
    ],
)
def test_labels_that_cannot_be_read_name_their_line(text: str, message: str) -> None:
    with pytest.raises(LabellingError) as caught:
        parse_labels(text, "labels.csv")
    assert message in str(caught.value)


def test_labels_may_be_csv_or_json_lines_and_may_be_missing() -> None:
    assert parse_labels("call_key,label\na,yes\nb,\nc,0\n", "x") == {"a": True, "c": False}
    assert parse_labels('{"call_key": "a", "label": false}\n', "x") == {"a": False}
    kept = '{"call_key": "a", "label": "yes", "input_text_redacted": "one\u2028two"}\n'
    assert parse_labels(kept, "x") == {"a": True}
    assert parse_labels('call_key,note,label\na,"one\ntwo",no\n', "x") == {"a": False}


def test_labels_of_other_calls_are_refused() -> None:
    calls = frame(*(call(n) for n in range(9)))
    manifest, rows = parse_sample(files_of(calls, draw(calls, 4)))
    with pytest.raises(LabellingError, match="1 labels are of calls that are not in the sample"):
        rate_of_labels(manifest, rows, {"stranger": True})


def test_strata_are_columns_that_name_nobody() -> None:
    assert parse_strata("feature, model") == ("feature", "request_model")
    for wrong in ("user_key", "feature,feature", "nope"):
        with pytest.raises(ConfigError, match="--strata"):
            parse_strata(wrong)


def test_packaged_samples_do_not_outlive_the_hot_tier(tmp_path: Path) -> None:
    retention = load_retention_policy(config_dir(Settings()))
    require_shorter_than_hot(POLICY, retention)
    longer = LabellingPolicy.model_validate(POLICY.model_dump() | {"keep_days": 40})
    with pytest.raises(ConfigError, match=r"is 68, and the hot tier .* ends after 60"):
        require_shorter_than_hot(longer, retention)
    of_health = LabellingPolicy.model_validate(POLICY.model_dump() | {"data_classes": ["health"]})
    with pytest.raises(ConfigError, match="ends after 14"):
        require_shorter_than_hot(of_health, retention)
