"""Sentences that claim nothing a source could support: questions, courtesies, abstentions."""

import re

_QUESTION = re.compile(r"\?[\"'\u201d\u2019)\]*]*$")
_DOCUMENTS = (
    r"(?:documents?|context|sources?|texts?|passages?|articles?|information|records?|excerpts?"
    r"|knowledge base|materials?|files?|results?)"
)
_NOT = r"(?:do(?:es)? not|did not|don't|doesn't|didn't|cannot|can't|can not|could not|couldn't)"
_COURTESY = re.compile(
    r"^\W*(?:hello|hi|hey|dear \w+|good (?:morning|afternoon|evening|day)|thanks|thank you|welcome"
    r"|you're welcome|sure|certainly|of course|absolutely|great question|i hope (?:this|that) helps"
    r"|i'?m happy to help|i'?d be happy to|i(?:'m| am) sorry|sorry|my apologies|i apologi[sz]e"
    r"|(?:please )?(?:let me know|feel free)|please (?:contact|reach out|ask|provide|share|try|consult"
    r"|check with|refer to|rephrase|clarify))\b",
    re.IGNORECASE,
)
_ABSTENTION = re.compile(
    rf"\b(?:i|we) (?:was|were|am|'m|are)? ?(?:{_NOT}|unable to|not able to) (?:\w+ )?"
    r"(?:find|locate|see|answer|determine|say|tell|provide|help|assist|confirm|have)\b"
    r"|\b(?:i|we)'m (?:unable|not able) to\b"
    rf"|\b{_DOCUMENTS}[^.!?]{{0,60}}? (?:{_NOT} (?:\w+ )?(?:mention|contain|include|specify|state|say"
    r"|provide|give|cover|answer|address|discuss|have|indicate|list)|(?:is|are|was|were) (?:silent|not available))\b"
    rf"|\b(?:is|are|was|were) not (?:\w+ )?(?:mentioned|specified|provided|available|included|stated"
    rf"|found|covered|given|contained)\b[^.!?]{{0,40}}\b{_DOCUMENTS}\b"
    rf"|\b(?:no|not enough|insufficient) (?:\w+ )?(?:information|mention|answer|details?)\b[^.!?]{{0,60}}\b{_DOCUMENTS}\b"
    r"|\b(?:there is|i have|we have) (?:no|not enough|insufficient) (?:\w+ )?(?:information|mention|details?)\b",
    re.IGNORECASE,
)


def is_abstention(sentence: str) -> bool:
    """Whether a sentence says that the sources, or the assistant, have no answer."""
    return _ABSTENTION.search(sentence.replace("\u2019", "'")) is not None


def is_courtesy(sentence: str) -> bool:
    """Whether a sentence greets, thanks, offers, sends on or asks."""
    plain = sentence.replace("\u2019", "'")
    return bool(_QUESTION.search(plain) or _COURTESY.match(plain))
