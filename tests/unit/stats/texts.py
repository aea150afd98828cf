"""Made-up answers whose style and topic can be set."""

import numpy as np

_TOPICS = (
    ["invoice", "refund", "payment", "card", "charge", "billing", "account", "credit"],
    ["server", "restart", "timeout", "cluster", "deploy", "container", "memory", "network"],
    ["delivery", "parcel", "courier", "address", "tracking", "label", "warehouse", "return"],
)
_PLAIN = ["check", "open", "choose", "confirm", "save", "review", "send", "wait", "update"]


def make_prompts(n: int, rng: np.random.Generator, weights: tuple[float, ...]) -> list[int]:
    """Return the topic of each prompt."""
    return [int(topic) for topic in rng.choice(len(_TOPICS), size=n, p=weights)]


def prompt_text(topic: int, rng: np.random.Generator) -> str:
    """Return a question about a topic."""
    return "How do I handle " + " ".join(rng.choice(_TOPICS[topic], size=4)) + "?"


def answer_text(topic: int, rng: np.random.Generator, *, is_other_model: bool = False) -> str:
    """Return an answer about a topic, in one of two styles."""
    sentences = []
    for _ in range(int(rng.integers(3, 6))):
        words = list(rng.choice(_TOPICS[topic], size=4)) + list(rng.choice(_PLAIN, size=4))
        rng.shuffle(words)
        sentences.append(" ".join(words))
    if is_other_model:
        return "Sure! " + "\n".join(f"- perhaps {sentence}" for sentence in sentences)
    return ". ".join(sentence.capitalize() for sentence in sentences) + "."


def make_window(
    n: int,
    rng: np.random.Generator,
    *,
    weights: tuple[float, ...] = (0.4, 0.3, 0.3),
    other_share: float = 0.0,
) -> tuple[list[str], list[str]]:
    """Return prompts and answers of one window."""
    topics = make_prompts(n, rng, weights)
    prompts = [prompt_text(topic, rng) for topic in topics]
    is_other = rng.random(n) < other_share
    pairs = zip(topics, is_other, strict=True)
    return prompts, [answer_text(t, rng, is_other_model=bool(other)) for t, other in pairs]
