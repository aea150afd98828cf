"""The bench of the drift test."""

import subprocess
import sys

import pytest

from tests.bench.bench_drift import Cell, conclude, keeps_level
from tests.bench.drift_rivals import METHODS, OURS, REPLICATED


def _cell(mix: float, n_alarms: int, others: int) -> Cell:
    alarms = {name: n_alarms if name == OURS else others for name in METHODS if name != REPLICATED}
    return Cell("organic", 100, mix, 100, alarms, dict.fromkeys(METHODS, 1.0))


def test_bench_prints_every_method_and_sees_another_model() -> None:
    words = [sys.executable, "-m", "tests.bench.bench_drift", "--quick"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)  # noqa: S603 - our module
    assert f"| organic | 30 | 1.0 | {OURS} | 1.00 |" in done.stdout
    assert f"| probe | 30 | 1.0 | {OURS} | 1.00 |" in done.stdout
    assert f"| probe | 30 | 1.0 | {REPLICATED} | 1.00 |" in done.stdout
    assert f"| organic | 30 | 1.0 | {REPLICATED}" not in done.stdout
    assert all(name in done.stdout for name in METHODS)


def test_a_method_that_always_alarms_is_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    cells = [_cell(0.0, 5, 90), _cell(0.5, 60, 100)]
    assert keeps_level(OURS, cells)
    assert not keeps_level("centroid", cells)
    conclude(cells)
    assert "ahead or level in 1 of 1 cells" in capsys.readouterr().out


def test_being_behind_an_honest_method_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    conclude([_cell(0.0, 5, 5), _cell(0.5, 40, 60)])
    printed = capsys.readouterr().out
    assert "ahead or level in 0 of 1 cells" in printed
    assert "behind in organic n=100 mix=0.5: centroid 60 against 40 of 100" in printed


def test_where_a_second_reference_answer_is_known_ours_is_the_test_that_uses_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cell = _cell(0.5, 40, 60)
    cell.n_alarms[REPLICATED] = 70
    conclude([_cell(0.0, 5, 5), cell])
    assert "ahead or level in 1 of 1 cells" in capsys.readouterr().out
