"""A text in the course of replacement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from include.freezeline.redaction.scanner import Finding


@dataclass(slots=True)
class Piece:
    """A stretch of the input, or the placeholder that stands for it."""

    text: str
    start: int
    end: int
    entity: str | None = None


class Pieces:
    """A text in the course of replacement that remembers where everything was in the input."""

    def __init__(self, text: str) -> None:
        """Start with the whole input as one piece."""
        self._input = text
        self._pieces = [Piece(text, 0, len(text))]

    def text(self) -> str:
        """Return the text as it is now."""
        return "".join(piece.text for piece in self._pieces)

    def findings(self) -> tuple[Finding, ...]:
        """Return what has been replaced, in input offsets."""
        return tuple(
            Finding(piece.entity, piece.start, piece.end)
            for piece in self._pieces
            if piece.entity is not None
        )

    def replace(self, found: Sequence[Finding], placeholder: Callable[[str, str], str]) -> None:
        """Replace findings whose offsets are in the present text."""
        pieces: list[Piece] = []
        done = 0
        for finding in found:
            start, end = self._input_place(finding)
            start = max(start, done)
            pieces.extend(self._kept(done, start))
            name = placeholder(finding.type, self._input[start:end])
            pieces.append(Piece(name, start, end, finding.type))
            done = end
        pieces.extend(self._kept(done, len(self._input)))
        self._pieces = pieces

    def _input_place(self, finding: Finding) -> tuple[int, int]:
        """Return the input span of a finding; placeholders it touches are taken whole."""
        place, low, high = 0, len(self._input), 0
        for piece in self._pieces:
            start, end = finding.start - place, finding.end - place
            place += len(piece.text)
            if start >= len(piece.text) or end <= 0:
                continue
            if piece.entity is not None:
                low, high = min(low, piece.start), max(high, piece.end)
            else:
                low = min(low, piece.start + max(start, 0))
                high = max(high, piece.start + min(end, len(piece.text)))
        return low, high

    def _kept(self, low: int, high: int) -> list[Piece]:
        """Return the present pieces of an input stretch that no new finding covers."""
        kept = []
        for piece in self._pieces:
            start, end = max(piece.start, low), min(piece.end, high)
            if start >= end:
                continue
            text = piece.text if piece.entity is not None else self._input[start:end]
            kept.append(Piece(text, start, end, piece.entity))
        return kept
