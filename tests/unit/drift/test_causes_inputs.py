"""Another mix of inputs is no other model and no other retrieval."""

from typing import Any

import numpy as np
import pytest

from include.freezeline.drift.cause_evidence import Evidence, RootCause
from include.freezeline.drift.causes import find_cause
from include.freezeline.drift.policy import CausePolicy
from include.freezeline.drift.signs import CauseRows

N = 400
IS_CURRENT = np.arange(2 * N) >= N
POLICY = CausePolicy(level=0.01, min_share_change=0.1, min_rank_shift=0.1, max_rows=400)
SEEDS = range(3)


def _columns(seed: int) -> dict[str, list[Any]]:
    """Draw calls of which nothing changed; half of what is recorded is enough here."""
    rng = np.random.default_rng(seed)
    tokens = rng.lognormal(6.5, 0.8, 2 * N)
    return {
        "prompt_version": ["v1"] * 2 * N,
        "response_model": ["m-2026"] * 2 * N,
        "ttft_ms": list((80 + 0.4 * tokens) * rng.lognormal(0, 0.25, 2 * N)),
        "tpot_ms": list(rng.lognormal(3, 0.2, 2 * N)),
        "best_document_score": list(rng.beta(8, 2, 2 * N)),
        "document_source": [f"kb/{i}" for i in rng.integers(0, 4, 2 * N)],
        "tenant_key": [f"t_{i}" for i in rng.integers(0, 6, 2 * N)],
        "route": ["/chat"] * 2 * N,
        "input_text_chars": [int(4 * t) for t in tokens],
        "input_tokens": [int(t) for t in tokens],
    }


def _is_large(rng: np.random.Generator) -> np.ndarray:
    """Draw calls of a kind whose share grows from 25% to 65%."""
    return np.where(IS_CURRENT, rng.random(2 * N) < 0.65, rng.random(2 * N) < 0.25)


def _longer(seed: int, factor: float) -> dict[str, list[Any]]:
    """Draw calls of which the current ones have longer inputs, that are read as fast as ever."""
    rng, columns = np.random.default_rng(300 + seed), _columns(seed)
    tokens = rng.lognormal(6.5, 0.8, 2 * N) * np.where(IS_CURRENT, factor, 1.0)
    columns["input_tokens"] = [int(t) for t in tokens]
    columns["input_text_chars"] = [int(4 * t) for t in tokens]
    columns["ttft_ms"] = list((80 + 0.4 * tokens) * rng.lognormal(0, 0.25, 2 * N))
    return columns


def _find(columns: dict[str, list[Any]]) -> RootCause:
    return find_cause(CauseRows(IS_CURRENT, columns), POLICY, seed=5, is_given_version=True)


def _sign(cause: RootCause, name: str) -> Evidence:
    (found,) = [each for each in cause.evidence if each.name == name]
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_share_of_a_slower_route_is_an_input(seed: int) -> None:
    rng, columns = np.random.default_rng(100 + seed), _columns(seed)
    slow = _is_large(rng)
    columns["route"] = ["/code" if s else "/chat" for s in slow]
    columns["tpot_ms"] = [t * (1.8 if s else 1) for t, s in zip(columns["tpot_ms"], slow, strict=True)]  # fmt: skip
    cause = _find(columns)
    assert cause.cause == "input"
    sign = _sign(cause, "time per output token")
    assert sign.is_changed
    assert not sign.is_counted
    assert sign.note == "does not move inside routes, whose mix changed"


@pytest.mark.parametrize("seed", SEEDS)
def test_slower_model_is_told_although_routes_changed_too(seed: int) -> None:
    rng, columns = np.random.default_rng(100 + seed), _columns(seed)
    columns["route"] = ["/code" if s else "/chat" for s in _is_large(rng)]
    columns["tpot_ms"] = [t * (1.8 if now else 1) for t, now in zip(columns["tpot_ms"], IS_CURRENT, strict=True)]  # fmt: skip
    assert _find(columns).cause == "model"


def test_other_model_is_told_although_routes_changed_with_it() -> None:
    columns = _columns(1)
    columns["route"] = ["/code" if now else "/chat" for now in IS_CURRENT]
    columns["response_model"] = ["m-2027" if now else "m-2026" for now in IS_CURRENT]
    assert _find(columns).cause == "model"


@pytest.mark.parametrize("seed", SEEDS)
def test_topics_with_documents_of_their_own_are_an_input(seed: int) -> None:
    rng, columns = np.random.default_rng(200 + seed), _columns(seed)
    other = _is_large(rng)
    columns["prompt"] = [
        f"please refund my broken order number {i}" if o else f"reset the password of account {i}"
        for i, o in enumerate(other)
    ]
    columns["document_source"] = ["kb/refunds" if o else "kb/accounts" for o in other]
    assert _find(columns).cause == "input"


@pytest.mark.parametrize("seed", SEEDS)
def test_inputs_five_times_as_long_are_no_slower_model(seed: int) -> None:
    columns = _longer(seed, 5.0)
    assert _find(columns).cause == "input"


@pytest.mark.parametrize("seed", SEEDS)
def test_characters_stand_for_tokens_that_nobody_recorded(seed: int) -> None:
    columns = _longer(seed, 2.0)
    columns["input_tokens"] = [None] * 2 * N
    assert _find(columns).cause == "input"
