"""Anomaly questions on made-up daily series."""

from datetime import timedelta

import numpy as np
import pytest

from include.freezeline.config import config_dir
from include.freezeline.drift.anomalies import ask_anomaly
from include.freezeline.drift.anomaly_night import decide_anomalies
from include.freezeline.drift.anomaly_policy import AnomalyQuestion, load_anomaly_policy
from include.freezeline.drift.findings import Judged
from include.freezeline.drift.segments import Segment
from include.freezeline.drift.series import DailyLevel, DailySeries
from include.freezeline.settings import Settings
from tests.unit.drift.worlds import AS_OF

POLICY = load_anomaly_policy(config_dir(Settings()))
BY_NAME = {question.name: question for question in POLICY.questions}
SEGMENT = Segment("code-helper", "production", "gpt-4.1")


def _series(levels: np.ndarray, n_calls: int = 150) -> DailySeries:
    first = AS_OF - timedelta(days=len(levels))
    days = [(first + timedelta(days=i)).date() for i in range(len(levels))]
    return DailySeries(
        SEGMENT,
        tuple(
            DailyLevel(day, n_calls, float(level), float(level))
            for day, level in zip(days, levels, strict=True)
        ),
    )


def _counts(ratios: np.ndarray, n_calls: int = 300) -> DailySeries:
    rng = np.random.default_rng(5)
    empty = _series(ratios, n_calls)
    return DailySeries(
        SEGMENT,
        tuple(
            DailyLevel(d.day, n_calls, None, None, int(rng.binomial(n_calls, ratio)))
            for d, ratio in zip(empty.days, ratios, strict=True)
        ),
    )


def _noise(n: int, seed: int = 0, level: float = 100.0, spread: float = 0.05) -> np.ndarray:
    return level * np.exp(np.random.default_rng(seed).normal(0.0, spread, n))


def _judge(question: AnomalyQuestion, series: DailySeries) -> Judged:
    judged = decide_anomalies([ask_anomaly(question, series, POLICY, AS_OF)], POLICY)
    assert len(judged) == 1
    return judged[0]


@pytest.mark.parametrize("name", ["tpot_p95_ms", "input_tokens_shift", "cost_per_call_usd"])
def test_shift_breaches_when_two_of_three_days_are_up(name: str) -> None:
    levels = _noise(31)
    levels[-2:] *= 2.0
    judged = _judge(BY_NAME[name], _series(levels))
    assert judged.verdict == "breach"
    assert judged.finding.threshold is not None
    assert judged.finding.result.value is not None
    assert judged.finding.result.value > judged.finding.threshold


@pytest.mark.parametrize("day", [-1, -2, -3])
def test_shift_never_breaches_when_one_day_is_an_outlier(day: int) -> None:
    levels = _noise(31)
    levels[day] *= 50.0
    verdict = _judge(BY_NAME["tpot_p95_ms"], _series(levels)).verdict
    assert verdict == ("warning" if day == -1 else "ok")


def test_shift_is_ok_when_it_is_down_but_up_was_asked() -> None:
    levels = _noise(31)
    levels[-3:] *= 0.4
    assert _judge(BY_NAME["tpot_p95_ms"], _series(levels)).verdict == "ok"
    assert _judge(BY_NAME["output_tokens_shift"], _series(levels)).verdict == "breach"


def test_shift_is_ok_when_significant_but_small() -> None:
    levels = _noise(31, spread=0.002)
    levels[-3:] *= 1.15
    judged = _judge(BY_NAME["tpot_p95_ms"], _series(levels))
    assert judged.verdict == "ok"
    assert "below the change that matters" in judged.reason


@pytest.mark.parametrize("n_days", [13, 31])
@pytest.mark.parametrize("factors", [(1, 1, 1, 1, 1, 0.5, 0.5), (1.4, 1.4, 1, 1, 1, 1, 1)])
@pytest.mark.parametrize("shift", range(7))
def test_shift_is_ok_when_days_of_the_week_always_differ(
    factors: tuple[float, ...], shift: int, n_days: int
) -> None:
    """Whatever day it is, and even when only ten days are known before."""
    season = np.resize(np.roll(factors, shift), 31)
    levels = _noise(31, shift) * season
    levels[: 31 - n_days] = np.nan
    assert _judge(BY_NAME["input_tokens_shift"], _series(levels)).verdict == "ok"


@pytest.mark.parametrize("shift", range(7))
def test_shift_breaches_when_it_is_more_than_the_day_of_the_week(shift: int) -> None:
    levels = _noise(31) * np.resize(np.roll([1.4, 1.4, 1, 1, 1, 1, 1], shift), 31)
    levels[-3:] *= 1.5
    judged = _judge(BY_NAME["input_tokens_shift"], _series(levels))
    assert judged.verdict == "breach"
    assert judged.finding.result.details["season"] in ("weekday", "weekend")


