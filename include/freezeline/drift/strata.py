"""Which answers are compared with each other: those of one prompt version, retrieval and tenant.

Tenants have prompts, documents and habits of their own, so another mix of them is not another model.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from include.freezeline.drift.segments import TextRow
from include.freezeline.stats.result import IntArray

MIN_STRATUM = 5
# A tenant with a smaller share of either window moves little by itself, and is one of "the others".
_SMALL_RATIO = 0.05
# Where fewer calls name their tenant, what tenants do is not known.
_KNOWN_RATIO = 0.5
_Name = tuple[str, str]


def compared_within(rows: Sequence[TextRow], n_reference: int) -> IntArray:
    """Return the number of each row's group.

    A tenant with five answers in both windows is a group of its own. Small ones are one group
    together. A larger one that hardly occurs in one of the windows is a group, too, and so has no
    company in the other. Tenants are not told apart where half of a window names none.

    Args:
        rows: Answers, those of the reference first.
        n_reference: How many are of the reference.
    """
    bases = [(row.prompt_version, str(row.is_retrieval_empty)) for row in rows]
    sides = [int(i >= n_reference) for i in range(len(rows))]
    sizes = Counter(zip(bases, sides, strict=True))
    named = Counter(
        (base, side) for row, base, side in zip(rows, bases, sides, strict=True) if row.tenant_key
    )
    tenants = [row.tenant_key for row in rows]
    counts = Counter(zip(bases, tenants, sides, strict=True))

    def group(base: _Name, tenant: str) -> str:
        if any(named[base, side] < _KNOWN_RATIO * sizes[base, side] for side in (0, 1)):
            return ""
        found = [counts[base, tenant, side] for side in (0, 1)]
        limits = [max(MIN_STRATUM, _SMALL_RATIO * sizes[base, side]) for side in (0, 1)]
        is_small = all(n < limit for n, limit in zip(found, limits, strict=True))
        return "" if is_small and min(found) < MIN_STRATUM else tenant

    names = [(*base, group(base, tenant)) for base, tenant in zip(bases, tenants, strict=True)]
    numbers = {name: number for number, name in enumerate(sorted(set(names)))}
    return np.array([numbers[name] for name in names], dtype=np.int64)
