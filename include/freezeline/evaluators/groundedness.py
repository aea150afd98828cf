"""Groundedness: do the retrieved texts say what the answer says?

Without a model: per sentence of the answer, the mean of three shares - its content words in the
best sentence of the sources, its neighbouring words that are neighbours there too, and its
numbers and names that the sources have. This finds claims from nowhere and wrong numbers; it
does not understand negation or who did what to whom, and it needs spaces between words. With an
entailment model: how far the sources entail each sentence. Sentences that ask, greet or abstain
claim nothing and do not count; where nothing else is said there is no score. ``docs/evaluators.md`` says how far either agrees with people.
"""

from collections.abc import Sequence

import numpy as np

from include.freezeline.evaluators.interface import Item, Need, PairModel, Score
from include.freezeline.evaluators.languages import is_other_language
from include.freezeline.evaluators.scripts import is_unspaced
from include.freezeline.evaluators.support import Claims, Sources, claims_of, sentences_of
from include.freezeline.evaluators.unclaiming import is_abstention, is_courtesy

_MIN_WORDS = 2
_OTHER_LANGUAGE = "answer and sources are of different languages: needs FREEZELINE_ENTAILMENT_MODEL"
_UNSPACED = "written without spaces between words: needs FREEZELINE_ENTAILMENT_MODEL"


class Groundedness:
    """Scores how far retrieved texts support an answer; 1 is every sentence in full."""

    name = "groundedness"
    needs: frozenset[Need] = frozenset({"answer", "chunks"})
    is_high_bad = False

    def __init__(self, entails: PairModel | None = None) -> None:
        """Set up.

        Args:
            entails: Scores how far the first text entails the second; words are compared when
                None.
        """
        self._entails = entails
        self.has_model = entails is not None
        self.version = "3+entailment" if self.has_model else "4"

    def score(self, batch: Sequence[Item]) -> list[Score]:
        """Return the mean support of the sentences of each answer."""
        if self._entails is None:
            return [_score_words(item) for item in batch]
        return [_score_entailed(item, self._entails) for item in batch]


def _score_words(item: Item) -> Score:
    """Score one answer by its words; what has no spaces between them has no score."""
    answer = item.answer or ""
    if is_unspaced(answer):
        return Score(item.call_key, None, _UNSPACED)
    if is_other_language(answer, item.chunks):
        return Score(item.call_key, None, _OTHER_LANGUAGE)
    sources = Sources(item.chunks)
    sentences = [(sentence, claims_of(sentence)) for sentence in sentences_of(answer)]
    claims = [
        claim
        for sentence, claim in sentences
        if len(claim.words) >= _MIN_WORDS and not _claims_nothing(sentence, claim, sources)
    ]
    if not claims:
        return _unclaimed(item)
    return _supported(item.call_key, claims, sources)


def _supported(call_key: str, claims: Sequence[Claims], sources: Sources) -> Score:
    """Return the mean support of claims."""
    supports = []
    n_facts = n_missing = 0
    for each in claims:
        missing = sources.unsupported_facts(each)
        n_facts, n_missing = n_facts + len(each.facts), n_missing + len(missing)
        parts = [sources.best_word_share(each), sources.pair_share(each)]
        if each.facts:
            parts.append(1.0 - len(missing) / len(each.facts))
        supports.append(float(np.mean(parts)))
    reason = (
        f"{len(claims)} sentences, the least supported {min(supports):.2f}; "
        f"{n_missing} of {n_facts} numbers and names not in the sources"
    )
    return Score(call_key, float(np.mean(supports)), reason)


def _score_entailed(item: Item, entails: PairModel) -> Score:
    """Score one answer by how far its best source entails each sentence."""
    sources = Sources(item.chunks)
    claims = [
        sentence
        for sentence in sentences_of(item.answer or "")
        if not _claims_nothing(sentence, claims_of(sentence), sources)
    ]
    if not claims:
        return _unclaimed(item)
    pairs = [(chunk, claim) for claim in claims for chunk in item.chunks]
    found = np.asarray(entails(pairs), dtype=np.float64).reshape(len(claims), -1).max(axis=1)
    reason = f"{len(claims)} sentences, the least entailed {found.min():.2f}"
    return Score(item.call_key, float(np.clip(found.mean(), 0.0, 1.0)), reason)


def _claims_nothing(sentence: str, claim: Claims, sources: Sources) -> bool:
    """Whether a sentence asks, greets or abstains; one with a fact of its own claims that."""
    says_nothing = is_courtesy(sentence) or is_abstention(sentence)
    return says_nothing and not sources.unsupported_facts(claim)


def _unclaimed(item: Item) -> Score:
    """Return what is said of an answer without claims; to abstain is neither good nor bad here."""
    abstains = any(is_abstention(sentence) for sentence in sentences_of(item.answer or ""))
    reason = "the answer abstains" if abstains else "the answer claims nothing"
    return Score(item.call_key, None, reason)
