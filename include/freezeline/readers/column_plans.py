"""Columns that attributes fill by their names alone.

A dialect knows dozens of names and a span carries few of them. Which columns a span can fill is
worked out once for all spans with the same names.
"""

from collections.abc import Callable, Mapping
from typing import Any

from include.freezeline.readers.attributes import AttributeView, Steps
from include.freezeline.readers.names import ByNames, Names
from include.freezeline.readers.otlp import Attributes
from include.freezeline.readers.result import Row

Convert = Callable[[Any], Any]
"""Makes a value of an attribute; None when it makes no sense."""


class ColumnPlan:
    """Reads columns, each by what makes its value and the names that may fill it, best first."""

    def __init__(self, columns: Mapping[str, tuple[Convert, Names]]) -> None:
        """Take the columns."""
        self._columns = columns
        self._empty: Row = dict.fromkeys(columns)
        self._steps: ByNames[Steps] = ByNames(self._plan)
        self._whole_steps = ByNames(self._plan_whole)

    def read(self, view: AttributeView) -> Row:
        """Return all columns; those that no attribute fills are null."""
        row = self._empty.copy()
        view.fill(row, self._steps[view.names])
        return row

    def whole(self, values: Attributes) -> Row | None:
        """Return all columns of values of which each fills one; None when any is left over.

        Args:
            values: Mostly the members of one of many small objects that are alike.
        """
        steps = self._whole_steps[tuple(values)]
        if steps is None:
            return None
        row = self._empty.copy()
        for column, convert, name in steps:
            value = convert(values[name])
            if value is None:
                return None
            row[column] = value
        return row

    def _plan_whole(self, given: Names) -> tuple[tuple[str, Convert, str], ...] | None:
        """Return which column each name fills; None when one of them fills none."""
        steps = self.best_names(given)
        return steps if len(steps) == len(given) else None

    def best_names(self, given: Names) -> tuple[tuple[str, Convert, str], ...]:
        """Return each column that attributes of these names may fill, with the best of its names."""
        return tuple((column, convert, names[0]) for column, convert, names in self._steps[given])

    def _plan(self, given: Names) -> Steps:
        """Work out which columns attributes of these names may fill."""
        steps = (
            (column, convert, tuple(name for name in names if name in given))
            for column, (convert, names) in self._columns.items()
        )
        return tuple(step for step in steps if step[2])
