"""The business columns: which service, feature, customer, user and request a span belongs to.

The rules name many attributes per column and a span carries few of them, so the question is asked
the other way round: which of the span's attributes fill a column. What a resource answers is the
same for all of its spans and worked out once.
"""

from include.freezeline.readers import langfuse_names
from include.freezeline.readers.attributes import AttributeView
from include.freezeline.readers.jsontext import write_json
from include.freezeline.readers.names import ByNames, Names
from include.freezeline.readers.otlp import Attributes
from include.freezeline.readers.privacy import People, mask_people, without_people
from include.freezeline.readers.result import Row
from include.freezeline.readers.rules import AttributeRules
from include.freezeline.readers.values import to_text

_UNKNOWN = "unknown"
_SERVICE, _SERVICE_VERSION = "service.name", "service.version"
_COLUMNS = {
    "environment": "environment",
    "feature": "feature",
    "tenant": "tenant_key",
    "user": "user_key",
    "session": "session_key",
    "request_id": "request_id",
    "route": "route",
    "locale": "locale",
    "canary_id": "canary_id",
    "prompt_name": "prompt_name",
    "prompt_version": "prompt_version",
}
# Told by the span alone.
_OF_THE_SPAN = frozenset({"prompt_name", "prompt_version"})

_Plan = tuple[tuple[str, Names], ...]
"""By column that attributes may fill: their names, in the order of the rules."""


class BusinessColumns:
    """Reads the business columns; remembers the resource of the spans before."""

    def __init__(self, rules: AttributeRules) -> None:
        """Start without a resource."""
        self.rules = rules
        self._plans: ByNames[_Plan] = ByNames(self._plan)
        self._resource: Attributes = {}
        self._shared: list[tuple[str, str, str]] = []
        self._texts: dict[frozenset[str], tuple[Attributes, str]] = {}

    def columns(self, view: AttributeView, resource: AttributeView, found: Row) -> Row:
        """Return service, feature and who the call was made for, span first, resource second.

        What the dialect read and what nobody names is left out, but for service, environment and
        feature.

        Args:
            view: The span's attributes.
            resource: Its resource's attributes.
            found: What the dialect read; it knows better what the prompt is called.
        """
        row: Row = {}
        known = found.get
        for column, name, text in self._read(view):
            if known(column) is None:
                row[column] = text
                view.take(name)
        for column, name, text in self._of_resource(resource):
            if column not in row and known(column) is None:
                row[column] = text
                resource.take(name)
        row["service_name"], row["service_version"] = self._service(view, resource)
        row["environment"] = row.get("environment") or known("environment") or _UNKNOWN
        feature = row.get("feature") or known("feature")
        row["feature"] = feature or row["service_name"] or _UNKNOWN
        return row

    def _service(
        self, view: AttributeView, resource: AttributeView
    ) -> tuple[str | None, str | None]:
        """Return name and version of the service."""
        service, version = resource.text(_SERVICE), resource.text(_SERVICE_VERSION)
        release = langfuse_names.RELEASE
        return service, version or view.text(release) or resource.text(release)

    def best_names(self, names: Names) -> tuple[tuple[str, str], ...]:
        """Return each column that attributes of these names may fill, with the best of its names."""
        return tuple((column, wanted[0]) for column, wanted in self._plans[names])

    def resource_text(self, resource: AttributeView, people: People) -> str | None:
        """Return a resource's attributes that no column took, as JSON in which nobody is named."""
        rest, text = self.resource_rest(resource)
        return mask_people(rest, text, people) if rest else None

    def resource_rest(self, resource: AttributeView) -> tuple[Attributes, str]:
        """Return a resource's attributes that no column took and that name nobody, and as JSON."""
        self._of_resource(resource)
        taken = resource.taken
        known = self._texts.get(taken)
        if known is None:
            rest = without_people(resource.rest(), self.rules)
            known = self._texts[taken] = rest, write_json(rest) if rest else ""
        return known

    def _of_resource(self, resource: AttributeView) -> list[tuple[str, str, str]]:
        """Return what a resource fills; it is mostly the one of the span before."""
        if resource.values is not self._resource:
            self._resource = resource.values
            filled = self._read(resource)
            self._shared = [each for each in filled if each[0] not in _OF_THE_SPAN]
            self._texts = {}
        return self._shared

    def _read(self, view: AttributeView) -> list[tuple[str, str, str]]:
        """Return column, name and text of the first attribute with a text for every column."""
        found: list[tuple[str, str, str]] = []
        for column, names in self._plans[view.names]:
            for name in names:
                text = to_text(view.values[name])
                if text is not None:
                    found.append((column, name, text))
                    break
        return found

    def _plan(self, names: Names) -> _Plan:
        """Work out which columns attributes of these names may fill."""
        plan = (
            (column, tuple(name for name in getattr(self.rules, field) if name in names))
            for field, column in _COLUMNS.items()
        )
        return tuple((column, wanted) for column, wanted in plan if wanted)
