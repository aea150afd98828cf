"""What Langfuse keeps of a span that it received over OTLP: its origin, inside the metadata."""

from typing import Any

from include.freezeline.readers.otlp import Attributes, Origin
from include.freezeline.readers.privacy import without_blocked
from include.freezeline.readers.rules import BlockList
from include.freezeline.readers.values import to_text

_ATTRIBUTES, _RESOURCE, _SCOPE = "attributes", "resourceAttributes", "scope"


def ingested_origin(
    metadata: dict[str, Any], attributes: Attributes, project_id: Any, blocked: BlockList
) -> Origin:
    """Return where an exported row came from, and take that out of its metadata.

    Args:
        metadata: Metadata of the row; its members about the original span are removed.
        attributes: Attributes of the row; those of the original span that it lacks are added.
        project_id: The row's project.
        blocked: Attributes to drop.
    """
    resource = _taken(metadata, _RESOURCE)
    scope = _taken(metadata, _SCOPE)
    for name, value in _taken(metadata, _ATTRIBUTES).items():
        attributes.setdefault(name, value)
    project = to_text(project_id)
    if project is not None:
        resource["langfuse.project.id"] = project
    kept = {name: value for name, value in resource.items() if name not in blocked}
    return Origin(
        resource=without_blocked(kept, blocked),
        scope_name=to_text(scope.get("name")) or "",
        scope_version=to_text(scope.get("version")) or "",
    )


def _taken(metadata: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a member that is a mapping and remove it; anything else stays as it is."""
    if not isinstance(metadata.get(name), dict):
        return {}
    taken: dict[str, Any] = metadata.pop(name)
    return taken