@pytest.mark.parametrize("ratios", [(0.01,) * 5 + (0.06,) * 2, (0.06, 0.06) + (0.01,) * 5])
@pytest.mark.parametrize("shift", range(7))
def test_ratio_is_ok_when_days_of_the_week_always_differ(
    ratios: tuple[float, ...], shift: int
) -> None:
    series = _counts(np.resize(np.roll(ratios, shift), 31), 2000)
    assert _judge(BY_NAME["error_ratio"], series).verdict == "ok"


def test_ratio_breaches_when_it_is_more_than_the_day_of_the_week() -> None:
    ratios = np.resize((0.01,) * 5 + (0.06,) * 2, 31)
    ratios[-3:] = 0.15
    assert _judge(BY_NAME["error_ratio"], _counts(ratios, 2000)).verdict == "breach"


@pytest.mark.parametrize("name", ["input_tokens_shift", "error_ratio"])
def test_question_lacks_evidence_when_the_newest_day_is_missing(name: str) -> None:
    """What was usual until then says nothing about what has stopped since."""
    kind = _series if name == "input_tokens_shift" else _counts
    days = list(kind(np.full(31, 0.02) if kind is _counts else _noise(31)).days)
    days[-1] = DailyLevel(days[-1].day, 0, None, None)
    judged = _judge(BY_NAME[name], DailySeries(SEGMENT, tuple(days)))
    assert judged.verdict == "insufficient_evidence"
    assert "the newest day has fewer than 20 calls" in judged.reason


def test_creep_lacks_evidence_when_the_series_has_stopped() -> None:
    levels = _noise(28) * 1.015 ** np.maximum(0, np.arange(28) - 6)
    levels[-3:] = np.nan
    judged = _judge(BY_NAME["input_tokens_creep"], _series(levels))
    assert judged.verdict == "insufficient_evidence"
    assert "none of the last 3 days" in judged.reason


def test_shift_says_what_a_level_is_when_a_prompt_version_changed_it() -> None:
    """A new version is no anomaly, and its bill is told all the same."""
    days = [
        DailyLevel(d.day, d.n_calls, d.level * (50.0 if i >= 28 else 1.0), d.relative_level)
        for i, d in enumerate(_series(_noise(31)).days)
        if d.level is not None
    ]
    judged = _judge(BY_NAME["cost_per_call_usd"], DailySeries(SEGMENT, tuple(days)))
    assert judged.verdict == "ok"
    assert "with each prompt version compared with itself" in judged.reason
    assert "usd as it is" in judged.reason


@pytest.mark.parametrize(
    "series",
    [
        _series(np.full(31, 100.0), n_calls=3),
        _series(np.concatenate([np.full(22, np.nan), np.full(9, 100.0)])),
        _series(np.concatenate([np.full(28, 100.0), np.full(3, np.nan)])),
    ],
)
def test_shift_lacks_evidence_when_days_are_missing(series: DailySeries) -> None:
    judged = _judge(BY_NAME["tpot_p95_ms"], series)
    assert judged.verdict == "insufficient_evidence"
    assert judged.finding.result.value is None
    assert "needed" in judged.reason


def test_creep_breaches_when_tokens_grow_slowly() -> None:
    levels = _noise(28) * 1.015 ** np.maximum(0, np.arange(28) - 6)
    judged = _judge(BY_NAME["input_tokens_creep"], _series(levels))
    assert judged.verdict == "breach"
    assert judged.finding.result.value == pytest.approx(0.37, abs=0.12)


@pytest.mark.parametrize("week", [(1, 1, 1, 1, 1, 1.4, 1.4), (1.3, 1.3, 1, 1, 1, 1.1, 0.7)])
def test_creep_breaches_where_days_of_the_week_differ(week: tuple[float, ...]) -> None:
    season = np.resize(week, 28)
    growth = 1.5 ** (np.arange(28) / 27)
    judged = _judge(BY_NAME["input_tokens_creep"], _series(_noise(28, spread=0.03) * season * growth))  # fmt: skip
    assert judged.verdict == "breach"
    assert judged.finding.result.value == pytest.approx(0.5, abs=0.12)
    quiet = _judge(BY_NAME["input_tokens_creep"], _series(_noise(28, spread=0.03) * season))
    assert quiet.verdict == "ok"


def _versions(factors: np.ndarray) -> DailySeries:
    """Return days whose calls grow by their prompt versions alone."""
    relative = _noise(28, spread=0.02)
    return DailySeries(
        SEGMENT,
        tuple(
            DailyLevel(day.day, day.n_calls, float(level), day.relative_level)
            for day, level in zip(_series(relative).days, relative * factors, strict=True)
        ),
    )


