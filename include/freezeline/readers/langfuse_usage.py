"""Token counts and costs as Langfuse keeps them: a free mapping of usage types to numbers.

The mapping is one of two things. In an answer's raw usage, and in what many applications report by
hand, ``input`` is the whole prompt and cached tokens are a part of it. Once Langfuse has stored a
usage, its types are disjoint: it takes cached tokens out of ``input`` and reasoning tokens out of
``output``, and ``total`` is the sum of all types. The canonical row holds whole prompts and whole
answers, so the parts are put back where the numbers show that they were taken out.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from include.freezeline.readers.costs import to_cost_usd
from include.freezeline.readers.result import Row
from include.freezeline.readers.values import to_integer

_INPUT = ("input", "prompt_tokens", "input_tokens", "prompttokens", "inputtokens")
_OUTPUT = ("output", "completion_tokens", "output_tokens", "completiontokens", "outputtokens")
_TOTAL = ("total", "total_tokens", "totaltokens")
_ALL_WHOLES = frozenset((*_INPUT, *_OUTPUT, *_TOTAL))
_INPUT_STARTS = ("input", "prompt")
_OUTPUT_STARTS = ("output", "completion")
_MAX_TOKENS = 10**9  # see AttributeView.tokens

Counts = dict[str, int]


def read_usage(details: Any) -> Row:
    """Return the token columns of a usage mapping; what it does not say is None.

    Args:
        details: ``usage_details``, in Langfuse's own types or as a provider's raw object.
    """
    if not isinstance(details, dict):
        return {}
    counts, nested = _counts(details)
    written, split = _cache_writes(counts)
    parts = {n: count for n, count in counts.items() if n not in _ALL_WHOLES and n not in split}
    parts_in = {name: count for name, count in parts.items() if _is_input(name)}
    parts_out = {name: count for name, count in parts.items() if _is_output(name)}
    row: Row = {
        "input_tokens": _first(counts, _INPUT),
        "output_tokens": _first(counts, _OUTPUT),
        "cache_read_tokens": _most(n for k, n in parts.items() if _is_cache_read(k)),
        "cache_write_tokens": written,
        "cache_write_1h_tokens": _most(n for k, n in counts.items() if _is_hourly(k)),
        "reasoning_tokens": _most(n for k, n in parts.items() if "reason" in k or "thought" in k),
    }
    if not nested and _is_disjoint(counts, row, parts):
        row["input_tokens"] = (row["input_tokens"] or 0) + sum(parts_in.values())
        row["output_tokens"] = _plus(row["output_tokens"], parts_out.values())
    return row


def read_cost(details: Any) -> Decimal | None:
    """Return the total of a cost mapping, else the sum of its parts; None without any."""
    if not isinstance(details, dict):
        return None
    if (total := to_cost_usd(details.get("total"))) is not None:
        return total
    parts = [cost for value in details.values() if (cost := to_cost_usd(value)) is not None]
    return sum(parts, Decimal(0)) if parts else None


def _counts(details: Mapping[str, Any]) -> tuple[Counts, bool]:
    """Return the counts by type, and whether some stood in a provider's nested details."""
    counts: Counts = {}
    nested = False
    for name, value in details.items():
        if not isinstance(value, dict):
            _put(counts, name, value)
        elif name.startswith((*_INPUT_STARTS, *_OUTPUT_STARTS)):
            nested = True
            side = "input" if name.startswith(_INPUT_STARTS) else "output"
            for inner, count in value.items():
                _put(counts, f"{side}_{inner}", count)
    return counts, nested


def _put(counts: Counts, name: str, value: Any) -> None:
    """Add a believable count."""
    count = to_integer(value)
    if count is not None and 0 <= count <= _MAX_TOKENS:
        counts[name.lower()] = count


def _is_disjoint(counts: Counts, row: Row, parts: Counts) -> bool:
    """Return whether parts were taken out of their wholes.

    A total decides when it is there. Without one, more cached tokens than prompt tokens show it,
    and so do the names of Anthropic's raw usage, whose input never holds what the cache gave.
    """
    if not any(parts.values()):
        return False
    cached = sum(count for name, count in parts.items() if "cache" in name)
    whole = (row["input_tokens"] or 0) + (row["output_tokens"] or 0)
    total = _first(counts, _TOTAL)
    if total == whole + sum(parts.values()):
        return True
    if total is not None and total == whole:
        return False
    is_anthropic = "input_tokens" in counts and any(name.startswith("cache_") for name in parts)
    return bool(cached) and (is_anthropic or cached > (row["input_tokens"] or 0))


def _is_input(name: str) -> bool:
    """Return whether a usage type is a part of the prompt."""
    return "cache" in name or name.startswith(_INPUT_STARTS)


def _is_output(name: str) -> bool:
    """Return whether a usage type is a part of the answer."""
    return not _is_input(name) and (name.startswith(_OUTPUT_STARTS) or "reason" in name)


def _is_cache_write(name: str) -> bool:
    """Return whether a usage type counts tokens written to the cache."""
    return "cache" in name and ("creat" in name or "write" in name)


def _is_hourly(name: str) -> bool:
    """Return whether a usage type counts tokens written to the cache for an hour."""
    return _is_cache_write(name) and "1h" in name


def _cache_writes(counts: Counts) -> tuple[int | None, frozenset[str]]:
    """Return the tokens written to the cache, and the types that only say how long they stay.

    Lifetimes stand beside their sum, which then counts them, or in place of it.
    """
    writes = {name: count for name, count in counts.items() if _is_cache_write(name)}
    split = {name for name in writes if "5m" in name or "1h" in name}
    if split == set(writes):
        return (sum(writes.values()) if writes else None), frozenset()
    return _most(count for name, count in writes.items() if name not in split), frozenset(split)


def _is_cache_read(name: str) -> bool:
    """Return whether a usage type counts tokens read from the cache."""
    return "cache" in name and not _is_cache_write(name)


def _first(counts: Counts, names: Iterable[str]) -> int | None:
    """Return the first count that is there."""
    return next((counts[name] for name in names if name in counts), None)


def _most(numbers: Iterable[int]) -> int | None:
    """Return the largest of several names for one thing (a whole also has names for its parts)."""
    return max(numbers, default=None)


def _plus(whole: int | None, parts: Iterable[int]) -> int | None:
    """Return a whole with its parts; None when neither is known."""
    given = list(parts)
    return whole if not given else (whole or 0) + sum(given)
