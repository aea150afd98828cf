"""A short slice of the fuzzing: the seeds, seeded mutations of them, and a moment of atheris."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.corpus import seeds
from tests.fuzz.targets import CARD, MAIL, PLANTED, TARGETS

_SEEDS = tuple(seeds())
_MUTATIONS = 150
_RUNS = 4_000


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_pass(name: str) -> None:
    for seed in _SEEDS:
        TARGETS[name](seed)


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_seeds_pass(name: str) -> None:
    rng = random.Random(name)
    for _ in range(_MUTATIONS):
        TARGETS[name](_mutated(rng))


def test_targets_notice_a_value_that_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = _SEEDS[0]
    assert all(value.encode() in broken for value in PLANTED)
    monkeypatch.setattr("include.freezeline.landing.texts.TextGuard._redact", _passes_all)
    with pytest.raises(AssertionError, match="a planted value came out"):
        TARGETS["land_bytes"](broken)


def test_fuzzer_runs_a_moment(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz", "land_bytes", "--runs", str(_RUNS)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "no crash, no hang, no raw value out" in done.stdout


def _passes_all(*_arguments: object) -> None:
    """Stand in for a guard that redacts nothing."""


def _mutated(rng: random.Random) -> bytes:
    """Return a seed with some bytes changed, cut, repeated or crossed with another seed."""
    data = bytearray(rng.choice(_SEEDS))
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(data) + 1)
        kind = rng.randrange(5)
        if kind == 0 and place < len(data):
            data[place] = rng.randrange(256)
        elif kind == 1:
            del data[place : place + rng.randint(1, 40)]
        elif kind == 2:
            data[place:place] = data[place : place + rng.randint(1, 200)]
        elif kind == 3:
            other = rng.choice(_SEEDS)
            data[place:] = other[rng.randrange(len(other)) :]
        else:
            data[place:place] = rng.choice(
                (MAIL.encode(), CARD.encode(), b"\xff", b"\\u0000", b"{")
            )
    return bytes(data)
