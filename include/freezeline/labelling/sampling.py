"""Draw a stratified sample of calls by the hash of their key: same inputs, same sample."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from include.freezeline.errors import LabellingError
from include.freezeline.labelling.allocation import allocate, neyman_importance
from include.freezeline.labelling.policy import Allocation, LabellingPolicy
from include.freezeline.stats.result import BoolArray

NO_VALUE = "(none)"


@dataclass(frozen=True, slots=True)
class StratumCount:
    """What there is of one stratum and what was drawn.

    Attributes:
        stratum: Its values by column, as JSON text.
        n_calls: Calls, those included that may not be drawn.
        n_eligible: Calls that may be drawn.
        n_sampled: Calls drawn.
        represented_calls: Calls that the eligible ones stand for, by their trace's sampling.
        excluded: Calls that may not be drawn, by reason.
    """

    stratum: str
    n_calls: int
    n_eligible: int
    n_sampled: int
    represented_calls: float
    excluded: Mapping[str, int]

    @property
    def inclusion_probability(self) -> float | None:
        """Chance of an eligible call to be drawn; None where there is none."""
        return self.n_sampled / self.n_eligible if self.n_eligible else None


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample.

    Attributes:
        rows: ``call_key``, ``stratum``, ``inclusion_probability``, ``label_weight`` in order of
            stratum and key.
        strata: Every stratum, empty ones included.
    """

    rows: pd.DataFrame
    strata: tuple[StratumCount, ...]


def exclusions(calls: pd.DataFrame, policy: LabellingPolicy, is_erased: BoolArray) -> pd.Series:
    """Return the first reason why each call may not be drawn; empty where it may.

    Args:
        calls: One row per call.
        policy: Who may be drawn.
        is_erased: Which calls are of somebody who was erased.
    """
    of_class = calls["data_class"].fillna("").astype(str)
    environment, consent = calls["environment"].astype(str), calls["consent"].astype(str)
    reasons = pd.Series("", index=calls.index, dtype=object)
    rules: list[tuple[str, Any]] = [
        ("probe", calls["is_canary"].fillna(value=False).astype(bool)),
        ("erased", is_erased),
        ("environment", _not_in(environment, policy.environments)),
        ("consent_denied", consent == "denied"),
        ("consent_unknown", (consent == "unknown") & ("unknown" not in policy.consents)),
        ("consent_granted", (consent == "granted") & ("granted" not in policy.consents)),
        ("unclassified", (of_class == "") & (not policy.unclassified)),
        ("data_class", (of_class != "") & ~of_class.isin(policy.data_classes)),
        ("text_withheld", calls["is_text_withheld"].fillna(value=True).astype(bool)),
        ("no_text", ~calls["has_text"].astype(bool)),
    ]
    for reason, mask in rules:
        reasons = reasons.mask(np.asarray(mask, dtype=bool) & (reasons == "").to_numpy(), reason)
    return reasons


def draw_sample(
    calls: pd.DataFrame,
    reasons: pd.Series,
    strata: Sequence[str],
    *,
    size: int,
    seed: int,
    allocation: Allocation,
    max_strata: int,
) -> Sample:
    """Draw calls, in every stratum those whose hashes come first.

    Args:
        calls: One row per call, with ``call_key``, ``sample_weight``, the columns of the strata
            and the column of the rate.
        reasons: Why each may not be drawn; empty where it may.
        strata: Columns whose values cut the strata.
        size: Calls to draw.
        seed: Another one draws another sample.
        allocation: How many of each stratum.
        max_strata: Most strata allowed.

    Raises:
        LabellingError: There are too many strata for the size or the policy.
    """
    names = stratum_texts(calls, strata)
    groups = {str(name): list(places) for name, places in _places_of(names).items()}
    if len(groups) > max_strata:
        message = (
            f"--strata {','.join(strata)}: {len(groups)} strata, at most {max_strata} are drawn "
            "from (use fewer columns, or raise max_strata in labelling.yml)"
        )
        raise LabellingError(message)
    may = (reasons == "").to_numpy()
    eligible = {name: [p for p in places if may[p]] for name, places in groups.items()}
    filled = [name for name in sorted(groups) if eligible[name]]
    importance = [_importance(calls.iloc[eligible[name]], allocation) for name in filled]
    sizes = [len(eligible[name]) for name in filled]
    counts = allocate(sizes, importance, size, allocation.min_per_stratum) if filled else []
    taken = dict(zip(filled, counts, strict=True))
    keys = calls["call_key"].to_numpy()
    weights = calls["sample_weight"].to_numpy(dtype=float)
    rows = [
        row
        for name in filled
        for row in _drawn(name, eligible[name], taken[name], keys, weights, seed)
    ]
    columns = ["call_key", "stratum", "inclusion_probability", "label_weight"]
    found = tuple(
        StratumCount(
            stratum=name,
            n_calls=len(groups[name]),
            n_eligible=len(eligible[name]),
            n_sampled=taken.get(name, 0),
            represented_calls=float(weights[eligible[name]].sum()),
            excluded=count_reasons(reasons.iloc[groups[name]]),
        )
        for name in sorted(groups)
    )
    return Sample(pd.DataFrame(rows, columns=columns), found)


def count_reasons(reasons: Iterable[str]) -> dict[str, int]:
    """Count reasons, in order of name."""
    counts: dict[str, int] = {}
    for reason in reasons:
        if reason:
            counts[reason] = counts.get(reason, 0) + 1
    return dict(sorted(counts.items()))


def stratum_texts(calls: pd.DataFrame, strata: Sequence[str]) -> list[str]:
    """Return each call's stratum as JSON text; a missing value is ``(none)``."""
    if not strata:
        return ["{}"] * len(calls)
    columns = [
        [NO_VALUE if pd.isna(value) else str(value) for value in calls[name]] for name in strata
    ]
    known: dict[tuple[str, ...], str] = {}
    texts = []
    for values in zip(*columns, strict=True):
        if values not in known:
            known[values] = json.dumps(dict(zip(strata, values, strict=True)))
        texts.append(known[values])
    return texts


def sampling_hash(call_key: str, seed: int) -> str:
    """Return what orders calls: it depends on the key and the seed only."""
    return hashlib.sha256(f"{seed}\x1f{call_key}".encode()).hexdigest()


def _drawn(
    stratum: str, places: Sequence[int], n_taken: int, keys: Any, weights: Any, seed: int
) -> list[tuple[str, str, float, float]]:
    """Draw from one stratum."""
    first = sorted(places, key=lambda p: (sampling_hash(str(keys[p]), seed), keys[p]))[:n_taken]
    chance = n_taken / len(places)
    by_key = sorted(first, key=lambda p: str(keys[p]))
    return [(str(keys[p]), stratum, chance, float(weights[p]) / chance) for p in by_key]


def _importance(calls: pd.DataFrame, allocation: Allocation) -> float:
    """Return the share that a stratum should have."""
    weights = calls["sample_weight"].to_numpy(dtype=float)
    if allocation.rate_column is None:
        return float(weights.sum())
    known = calls[allocation.rate_column].dropna().astype(bool)
    return neyman_importance(float(weights.sum()), float(known.sum()), float(len(known)))


def _places_of(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the places of each name."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    return places


def _not_in(values: pd.Series, wanted: Sequence[str]) -> Any:
    """Return which values are none of the wanted ones; all are wanted when none is named."""
    return ~values.isin(wanted) if wanted else pd.Series(data=False, index=values.index)
