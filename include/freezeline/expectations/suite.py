"""Build a Great Expectations suite whose every expectation says how bad and what to do."""

from collections.abc import Sequence
from typing import Any, Literal

Severity = Literal["critical", "warning"]

# A few records of a producer with a wrong clock are no reason to wake anybody.
_MOSTLY = 0.99


class SuiteBuilder:
    """Collects expectations on one table.

    Great Expectations takes three seconds to import, so it is imported here and not above.
    """

    def __init__(self, table: str) -> None:
        """Start an empty suite.

        Args:
            table: Table that the expectations are about; the suite has its name.
        """
        import great_expectations as gx

        self._kinds: Any = gx.expectations
        self._suite_type: Any = gx.ExpectationSuite
        self._expectations: list[Any] = []
        self._table = table

    def build(self) -> Any:
        """Return the suite."""
        return self._suite_type(name=self._table, expectations=self._expectations)

    def has_rows(self, message: str) -> None:
        """There is at least one row."""
        self._add("ExpectTableRowCountToBeBetween", f"at least one row; {message}", min_value=1)

    def not_null(
        self,
        column: str,
        message: str,
        *,
        severity: Severity = "critical",
        mostly: float = 1.0,
    ) -> None:
        """Every row, or most, has a value."""
        self._add(
            "ExpectColumnValuesToNotBeNull",
            message,
            severity=severity,
            column=column,
            mostly=mostly,
        )

    def unique(self, columns: Sequence[str], message: str) -> None:
        """No two rows share the values of the columns."""
        if len(columns) == 1:
            self._add("ExpectColumnValuesToBeUnique", message, column=columns[0])
        else:
            self._add("ExpectCompoundColumnsToBeUnique", message, column_list=list(columns))

    def matches(self, column: str, pattern: str, message: str) -> None:
        """Every value matches an expression."""
        self._add("ExpectColumnValuesToMatchRegex", message, column=column, regex=pattern)

    def in_set(self, column: str, values: Sequence[str], message: str) -> None:
        """Every value is one of a few."""
        self._add("ExpectColumnValuesToBeInSet", message, column=column, value_set=list(values))

    def at_least(self, column: str, minimum: float, message: str) -> None:
        """No value lies below a bound; null is not a value."""
        self._add("ExpectColumnValuesToBeBetween", message, column=column, min_value=minimum)

    def between(self, column: str, minimum: float, maximum: float, message: str) -> None:
        """Nearly all values lie within bounds; a warning otherwise."""
        self._add(
            "ExpectColumnValuesToBeBetween",
            message,
            severity="warning",
            column=column,
            min_value=minimum,
            max_value=maximum,
            mostly=_MOSTLY,
        )

    def not_before(
        self,
        later: str,
        earlier: str,
        message: str,
        *,
        severity: Severity = "warning",
    ) -> None:
        """One column is never below another; a warning lets a few rows pass."""
        self._add(
            "ExpectColumnPairValuesAToBeGreaterThanB",
            message,
            severity=severity,
            column_A=later,
            column_B=earlier,
            or_equal=True,
            ignore_row_if="either_value_is_missing",
            mostly=1.0 if severity == "critical" else _MOSTLY,
        )

    def _add(
        self, kind: str, message: str, *, severity: Severity = "critical", **kwargs: object
    ) -> None:
        """Add an expectation with severity, table and message."""
        meta = {"table": self._table, "message": message}
        self._expectations.append(
            getattr(self._kinds, kind)(severity=severity, meta=meta, **kwargs)
        )
