"""Sequences of word shapes: how an answer is put together, whatever it is about.

Content words are replaced by their shape (capital or not, length, common ending) and only function
words, punctuation and line breaks keep their face, so that what remains of a text is its author's
habits and not its topic. Two texts about different things by one model look alike here.

Source: Stamatatos 2017, *Authorship Attribution Using Text Distortion*.
"""

import re
import zlib
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from include.freezeline.stats.permutation import Float32Array
from include.freezeline.stats.result import IntArray
from include.freezeline.stats.style import UNSPACED, word_set

_TOKEN = re.compile(
    rf"[{UNSPACED}]|[^\W\d_{UNSPACED}]+(?:['\u2019][^\W\d_{UNSPACED}]+)*|\d+|\n+|[^\w\s]|\w+"
)
_IS_UNSPACED = re.compile(f"[{UNSPACED}]")
# Characters of grammar, as far as one character can be: kana, and the commonest in Chinese.
_KEPT_CHARACTERS = re.compile(
    "[\u3040-\u309f\u7684\u4e86\u662f\u5728\u548c\u6709\u4e0d\u6211\u4f60\u60a8\u4ed6\u5979\u4eec\u8fd9\u90a3\u5c31\u4e5f\u90fd\u800c"
    "\u4e0e\u53ca\u6216\u88ab\u628a\u5bf9\u4e3a\u5417\u5462\u5427\u7740\u8fc7\u4f1a\u80fd\u53ef\u4ee5\u8bf7\u8981\u5982\u679c\u5e76\u4f46]"
)
_KEPT = word_set(
    "a about after all also am an and any are as at be because been before being but by can could "
    "did do does during each for from had has have he her here his how however i if in into is it "
    "its just like may me might more most much must my no not of on once one only or other our out "
    "over please provide remember same she should since so some such than that the their them then "
    "there these they this those through to under up us use used using was we well were what when "
    "where whether which while who will with within without would you your yours additionally "
    "overall finally first second third next then example including important help ensure consider "
    "note based following i'm it's don't can't sorry cannot certainly hope feel free know"
)
_ENDINGS = ("ing", "ion", "ity", "ous", "ive", "ent", "ful", "ies", "ed", "ly", "es", "er", "al")
_SHORT, _MIDDLE = 4, 8
_BUCKETS = 1 << 15
_MAX_COLUMNS = 1500
_MIN_TEXTS = 2


def shape_presence(texts: Sequence[str], max_columns: int = _MAX_COLUMNS) -> Float32Array:
    """Return a 0/1 matrix of the shapes, pairs and triples of shapes that texts contain.

    Columns are hash buckets, the most frequent ones first; what every text has, or fewer than two,
    is left out.

    Args:
        texts: One per row.
        max_columns: Columns to keep at most.
    """
    codes: dict[str, int] = {}
    rows = [_buckets(_codes(text, codes)) for text in texts]
    places = np.cumsum([0, *map(len, rows)])
    ones = np.ones(int(places[-1]), dtype=np.float32)
    shape = (len(texts), _BUCKETS)
    matrix = sparse.csr_array((ones, np.concatenate(rows), places), shape=shape)
    frequency = np.asarray((matrix > 0).sum(axis=0)).ravel()
    eligible = np.flatnonzero((frequency >= _MIN_TEXTS) & (frequency < len(texts)))
    order = eligible[np.argsort(-frequency[eligible], kind="stable")][:max_columns]
    return np.asarray(matrix[:, order].todense(), dtype=np.float32)


def shape_of(token: str) -> str:
    """Return what is kept of a token.

    Args:
        token: A word, a number, line breaks or a punctuation mark.
    """
    if _IS_UNSPACED.match(token):
        return token if _KEPT_CHARACTERS.match(token) else "c"
    lower = token.lower()
    if lower in _KEPT:
        return lower if token[0].islower() else "^" + lower
    if token[0] == "\n":
        return "\n" if len(token) == 1 else "\n\n"
    if token.isdigit():
        return "#"
    if not token[0].isalpha():
        return token
    length = "3" if len(token) <= _SHORT else "7" if len(token) <= _MIDDLE else "9"
    ending = next((end for end in _ENDINGS if lower.endswith(end)), "")
    return ("W" if token[0].isupper() else "w") + length + ending


def _codes(text: str, codes: dict[str, int]) -> IntArray:
    """Return a number per token's shape, with one for the start and one for the end."""
    found = [1]
    for token in _TOKEN.findall(text):
        code = codes.get(token)
        if code is None:
            code = codes[token] = zlib.crc32(shape_of(token).encode())
        found.append(code)
    found.append(2)
    return np.array(found, dtype=np.int64)


def _buckets(codes: IntArray) -> IntArray:
    """Return the buckets of all shapes, pairs and triples of a text, each once."""
    numbers = codes.astype(np.uint64)
    first, second = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
    pairs = numbers[:-1] * first + numbers[1:]
    triples = pairs[:-1] * second + numbers[2:]
    mixed = np.concatenate([numbers[1:-1], pairs, triples]) * np.uint64(0xD6E8FEB86659FD93)
    return np.unique(mixed >> np.uint64(49)).astype(np.int64)
