"""The bench of quiet series asks every question of the policy and prints its rates."""

import pytest

from include.freezeline.config import config_dir
from include.freezeline.drift.anomaly_policy import load_anomaly_policy
from include.freezeline.settings import Settings
from tests.bench.bench_quiet_series import HISTORY_DAYS, main, night_of, worlds_of


def test_bench_prints_runs_by_kind_and_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--nights", "1", "--segments", "2"]) == 0
    shown = capsys.readouterr().out
    for name in ("daily breach", "daily warning", "hourly breach", "hourly warning"):
        assert f"runs of nights, {name}" in shown


def test_every_question_of_the_policy_is_asked() -> None:
    policy = load_anomaly_policy(config_dir(Settings()))
    asked = [f.question for _, f in night_of(0, worlds_of(0, policy, 32), policy, HISTORY_DAYS)]
    names = [q.name for q in (*policy.questions, *policy.hourly.questions)]
    assert asked == names