def test_creep_warns_when_calls_grow_from_prompt_version_to_prompt_version() -> None:
    judged = _judge(BY_NAME["input_tokens_creep"], _versions(1.08 ** (np.arange(28) // 5)))
    assert judged.verdict == "warning"
    assert "from prompt version to prompt version" in judged.reason
    assert "% as it is" in judged.reason
    assert judged.finding.details["level_change_ratio"] == pytest.approx(0.47, abs=0.08)


def test_creep_of_one_prompt_version_is_not_told_as_growth_of_versions() -> None:
    """Not even where it is out for itself and not among all questions of a night."""
    question = BY_NAME["input_tokens_creep"]
    found = ask_anomaly(question, _series(_noise(28) * 1.01 ** np.arange(28)), POLICY, AS_OF)
    assert "version_creep_p_value" not in found.details
    assert found.details["level_change_ratio"] == found.result.value


@pytest.mark.parametrize("day", [4, 14, 22])
def test_creep_is_ok_when_one_longer_version_was_rolled_out(day: int) -> None:
    factors = 1.0 + 0.5 * np.clip((np.arange(28) - day) / 3.0, 0.0, 1.0)
    assert _judge(BY_NAME["input_tokens_creep"], _versions(factors)).verdict == "ok"


@pytest.mark.parametrize(
    "name", ["ttft_creep", "tpot_creep", "output_tokens_creep", "cost_per_call_creep"]
)
def test_slow_growth_that_no_shift_sees_breaches_as_a_creep(name: str) -> None:
    growth = _noise(31, spread=0.03) * 1.02 ** np.arange(31)
    shift = _judge(BY_NAME["ttft_p95_ms"], _series(growth))
    assert shift.verdict == "ok"
    assert "it would matter, but may be chance" in shift.reason
    assert "nothing unusual" not in shift.reason
    assert _judge(BY_NAME[name], _series(growth[-28:])).verdict == "breach"


@pytest.mark.parametrize("levels", [_noise(28), _noise(28) * 1.002 ** np.arange(28)])
def test_creep_is_ok_when_flat_or_small(levels: np.ndarray) -> None:
    assert _judge(BY_NAME["input_tokens_creep"], _series(levels)).verdict == "ok"


def test_creep_lacks_evidence_when_series_is_constant() -> None:
    judged = _judge(BY_NAME["input_tokens_creep"], _series(np.full(28, 7.0)))
    assert judged.verdict == "insufficient_evidence"


@pytest.mark.parametrize("n_days", [2, 3, 5, 8])
def test_ratio_breaches_when_it_lasts_even_inside_the_baseline(n_days: int) -> None:
    ratios = np.full(31, 0.02)
    ratios[-n_days:] = 0.25
    judged = _judge(BY_NAME["retrieval_empty_ratio"], _counts(ratios))
    assert judged.verdict == "breach"
    assert judged.finding.result.details["baseline_ratio"] == pytest.approx(0.02, abs=0.005)


def test_interval_of_a_ratio_is_as_wide_as_its_days_vary() -> None:
    """The same variance that the p-value allows for; calls alone would promise far too much."""
    noise = np.exp(np.random.default_rng(6).normal(0.0, 0.3, 31))
    widths = []
    for ratios in (np.full(31, 0.05), 0.05 * noise):
        ratios[-3:] = 0.15
        result = _judge(BY_NAME["error_ratio"], _counts(ratios, 20_000)).finding.result
        assert result.interval is not None
        widths.append(result.interval[1] - result.interval[0])
    assert widths[1] > 5.0 * widths[0]


@pytest.mark.parametrize("day", [-1, -2, -3])
def test_ratio_never_breaches_when_one_day_is_an_outlier(day: int) -> None:
    ratios = np.full(31, 0.02)
    ratios[day] = 0.9
    assert _judge(BY_NAME["error_ratio"], _counts(ratios)).verdict != "breach"


def test_ratio_is_ok_when_nothing_ever_happens() -> None:
    judged = _judge(BY_NAME["error_ratio"], _counts(np.zeros(31)))
    assert (judged.verdict, judged.finding.result.value) == ("ok", 0.0)


def test_quiet_nights_are_quiet_when_many_series_are_judged() -> None:
    findings = [
        ask_anomaly(question, _series(_noise(31, seed, spread=0.08)[-n:]), POLICY, AS_OF)
        for seed in range(300)
        for question, n in ((BY_NAME["tpot_p95_ms"], 31), (BY_NAME["input_tokens_creep"], 28))
    ]
    verdicts = [judged.verdict for judged in decide_anomalies(findings, POLICY)]
    assert len(verdicts) == 600
    assert verdicts.count("breach") == 0
