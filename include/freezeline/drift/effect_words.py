"""The effect of a drift question in words, with its numbers; empty where there is none."""

from include.freezeline.stats.result import StatResult


def auc_words(result: StatResult) -> str:
    """Say how well the windows can be told apart."""
    if result.value is None or result.interval is None:
        return ""
    lower, upper = result.interval
    return (
        f"a current answer can be told from a reference one in {result.value:.1%} of pairs "
        f"({lower:.1%} to {upper:.1%}; 50% is no difference); moved most: "
        f"{_moved(result, 'sd')}"
    )


def divergence_words(result: StatResult) -> str:
    """Say how far the words moved beyond chance."""
    if result.value is None or result.interval is None:
        return ""
    chance, (lower, upper) = result.details["chance_median_nats"], result.interval
    return (
        f"words diverge by {result.value:.4f} nats ({lower:.4f} to {upper:.4f}) where chance alone "
        f"gives {chance:.4f}"
    )


def paired_words(result: StatResult) -> str:
    """Say how far the probe answers moved."""
    if result.value is None or result.interval is None:
        return ""
    lower, upper = result.interval
    return (
        f"1 - mean cosine of {result.n_current} probe answers to the reference is "
        f"{result.value:.4f} ({lower:.4f} to {upper:.4f}) where two reference answers give "
        f"{result.details['reference_score']:.4f}"
    )


def recognised_words(result: StatResult) -> str:
    """Say how well current probe answers are told from reference ones."""
    if result.value is None or result.interval is None:
        return ""
    lower, upper = result.interval
    return (
        f"the current one of two answers to a probe is recognised in {result.value:.1%} of "
        f"{result.n_current} pairs ({lower:.1%} to {upper:.1%}; 50% is no difference) and is the "
        f"farther one from a third answer in {result.details['farther_ratio']:.1%}; moved most: "
        f"{_moved(result, 'se')}"
    )


def _moved(result: StatResult, unit: str) -> str:
    """List the three habits that moved most."""
    moved = list(result.details["moved_features"].items())[:3]
    return ", ".join(f"{name} {shift:+.2f} {unit}" for name, shift in moved)
