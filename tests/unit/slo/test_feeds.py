"""A silent outcome feed, and what an evaluation makes of it."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from include.freezeline.config import config_dir
from include.freezeline.settings import Settings
from include.freezeline.slo.catalogue import Slo, load_slo
from include.freezeline.slo.evaluation import evaluate
from include.freezeline.slo.feeds import Silence, find_silence
from include.freezeline.slo.wording import explain
from tests.unit.slo.builders import AS_OF, steady


def _slo(name: str = "support-escalation") -> Slo:
    """Return a shipped SLO."""
    return load_slo(config_dir(Settings()) / "slos" / f"{name}.yml")


@pytest.mark.parametrize(
    ("hours_ago", "is_silent"), [([48.0], False), ([48.1], True), ([96.0, 1.0], False), ([], True)]
)
def test_find_silence_compares_with_the_allowed_time_when_files_stop(
    hours_ago: list[float], is_silent: bool
) -> None:
    arrivals = {"escalations": [AS_OF - timedelta(hours=hours) for hours in hours_ago]}
    assert (find_silence(_slo(), arrivals, AS_OF) is not None) == is_silent


def test_find_silence_sees_only_the_past_when_a_file_lands_later() -> None:
    arrivals = {"escalations": [AS_OF - timedelta(hours=60), AS_OF]}
    found = find_silence(_slo(), arrivals, AS_OF)
    assert found == Silence("escalations", AS_OF - timedelta(hours=60))
    assert find_silence(_slo(), arrivals, AS_OF + timedelta(hours=1)) is None


def test_find_silence_is_nothing_when_the_slo_has_no_fact() -> None:
    assert find_silence(_slo("hard-error-rate"), {}, AS_OF) is None


@pytest.mark.parametrize("bad_every", [0, 10])
def test_evaluation_is_never_ok_when_its_feed_is_silent(bad_every: int) -> None:
    events = steady(2_000, 28, bad_every)
    heard = evaluate(_slo(), events, "f", "production", AS_OF)
    assert heard.verdict == ("breach" if bad_every else "ok")
    silence = Silence("escalations", AS_OF - timedelta(days=4))
    silent = evaluate(_slo(), events, "f", "production", AS_OF, silence=silence)
    assert (silent.verdict, silent.has_data) == ("insufficient_evidence", False)
    assert silent.budget == heard.budget
    assert explain(silent).startswith("no escalations file has landed since 2026-11-16 00:00Z; ")


def test_exhaustion_is_unknown_when_the_burn_cannot_spend_a_rolling_budget() -> None:
    slo = _slo("hard-error-rate")
    exact = replace(slo, objective=replace(slo.objective, limit=Fraction(1, 20)))
    slow = evaluate(exact, steady(2_800, 28, 25), "f", "production", AS_OF)
    assert slow.budget.burn_rates[24] == Fraction(4, 5)
    assert slow.budget.time_to_exhaustion_h is not None
    assert slow.time_to_exhaustion_h is None
    spent = evaluate(exact, steady(2_800, 28, 10), "f", "production", AS_OF)
    assert spent.time_to_exhaustion_h == 0
