"""Seal originals while an object lands: raw rows in, encrypted rows of the table ``sealed`` out."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import pyarrow as pa

from include.freezeline.contracts.arrow import arrow_schema
from include.freezeline.contracts.columns import Privacy, Table
from include.freezeline.contracts.lake import SPANS
from include.freezeline.contracts.lake_sealed import SEALED
from include.freezeline.landing.arrival import date_of
from include.freezeline.retention.plan import is_over
from include.freezeline.retention.policy import ANY_ENVIRONMENT
from include.freezeline.sealing.cipher import DayCipher
from include.freezeline.sealing.policy import BreakGlassPolicy

_SCHEMA = arrow_schema(SEALED)
_SUFFIX = "_redacted"
# Stored without consent as well, so nothing of a person should be in them.
_TECHNICAL = frozenset({"span_name", "resource_attributes_redacted"})
# Taken from the guarded row as they are, where its table has them.
_COPIED = (
    "trace_id", "span_id", "request_id", "response_id", "content_name", "tenant_key", "user_key",
    "session_key", "source_object", "source_offset", "source_sha256", "arrived_at",
)  # fmt: skip


class _Labels(NamedTuple):
    """What is known of a span, for the rows that hang on it."""

    feature: str | None
    environment: str | None
    data_class: str | None
    is_withheld: bool


_UNKNOWN = _Labels(None, None, None, is_withheld=False)


class Sealer:
    """Decides whether objects are sealed; one serves all objects of a run."""

    def __init__(
        self, policy: BreakGlassPolicy, key_of: Callable[[date], bytes | None], as_of: datetime
    ) -> None:
        """Use a policy that is enabled.

        Args:
            policy: What is sealed.
            key_of: Gives the key of a day; None when it has been destroyed.
            as_of: The run's end of what is known.
        """
        self._policy = policy
        self._key_of = key_of
        self._today = as_of.date()
        self._ciphers: dict[date, DayCipher | None] = {}

    def of_object(self, arrived_at: datetime) -> "ObjectSealer | None":
        """Return what seals an object's rows; None when its day is over."""
        day = date_of(arrived_at)
        if day not in self._ciphers:
            is_late = is_over(day, self._policy.lifetime_days, self._today)
            key = None if is_late else self._key_of(day)
            self._ciphers[day] = None if key is None else DayCipher(key)
        cipher = self._ciphers[day]
        return None if cipher is None else ObjectSealer(self._policy, cipher, day)


class ObjectSealer:
    """Seals the rows of one object."""

    def __init__(self, policy: BreakGlassPolicy, cipher: DayCipher, day: date) -> None:
        """Start with no span known."""
        self._policy = policy
        self._cipher = cipher
        self._labels: dict[tuple[Any, Any], _Labels] = {}
        self.day = day

    def seal(
        self,
        table: Table,
        rows: Sequence[Mapping[str, Any]],
        data: pa.Table,
        event_column: str,
    ) -> pa.Table:
        """Return the sealed originals of rows; those without any, or out of scope, are left out.

        Args:
            table: Their contract.
            rows: Raw values, of the rows that landed.
            data: The same rows as they are written.
            event_column: The row's event time.
        """
        if table is SPANS:
            self._note_spans(rows)
        names = [c.name for c in table.columns if c.privacy is Privacy.TEXT]
        texts = [name for name in names if name not in _TECHNICAL]
        if not texts:
            return _SCHEMA.empty_table()
        written = {name: data[name].to_pylist() for name in texts}
        copied = {name: data[name].to_pylist() for name in _COPIED if name in data.column_names}
        event_at = data[event_column].to_pylist()
        sealed = []
        for number, row in enumerate(rows):
            labels = self._labels_of(row)
            originals = self._originals(row, {name: written[name][number] for name in texts})
            if originals and self._is_wanted(labels):
                ids = {name: values[number] for name, values in copied.items()}
                given = {**ids, "source_table": table.name, "event_at": event_at[number]}
                sealed.append(self._sealed_row(given, labels, originals))
        return pa.Table.from_pylist(sealed, schema=_SCHEMA)

    def _note_spans(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Remember the labels of spans for the rows that hang on them."""
        for row in rows:
            self._labels[row["trace_id"], row["span_id"]] = _Labels(
                row.get("feature"),
                row.get("environment"),
                row.get("data_class"),
                is_withheld=row.get("consent") == "denied" or bool(row.get("is_text_withheld")),
            )

    def _labels_of(self, row: Mapping[str, Any]) -> _Labels:
        """Return the labels of a row's span."""
        return self._labels.get((row.get("trace_id"), row.get("span_id")), _UNKNOWN)

    def _is_wanted(self, labels: _Labels) -> bool:
        """Whether the policy seals rows of these labels."""
        scope = self._policy.scope
        if labels is _UNKNOWN:
            return scope.covers_unknown
        return not labels.is_withheld and scope.covers(*labels[:3])

    def _originals(
        self, row: Mapping[str, Any], written: Mapping[str, str | None]
    ) -> dict[str, str]:
        """Return a row's raw texts by plain name; none where redaction changed nothing, if so asked."""
        found = {name: str(row[name]) for name in written if row.get(name) is not None}
        if self._policy.only_where_replaced and all(
            written[name] == text for name, text in found.items()
        ):
            return {}
        return {name.removesuffix(_SUFFIX): text for name, text in found.items()}

    def _sealed_row(
        self, given: Mapping[str, Any], labels: _Labels, originals: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return one encrypted row."""
        row = {
            **given,
            "feature": labels.feature,
            "environment": labels.environment or ANY_ENVIRONMENT,
            "data_class": labels.data_class,
            "key_name": self.day.isoformat(),
            "text_count": len(originals),
        }
        return {**row, "ciphertext": self._cipher.seal(originals, identity_of(row))}


def identity_of(row: Mapping[str, Any]) -> list[str]:
    """Return what a sealed row is authenticated to belong to."""
    names = ("key_name", "source_table", "source_object", "source_offset", "trace_id", "span_id")
    return ["" if row.get(name) is None else str(row[name]) for name in names]
