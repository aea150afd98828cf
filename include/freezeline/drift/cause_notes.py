"""Which changes of a sign are no news, and why: they are shown and not counted."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from include.freezeline.drift.signs import CauseRows, Sign

RECORDING_BEGAN = "recording began: no call before has a value, so nothing can be compared"
RECORDING_ENDED = "recording ended: no call of the window has a value, so nothing can be compared"
TURNS_OVER = (
    "prompt texts already changed all the time before (a date in them, say), so another one is "
    "no news"
)
FINGERPRINTS_TURN_OVER = (
    "fingerprints already changed in the time before, so another one is no news"
)
_TURNING = {"prompt_hash": TURNS_OVER, "system_fingerprint": FINGERPRINTS_TURN_OVER}
TOGETHER = (
    "no prompt version has enough calls of both windows, so compared over all of them: what moved, "
    "moved together with the prompt"
)


def uncounted_note(sign: Sign, rows: CauseRows) -> str:
    """Return why a change of this sign would say nothing; empty where it would."""
    if sign.kind != "shares" or sign.column not in rows.columns:
        return ""
    note = _recording(sign, rows)
    told = _TURNING.get(sign.column, "")
    return told if not note and told and _turns_over(rows, sign.column) else note


def _recording(sign: Sign, rows: CauseRows) -> str:
    """Say whether the values of a column begin or end between the windows.

    Retrieval that some calls do and others do not is a change of retrieval.
    """
    is_known = np.array([v is not None and v != "" for v in rows.columns[sign.column]], dtype=bool)
    before, now = is_known[~rows.is_current], is_known[rows.is_current]
    if not len(before) or not len(now):
        return ""
    is_partial_enough = sign.cause != "retrieval"
    if not before.any() and (now.all() or (is_partial_enough and now.any())):
        return RECORDING_BEGAN
    if not now.any() and (before.all() or (is_partial_enough and before.any())):
        return RECORDING_ENDED
    return ""


def _turns_over(rows: CauseRows, column: str) -> bool:
    """Whether most values of the first half of the time before are gone in its second half.

    Most of the values and most of the calls, so that neither one edit nor many rare texts beside a
    steady one look like it. Only versions of both halves are looked at: a roll-out replaces texts.
    """
    first, second = _halves(rows)
    versions, hashes = rows.columns["prompt_version"], rows.columns[column]
    shared = {versions[i] for i in first} & {versions[i] for i in second}
    texts = [(versions[i], hashes[i]) for i in first if versions[i] in shared and hashes[i]]
    later = {(versions[i], hashes[i]) for i in second}
    return _most(texts, later) and _most(sorted(set(texts), key=str), later)


def _most(texts: Sequence[Any], later: set[Any]) -> bool:
    """Whether more than half of the texts are not among the later ones."""
    return 2 * sum(text not in later for text in texts) > len(texts)


def _halves(rows: CauseRows) -> tuple[list[int], list[int]]:
    """Return the calls of the first and of the second half of the time before."""
    times = rows.columns.get("called_at")
    before = [int(i) for i in np.flatnonzero(~rows.is_current)]
    if times is None or not before:
        return [], []
    start, end = min(times[i] for i in before), max(times[i] for i in before)
    middle = start + (end - start) / 2
    return [i for i in before if times[i] < middle], [i for i in before if times[i] >= middle]
