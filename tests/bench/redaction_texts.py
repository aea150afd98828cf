"""Made-up texts for the redaction bench: what LLM features log, with and without personal data."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import orjson

from include.freezeline.redaction.made_up import MAKERS

_VOCABULARY = (
    "the model answers a question about how our team can reduce cost and still keep quality high "
    "because users expect fast and correct replies while traffic grows every week in each region "
    "please explain which steps matter most for a small company that starts with little data and "
    "wants to compare several providers before it signs a contract for next year therefore we show "
    "examples of prompts results tables and common mistakes people make when they read benchmarks"
)
_WORDS = tuple(_VOCABULARY.split())
_CODE = (
    "def total(rows: list[dict[str, float]]) -> float:\n    return sum(row['price'] * row['n'] for row in rows)\n\n",
    "for (let i = 0; i < items.length; i++) {\n  if (items[i].id === key) return items[i];\n}\n",
    "SELECT day, count(*) AS n FROM calls WHERE status <> 'error' GROUP BY day ORDER BY day;\n",
    "class Cache:\n    def __init__(self, size: int = 128) -> None:\n        self.items = {}\n\n",
)
_TEMPLATES = (
    "Please write to {} about the order.",
    "My details are {} and the rest is on file.",
    "I called yesterday and gave them {}, but nobody answered",
    "user: {}\nassistant: thank you",
    "({})",
    '{{"note": "{}"}}',
)
# Types whose value says nothing by itself need a word before it.
_TOLD = {"US_SSN": "SSN {}", "PHONE": "phone {}", "DATE_OF_BIRTH": "born on {}"}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and the values in it.

    Attributes:
        text: The text.
        spans: Entity type, start and end of every value.
    """

    text: str
    spans: tuple[tuple[str, int, int], ...]


def prose(rng: np.random.Generator, n_chars: int) -> str:
    """Make sentences of ordinary words."""
    words: list[str] = []
    length = 0
    while length < n_chars:
        sentence = [_WORDS[i] for i in rng.integers(0, len(_WORDS), int(rng.integers(6, 18)))]
        words.append(" ".join(sentence).capitalize() + ".")
        length += len(words[-1]) + 1
    return " ".join(words)


def rag_context(rng: np.random.Generator, n_chars: int) -> str:
    """Make retrieved passages: prose with dates, amounts, versions, sections and links."""
    parts: list[str] = []
    while sum(map(len, parts)) < n_chars:
        day = f"20{rng.integers(10, 27)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d}"
        parts.append(
            f"[{rng.integers(1, 20)}] On {day} at {rng.integers(0, 24):02d}:{rng.integers(0, 60):02d} "
            f"revenue rose {rng.random() * 100:.1f}% to {rng.integers(10**6):,} EUR (section "
            f"{rng.integers(1, 9)}.{rng.integers(1, 9)}, see https://docs.example.com/v{rng.integers(1, 9)}/a-{rng.integers(999)}). "
            + prose(rng, 200)
        )
    return "\n\n".join(parts)


def messages(rng: np.random.Generator, n_chars: int) -> str:
    """Make the JSON of a conversation, as spans carry it."""
    parts = [
        {"role": role, "parts": [{"type": "text", "content": prose(rng, n_chars // 3)}]}
        for role in ("system", "user", "assistant")
    ]
    return orjson.dumps(parts).decode()


def code(rng: np.random.Generator, n_chars: int) -> str:
    """Make an answer that is mostly code."""
    parts = [prose(rng, 120)]
    while sum(map(len, parts)) < n_chars:
        parts.append(_CODE[rng.integers(0, len(_CODE))])
    return "\n".join(parts)


def ids(rng: np.random.Generator, _n_chars: int) -> str:
    """Make the JSON of an id-laden attribute set; it has one size."""
    return orjson.dumps(
        {
            "trace_id": rng.bytes(16).hex(),
            "request_id": str(uuid.UUID(bytes=rng.bytes(16))),
            "span_id": rng.bytes(8).hex(),
            "started_at": int(1_760_000_000_000_000_000 + rng.integers(0, 10**15)),
            "tokens": int(rng.integers(0, 9000)),
        }
    ).decode()


KINDS: dict[str, Callable[[np.random.Generator, int], str]] = {
    "prose": prose,
    "rag context": rag_context,
    "json messages": messages,
    "code": code,
    "ids (json)": ids,
}


def labelled_texts(rng: np.random.Generator, n_texts: int) -> Iterator[Labelled]:
    """Yield texts with one or two made-up values of every type in turn.

    Args:
        rng: Random numbers.
        n_texts: How many.
    """
    makers = {**MAKERS, "DATE_OF_BIRTH": _birth_date}
    names = sorted(makers)
    for index in range(n_texts):
        name = names[index % len(names)]
        value = makers[name](rng)
        template = _TEMPLATES[int(rng.integers(0, len(_TEMPLATES)))]
        told = _TOLD.get(name, "{}").format(value)
        text = f"{prose(rng, 60)} {template.format(told)} {prose(rng, 60)}"
        if name == "URL_CREDENTIALS":  # the host may stay
            value = value.split("//")[1].split("@")[0]
        start = text.index(value)
        yield Labelled(text, ((name, start, start + len(value)),))


def _birth_date(rng: np.random.Generator) -> str:
    """Make a date in one of the usual ways of writing."""
    year, month, day = rng.integers(1930, 2010), rng.integers(1, 13), rng.integers(1, 29)
    return str(
        rng.choice(
            [f"{year}-{month:02d}-{day:02d}", f"{month}/{day}/{year}", f"{day}.{month}.{year}"]
        )
    )
