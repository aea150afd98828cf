"""Language models that find names and addresses; loaded only when a setting names one.

A spaCy pipeline (folder or installed package) or a token classification model of transformers
(folder, or name in the local cache). Nothing is downloaded.
"""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from include.freezeline.errors import ConfigError
from include.freezeline.redaction.named import Tagger

# Pieces of a long text overlap by more than the longest address.
_PIECE_CHARS, _OVERLAP_CHARS = 50_000, 300
_STRIDE_TOKENS = 64


def load_tagger(model: str | None) -> Tagger | None:
    """Load the model that ``FREEZELINE_REDACTION_NER`` names; None when it names none.

    Args:
        model: Folder of a model, name of an installed spaCy package, or name of a transformers
            model in the local cache.

    Raises:
        ConfigError: The model cannot be loaded. Redacting without it would let names through
            that somebody trusts to be gone.
    """
    if not model:
        return None
    try:
        tag = _load_spacy(model) if _is_spacy(model) else _load_transformers(model)
        list(tag("Ada Lovelace lives in London."))
    except Exception as error:  # Whatever a library raises, the remedy is the same.
        message = (
            f"FREEZELINE_REDACTION_NER: cannot load {model!r}: {type(error).__name__} (give the "
            "folder of a spaCy pipeline or of a transformers token classification model, the name "
            "of an installed spaCy package, or unset it to redact without names)"
        )
        raise ConfigError(message) from error
    return tag


def _is_spacy(model: str) -> bool:
    """Whether a name or folder belongs to spaCy."""
    if Path(model).is_dir():
        return (Path(model) / "meta.json").is_file()
    return model.isidentifier() and find_spec(model) is not None


def _load_spacy(model: str) -> Tagger:
    """Return a spaCy pipeline's entities."""
    import spacy

    pipeline = spacy.load(model)

    def tag(text: str) -> Iterable[tuple[str, int, int]]:
        for place, piece in _pieces(text):
            for entity in pipeline(piece).ents:
                yield entity.label_, place + entity.start_char, place + entity.end_char

    return tag


def _load_transformers(model: str) -> Tagger:
    """Return a token classification model's entities."""
    from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

    tokeniser = AutoTokenizer.from_pretrained(model, local_files_only=True)
    network: Any = AutoModelForTokenClassification.from_pretrained(model, local_files_only=True)
    longest = network.config.max_position_embeddings
    tokeniser.model_max_length = min(tokeniser.model_max_length, longest)
    run = pipeline(
        "token-classification",
        model=network,
        tokenizer=tokeniser,
        aggregation_strategy="simple",
        stride=min(_STRIDE_TOKENS, longest // 4),
    )

    def tag(text: str) -> Iterable[tuple[str, int, int]]:
        for place, piece in _pieces(text):
            for entity in run(piece):
                start, end = int(entity["start"]), int(entity["end"])
                yield str(entity["entity_group"]), place + start, place + end

    return tag


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Yield overlapping pieces that a model can hold, each with its place in the text."""
    for place in range(0, max(len(text), 1), _PIECE_CHARS - _OVERLAP_CHARS):
        piece = text[place : place + _PIECE_CHARS]
        if piece.strip():
            yield place, piece
