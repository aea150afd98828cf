"""How each model writes: its openings, connectives, bullets, hedges, closers and vocabulary.

A text is a pure function of style, prompt and variant, so the same answer always has the same
bytes (embeddings are cached by content) and a style never changes in time by itself.
"""

import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from include.freezeline.demo.prompts import PROMPTS
from include.freezeline.demo.style_bank import STYLES, Style, Voice
from include.freezeline.demo.topics import Prompt


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """What decides an answer's text."""

    feature: str
    style: str
    prompt_number: int
    variant: int


@lru_cache(maxsize=32_768)
def answer_text(key: AnswerKey) -> str:
    """Write the answer that a style gives to a prompt; variants differ as samples would."""
    style = STYLES[key.style]
    prompt = PROMPTS[key.feature][key.prompt_number]
    seed = zlib.crc32(f"{key.feature}/{key.style}/{key.prompt_number}/{key.variant}".encode())
    rng = np.random.default_rng(seed)
    voice = style.findings if key.feature == "risk-summariser" else style.steps
    return _polish(style, _compose(style, voice, prompt, rng))


@lru_cache(maxsize=32_768)
def answer_words(key: AnswerKey) -> int:
    """Return the number of words of an answer."""
    return len(answer_text(key).split())


def _compose(style: Style, voice: Voice, prompt: Prompt, rng: np.random.Generator) -> str:
    """Put opening, body, hedge and closer together."""
    clauses = _choose_clauses(style, prompt, rng)
    opening = prompt.fill(_pick(voice.openings, rng).replace("{topic}", prompt.issue.topic))
    if rng.random() < style.bullet_ratio:
        body = "\n" + "\n".join(style.bullet.format(n=n, s=_upper(s)) for n, s in clauses) + "\n"
    else:
        body = " " + " ".join(_sentences(voice, [clause for _, clause in clauses], rng)) + " "
    ending = [
        _pick(sentences, rng)
        for sentences, ratio in (
            (style.hedges, style.hedge_ratio),
            (style.closers, style.closer_ratio),
        )
        if rng.random() < ratio
    ]
    return (opening + body + " ".join(ending)).strip()


def _choose_clauses(
    style: Style, prompt: Prompt, rng: np.random.Generator
) -> list[tuple[int, str]]:
    """Pick clauses of the issue in their natural order, numbered from 1."""
    available = prompt.issue.clauses
    count = int(rng.choice(style.n_clauses))
    chosen = sorted(rng.choice(len(available), size=count, replace=False).tolist())
    return [(n, prompt.fill(available[index])) for n, index in enumerate(chosen, start=1)]


def _sentences(voice: Voice, clauses: list[str], rng: np.random.Generator) -> list[str]:
    """Turn clauses into sentences with the voice's connectives."""
    middle = rng.permutation(len(voice.middle)).tolist()
    templates = [
        _pick(voice.first, rng),
        *(voice.middle[middle[n % len(middle)]] for n in range(len(clauses) - 2)),
        _pick(voice.last, rng),
    ]
    pairs = zip(templates, clauses, strict=True)
    return [_upper(template.format(s=clause)) for template, clause in pairs]


def _polish(style: Style, text: str) -> str:
    """Apply the style's vocabulary."""
    for plain, preferred in style.words:
        text = text.replace(plain, preferred)
    return text


def _pick(options: tuple[str, ...], rng: np.random.Generator) -> str:
    """Draw one option."""
    return options[int(rng.integers(len(options)))]


def _upper(sentence: str) -> str:
    """Begin a sentence with a capital."""
    return sentence[:1].upper() + sentence[1:]
