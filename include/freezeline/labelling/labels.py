"""Read labels that came back, and estimate a rate from them."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from include.freezeline.errors import LabellingError
from include.freezeline.stats.result import StatResult
from include.freezeline.stats.survey import estimate_rate

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def parse_labels(text: str, where: str) -> dict[str, bool]:
    """Read labels by call: CSV with a header, or JSON lines, with ``call_key`` and ``label``.

    A call without a label (empty, or null) is left out.

    Args:
        text: The file.
        where: Its name, for messages.

    Raises:
        LabellingError: A line has no call, no label that is yes or no, or a call comes twice.
    """
    labels: dict[str, bool] = {}
    for number, row in _rows(text, where):
        key, label = row.get("call_key"), row.get("label")
        if not isinstance(key, str) or not key:
            message = f"{where}:{number}: no call_key (keep that column of the sample)"
            raise LabellingError(message)
        if label is None or str(label).strip() == "":
            continue
        word = str(label).strip().casefold()
        if word not in _WORDS:
            message = f"{where}:{number}: label {word[:40]!r}, expected {', '.join(_WORDS)}"
            raise LabellingError(message)
        if labels.setdefault(key, _WORDS[word]) is not _WORDS[word]:
            message = f"{where}:{number}: a second label that differs (keep one per call)"
            raise LabellingError(message)
    return labels


def rate_of_labels(
    manifest: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], labels: Mapping[str, bool]
) -> StatResult:
    """Estimate the share of labelled hits among all calls that the sample stands for.

    Calls of the sample without a label count as if they had not been drawn.

    Args:
        manifest: What the sample says of itself.
        rows: Its calls.
        labels: Labels by call.

    Raises:
        LabellingError: A label is of a call that is not in the sample.
    """
    known = {row["call_key"] for row in rows}
    strange = sorted(set(labels) - known)
    if strange:
        message = (
            f"{len(strange)} labels are of calls that are not in the sample, first "
            f"{strange[0][:40]!r} (take the sample that was labelled)"
        )
        raise LabellingError(message)
    strata = manifest["strata"]
    number = {stratum["stratum"]: place for place, stratum in enumerate(strata)}
    labelled = [row for row in rows if row["call_key"] in labels]
    return estimate_rate(
        np.array([labels[row["call_key"]] for row in labelled], dtype=np.bool_),
        np.array([number[row["stratum"]] for row in labelled], dtype=np.int64),
        np.array([row["sample_weight"] for row in labelled], dtype=np.float64),
        np.array([stratum["n_eligible"] for stratum in strata], dtype=np.int64),
        np.array([stratum["represented_calls"] for stratum in strata], dtype=np.float64),
    )


def _rows(text: str, where: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield lines with their numbers."""
    if text.lstrip().startswith("{"):
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield number, _parsed(line, f"{where}:{number}")
        return
    reader = csv.DictReader(io.StringIO(text, newline=""))
    for row in reader:
        yield reader.line_num, row


def _parsed(line: str, where: str) -> Mapping[str, Any]:
    """Read one JSON line.

    Raises:
        LabellingError: It is no JSON object.
    """
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        message = f"{where}: not a JSON object (write one call per line)"
        raise LabellingError(message)
    return row
