"""Names and addresses, found by a language model that somebody has to choose.

No model is bundled: the good ones are large, each knows some languages only, and its licence is
the operator's affair. Whatever finds them is a function from a text to labelled spans; loading
one is the adapters' work (``adapters/language_models.py``).
"""

import re
from collections.abc import Callable, Iterable, Mapping

from include.freezeline.redaction.scanner import Finding

Tagger = Callable[[str], Iterable[tuple[str, int, int]]]
"""Returns label, start and end of the entities in a text."""

_PLACEHOLDER = re.compile(r"<[A-Z]+(?:_[A-Z]+)*_[0-9]+>")


class NamedFinder:
    """Turns a model's labels into entities of the rules."""

    def __init__(self, tagger: Tagger, labels: Mapping[str, tuple[str, ...]]) -> None:
        """Keep the model.

        Args:
            tagger: The model.
            labels: Labels of models by the entity they stand for.
        """
        self._tagger = tagger
        self._entities = {label: entity for entity, names in labels.items() for label in names}

    def find(self, text: str) -> list[Finding]:
        """Return the names and addresses in a text; placeholders in it are none."""
        taken = [match.span() for match in _PLACEHOLDER.finditer(text)]
        found = []
        for label, start, end in self._tagger(text):
            entity = self._entities.get(label.upper().removeprefix("B-").removeprefix("I-"))
            is_free = all(end <= low or high <= start for low, high in taken)
            if entity and start < end and is_free:
                found.append(Finding(entity, start, end))
        return found
