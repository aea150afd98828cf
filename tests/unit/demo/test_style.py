"""Texts: stable, varied, and recognisably of one style."""

import pytest

from include.freezeline.demo.prompts import PROMPTS, canary_prompts, question_text
from include.freezeline.demo.style import AnswerKey, answer_text, answer_words
from include.freezeline.demo.traffic import N_VARIANTS
from include.freezeline.demo.world import FEATURES, FeatureSpec


def _answers(feature: FeatureSpec, style: str) -> list[str]:
    return [
        answer_text(AnswerKey(feature.name, style, prompt.number, variant))
        for prompt in PROMPTS[feature.name]
        for variant in range(N_VARIANTS)
    ]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_answers_are_varied_but_bounded(feature: FeatureSpec) -> None:
    texts = [text for model, _ in feature.models for text in _answers(feature, model.name)]
    assert 1_500 <= len(set(texts)) <= 4_000
    words = sorted(len(text.split()) for text in texts)
    assert words[0] >= 15
    assert words[-1] <= 85
    assert 30 <= words[len(words) // 2] <= 55


def test_no_text_has_an_unfilled_slot() -> None:
    texts = [text for f in FEATURES for m, _ in f.models for text in _answers(f, m.name)]
    texts += [
        question_text(p, n) for prompts in PROMPTS.values() for p in prompts for n in range(3)
    ]
    assert len(texts) > 5_000
    assert not [text for text in texts if "{" in text or "}" in text]


def test_substitute_writes_other_words_of_similar_length() -> None:
    code = FEATURES[2]
    named, substitute = _answers(code, "gpt-4.1-mini"), _answers(code, "substitute")
    assert not set(named) & set(substitute)
    assert sum("**Step" in text for text in substitute) > len(substitute) / 3
    means = [sum(len(t.split()) for t in texts) / len(texts) for texts in (named, substitute)]
    assert 0.75 < means[0] / means[1] < 1.3


def test_answer_is_the_same_when_asked_again() -> None:
    key = AnswerKey("code-helper", "gpt-4.1", 3, 1)
    first = answer_text(key)
    answer_text.cache_clear()
    assert answer_text(key) == first
    assert answer_words(key) == len(first.split())
    assert answer_text(AnswerKey("code-helper", "gpt-4.1", 3, 2)) != first


def test_probes_are_distinct_prompts() -> None:
    for feature in FEATURES:
        probes = canary_prompts(feature.name, feature.n_canaries)
        assert len({probe.number for probe in probes}) == feature.n_canaries >= 12
