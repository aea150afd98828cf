"""Which language a text is written in, as far as lists of English words have to know it.

Function words of the languages that are written most in Latin script are counted; no model, and
nothing about languages that are not here but for their accents.
"""

from collections.abc import Mapping, Sequence

from include.freezeline.evaluators.scripts import is_mostly_latin
from include.freezeline.stats.style import STOP_WORDS, word_set, words_of

_LEAST_SIGNS, _LEAST_SHARE = 2, 0.05
_LIKELY = 0.5
_FIRST_ACCENTED, _LAST_LATIN = "\u00c0", "\u1eff"
# None of a list is an ordinary English word; "in", "was", "no" and the like tell nothing apart.
FUNCTION_WORDS: Mapping[str, frozenset[str]] = {
    "de": word_set(
        "und der das ist nicht ein eine einen einem einer mit auf sich den dem von zu werden wird "
        "sie ihr ihre ihnen oder für ich wir uns kann kannst können du dir dich bist sind aber auch "
        "wie bei kein keine nach aus zum zur über haben hat noch nur wenn dass"
    ),
    "es": word_set(
        "el los las una que con por para su sus como pero esta este puede puedo puedes del se es "
        "más lo eres eso siento usted tú muy está son qué al y ya también"
    ),
    "fr": word_set(
        "le les une et est dans pour vous votre vos avec sur pas qui sont ce cette des au aux à je "
        "nous mais ne peux pouvez suis tu il elle du un cela être désolé plus ou sous"
    ),
    "it": word_set(
        "il gli che di della delle sono non più nel alla questo questa si è ma lo una posso puoi "
        "può ti mi sei con come anche dei ho"
    ),
    "pt": word_set(
        "os um uma não com seu sua pode posso você dos das ao em é mas isso está eu por para que "
        "mais também muito são da"
    ),
    "nl": word_set(
        "het een niet van op voor zijn dat u uw kunt naar bij ik je kan maar met wij deze dit ook "
        "geen jij bent"
    ),
    "sv": word_set("och att det som av inte jag du kan ett en till för på är men den har dig"),
    "da": word_set("og at det som af ikke jeg du kan et en til på er men den har dig deg av"),
    "pl": word_set("nie się jest na ze oraz aby ja ci to czy jak ale przez może można jesteś"),
    "tr": word_set("ve bir bu için ile değil ama çok sen ben size bunu olarak"),
    "id": word_set("yang dan tidak untuk dengan ini itu adalah saya anda dari bisa dapat tetapi"),
}
FOREIGN_WORDS = frozenset().union(*FUNCTION_WORDS.values()) - STOP_WORDS


def is_readable_english(text: str) -> bool:
    """Whether a list of English words can tell what a text does not hold.

    Not where most letters are of another script, nor where function words of other languages and
    words with accents outnumber English stop words. Numbers, names and code pass.
    """
    if not is_mostly_latin(text):
        return False
    words = words_of(text)
    n_foreign = sum(word in FOREIGN_WORDS or _is_accented(word) for word in words)
    if n_foreign < max(_LEAST_SIGNS, _LEAST_SHARE * len(words)):
        return True
    return n_foreign <= sum(word in STOP_WORDS for word in words)


def is_unread(text: str, value: float) -> bool:
    """Whether a score by English cues says nothing of a text: they found little, and cannot read it.

    What is found in another language is found all the same.
    """
    return value < _LIKELY and not is_readable_english(text)


def language_of(text: str) -> str | None:
    """Return the code of the language whose function words are most; None where too few are."""
    words = words_of(text)
    if is_readable_english(text):
        return "en" if sum(word in STOP_WORDS for word in words) >= _LEAST_SIGNS else None
    counts = {code: sum(word in own for word in words) for code, own in FUNCTION_WORDS.items()}
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] >= _LEAST_SIGNS else None


def is_other_language(text: str, sources: Sequence[str]) -> bool:
    """Whether no source is in the language of a text, as far as languages can be told."""
    if sources and all(is_mostly_latin(source) != is_mostly_latin(text) for source in sources):
        return True
    own = language_of(text)
    others = {language_of(source) for source in sources}
    return own is not None and None not in others and bool(others) and own not in others


def _is_accented(word: str) -> bool:
    """Whether a word holds a Latin letter outside ASCII."""
    return any(_FIRST_ACCENTED <= letter <= _LAST_LATIN for letter in word)
