"""Draw one day of one feature's calls, and of its probe calls.

Everything random about a call is drawn here, whether an incident needs it or not, from a
generator that depends on seed, day and feature only. Rates are applied after the incidents had
their say, so that switching one on leaves every other value as it was.
"""

from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from include.freezeline.demo.incidents import Columns, apply_incidents
from include.freezeline.demo.prompts import PROMPTS, canary_prompts
from include.freezeline.demo.style import AnswerKey, answer_words
from include.freezeline.demo.world import (
    HOUR_WEIGHTS,
    TENANTS,
    USERS_PER_TENANT,
    FeatureSpec,
    ModelSpec,
    expected_calls,
)

N_VARIANTS = 10
"""Distinct answers a style gives to one prompt."""

_ERROR_RATIO = 0.002
_LENGTH_STOP_RATIO = 0.01
_EMPTY_RATIO = 0.02
_PERSONAL_DATA_RATIO = 0.015
_CACHE_HIT_RATIO = 0.35
_CANARY_REPEAT_RATIO = 0.85
_CACHE_BLOCK_TOKENS = 128
_ORGANIC_STREAM, _CANARY_STREAM = 0, 1


def draw_day(
    feature: FeatureSpec, day: date, *, seed: int, scale: float, active: frozenset[str]
) -> Columns:
    """Return the day's calls of a feature in order of time, incidents applied.

    Args:
        feature: Feature to draw.
        day: UTC day.
        seed: Seed of the world.
        scale: Factor on the organic traffic; probes are asked once a day at every scale.
        active: Names of the incidents that are on.
    """
    parts = [
        _draw_organic(feature, day, _rng(seed, day, feature, _ORGANIC_STREAM), scale),
        _draw_canaries(feature, day, _rng(seed, day, feature, _CANARY_STREAM)),
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns = apply_incidents(columns, feature.name, day, seed, active)
    columns.update(_settle(columns))
    order = np.argsort(columns["started_ns"], kind="stable")
    return {name: values[order] for name, values in columns.items()}


def _rng(seed: int, day: date, feature: FeatureSpec, stream: int) -> np.random.Generator:
    """Return the generator of one day, feature and kind of traffic."""
    return np.random.default_rng([seed, day.toordinal(), feature.number, stream])


def _draw_organic(
    feature: FeatureSpec, day: date, rng: np.random.Generator, scale: float
) -> Columns:
    """Draw what users ask."""
    n = int(rng.poisson(expected_calls(feature, day, scale)))
    hours = rng.choice(24, size=n, p=np.array(HOUR_WEIGHTS) / sum(HOUR_WEIGHTS))
    seconds = hours * 3600.0 + rng.random(n) * 3600.0
    models = rng.choice(len(feature.models), size=n, p=[share for _, share in feature.models])
    prompts = rng.integers(len(PROMPTS[feature.name]), size=n)
    variants = rng.integers(N_VARIANTS, size=n)
    return {
        "started_ns": _instants(day, seconds),
        "canary_id": np.full(n, "", dtype="U32"),
        "phrasing": rng.integers(6, size=n),
        "environment": np.where(rng.random(n) < feature.staging_ratio, "staging", "production"),
        "personal_data": np.where(
            rng.random(n) < _PERSONAL_DATA_RATIO, rng.integers(1, 2**31, size=n), 0
        ),
        "error_ratio": np.full(n, _ERROR_RATIO),
        "empty_ratio": np.full(n, _EMPTY_RATIO),
        "escalation_ratio": np.full(n, feature.escalation_ratio),
        **_draw_people(feature, day, rng, n),
        **_draw_call(feature, rng, models, prompts, variants),
    }


def _draw_canaries(feature: FeatureSpec, day: date, rng: np.random.Generator) -> Columns:
    """Draw the probes: every probe prompt to every model, early in the day."""
    probes = canary_prompts(feature.name, feature.n_canaries)
    n = len(probes) * len(feature.models)
    models = np.repeat(np.arange(len(feature.models)), len(probes))
    prompts = np.tile([prompt.number for prompt in probes], len(feature.models))
    is_repeat = rng.random(n) < _CANARY_REPEAT_RATIO
    variants = np.where(is_repeat, 0, rng.integers(1, 4, size=n))
    seconds = 2 * 3600.0 + np.arange(n) * 20.0 + rng.random(n) * 5.0
    drawn = {
        **_draw_people(feature, day, rng, n),
        **_draw_call(feature, rng, models, prompts, variants),
    }
    names = [f"{feature.name}-probe-{index:02d}" for index in range(len(probes))]
    return {
        **drawn,
        "started_ns": _instants(day, seconds),
        "canary_id": np.tile(np.array(names, dtype="U32"), len(feature.models)),
        "phrasing": np.zeros(n, dtype=np.int64),
        "environment": np.full(n, "production"),
        "personal_data": np.zeros(n, dtype=np.int64),
        "error_ratio": np.zeros(n),
        "empty_ratio": np.zeros(n),
        "escalation_ratio": np.zeros(n),
        "input_tokens": _canary_input_tokens(feature, models, prompts),
        "cache_read_tokens": np.zeros(n, dtype=np.int64),
        "tenant": np.full(n, -1),
        "u_override": np.ones(n),
        "u_conversion": np.ones(n),
        "u_length_stop": np.ones(n),
    }


def _draw_people(feature: FeatureSpec, day: date, rng: np.random.Generator, n: int) -> Columns:
    """Draw who asks, over which route, with which prompt version and what comes of it."""
    versions = np.full(n, feature.rollouts[0].version, dtype="U8")
    u_version = rng.random(n)
    for rollout in feature.rollouts[1:]:
        versions[u_version < rollout.share_on(day)] = rollout.version
    routes = [name for name, _ in feature.routes]
    return {
        "prompt_version": versions,
        "route": np.array(routes)[
            rng.choice(len(routes), size=n, p=[share for _, share in feature.routes])
        ],
        "tenant": rng.choice(len(TENANTS), size=n, p=[tenant.share for tenant in TENANTS]),
        "user": rng.integers(USERS_PER_TENANT, size=n),
        "u_escalation": rng.random(n),
        "u_override": rng.random(n),
        "u_conversion": rng.random(n),
        "outcome_draws": rng.random((n, 3)),
        "lag_normals": rng.standard_normal((n, 3)),
        "lag_late": rng.random((n, 3)),
    }


def _draw_call(
    feature: FeatureSpec,
    rng: np.random.Generator,
    models: NDArray[np.int64],
    prompts: NDArray[np.int64],
    variants: NDArray[np.int64],
) -> Columns:
    """Draw the model call itself: model, text, tokens, timing and ids."""
    n = len(models)
    names = np.array([model.name for model, _ in feature.models])[models]
    input_tokens = _input_tokens(feature, models, rng.standard_normal(n))
    return {
        "request_model": names,
        "style": names.astype("U32"),
        "prompt_number": prompts,
        "variant": variants,
        "input_tokens": input_tokens,
        "cache_read_tokens": _cached(input_tokens, rng.random(n) < _CACHE_HIT_RATIO),
        "output_tokens": _output_tokens(feature, names, prompts, variants, rng),
        "ttft_ms": _model_values(feature, models, "ttft_ms")
        * np.exp(0.32 * rng.standard_normal(n)),
        "tpot_ms": _model_values(feature, models, "tpot_ms")
        * np.exp(0.12 * rng.standard_normal(n)),
        "u_error": rng.random(n),
        "u_length_stop": rng.random(n),
        "u_empty": rng.random(n),
        "error_number": rng.integers(100, size=n),
        "n_documents": rng.integers(3, 6, size=n),
        "document_draws": rng.random((n, 6)),
        "ids": rng.integers(0, 256, size=(n, 72), dtype=np.uint8),
    }


def _settle(columns: Columns) -> Columns:
    """Compare the uniform draws with the rates that hold after the incidents."""
    is_error = columns["u_error"] < columns["error_ratio"]
    is_empty = columns["u_empty"] < columns["empty_ratio"]
    return {
        "is_error": is_error,
        "is_cut_off": columns["u_length_stop"] < _LENGTH_STOP_RATIO,
        "n_documents": np.where(is_empty, 0, columns["n_documents"]),
        "is_escalated": ~is_error & (columns["u_escalation"] < columns["escalation_ratio"]),
    }


def _instants(day: date, seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return nanoseconds since 1970 of seconds of a day, on whole microseconds."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(start.timestamp()) * 10**9 + (seconds * 1e6).astype(np.int64) * 1000


def _model_values(
    feature: FeatureSpec, models: NDArray[np.int64], name: str
) -> NDArray[np.float64]:
    """Return one number of each call's model."""
    specs: list[ModelSpec] = [model for model, _ in feature.models]
    return np.array([float(getattr(spec, name)) for spec in specs])[models]


def _input_tokens(
    feature: FeatureSpec, models: NDArray[np.int64], normals: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return prompt lengths: log-normal around the feature's median."""
    medians = feature.input_tokens_median * _model_values(feature, models, "input_factor")
    return np.rint(medians * np.exp(feature.input_tokens_spread * normals)).astype(np.int64)


def _canary_input_tokens(
    feature: FeatureSpec, models: NDArray[np.int64], prompts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the length of each probe, the same every day."""
    return np.rint((120 + prompts % 40) * _model_values(feature, models, "input_factor")).astype(
        np.int64
    )


def _cached(tokens: NDArray[np.int64], is_hit: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return cached tokens: whole blocks of about half the prompt, on a hit."""
    blocks = tokens // 2 // _CACHE_BLOCK_TOKENS * _CACHE_BLOCK_TOKENS
    return np.where(is_hit, blocks, 0)


def _output_tokens(
    feature: FeatureSpec,
    names: NDArray[np.str_],
    prompts: NDArray[np.int64],
    variants: NDArray[np.int64],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return answer lengths from the words that the named model would write.

    A silent swap keeps them, so that only the words give it away.
    """
    keys = zip(names.tolist(), prompts.tolist(), variants.tolist(), strict=True)
    words = np.array([answer_words(AnswerKey(feature.name, *key)) for key in keys], dtype=float)
    noise = np.exp(0.06 * rng.standard_normal(len(names)))
    return np.rint(words * feature.tokens_per_word * noise).astype(np.int64)
