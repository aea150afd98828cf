"""Which values are ids that pass as they are, because facts are joined on them."""

import re
from collections.abc import Sequence
from typing import Any

from include.freezeline.contracts.columns import Column

SPAN_IDS = frozenset({"trace_id", "span_id", "parent_span_id"})
"""Columns of hex digits, checked when they are read."""

_ID_SHAPED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/+=\-]{0,255}\Z")
# An id that has the shape of a key, account, address or number of a person is looked at, whatever
# its column: the redactor decides. Runs of digits alone are left, since most ids are that.
_TELLING_ID = re.compile(
    r"(?:(?:sk|pk|rk|gsk|hf|xai|xox[a-z]|gh[pousr]|glpat|github_pat|pplx|npm|pypi|dop_v1|SG)[-_.]"
    r"|A[KS]IA[A-Z0-9]|AIza|eyJ[A-Za-z0-9]|(?:[0-9]{1,3}\.){3}[0-9]{1,3}$"
    r"|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]+$|[0-9]{3}-[0-9]{2}-[0-9]{4}$"
    r"|(?:[0-9]{4}-){3}[0-9]{1,7}$|\+[0-9]|[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$)"
)


def holds_ids(column: Column) -> bool:
    """Return whether a column holds ids, which joins depend on."""
    return column.name.endswith(("_id", "content_name")) or column.name == "system_fingerprint"


def is_plain_id(text: str) -> bool:
    """Return whether a text has the shape of an id and of nothing that tells more."""
    return _ID_SHAPED.match(text) is not None and _TELLING_ID.match(text) is None


def are_plain_ids(values: Sequence[Any]) -> bool:
    """Return whether all known values are plain ids, as they mostly are."""
    given = [value for value in values if value is not None]
    try:
        return all(map(_ID_SHAPED.match, given)) and not any(map(_TELLING_ID.match, given))
    except TypeError:
        return False
