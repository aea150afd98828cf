"""The styles: one per model, and the substitute that the silent model swap brings in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Voice:
    """Openings and connectives for one kind of content."""

    openings: tuple[str, ...]
    first: tuple[str, ...]
    middle: tuple[str, ...]
    last: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Style:
    """One model's way of writing.

    Attributes:
        steps: Voice for instructions.
        findings: Voice for statements.
        bullet_ratio: Share of answers with a list.
        bullet: One list item; ``{n}`` is its number.
        hedges: Cautious sentences.
        hedge_ratio: Share of answers with one.
        closers: Last sentences.
        closer_ratio: Share of answers with one.
        n_clauses: Possible numbers of steps or findings, drawn evenly.
        words: Plain words and what the style says instead.
    """

    steps: Voice
    findings: Voice
    bullet_ratio: float
    bullet: str
    hedges: tuple[str, ...]
    hedge_ratio: float
    closers: tuple[str, ...]
    closer_ratio: float
    n_clauses: tuple[int, ...]
    words: tuple[tuple[str, str], ...]


_GPT_MINI_STEPS = Voice(
    openings=(
        "Here's how to handle {topic}.",
        "Sure, let's fix {topic}.",
        "You can sort out {topic} quickly.",
        "Happy to help with {topic}.",
        "For {topic}, do this.",
        "Good question about {topic}.",
    ),
    first=("First, {s}.", "Start here: {s}.", "To begin, {s}."),
    middle=("Then {s}.", "Next, {s}.", "After that, {s}."),
    last=("Finally, {s}.", "Last step: {s}.", "Once that's done, {s}."),
)

_GPT_STEPS = Voice(
    openings=(
        "To address {topic}, proceed as follows.",
        "The recommended approach to {topic} is straightforward.",
        "There are a few causes of {topic}; this order covers them.",
        "Regarding {topic}, the following works reliably.",
        "A robust way to deal with {topic} looks like this.",
    ),
    first=("Begin by making sure to {s}.", "In most cases, {s}.", "As a first measure, {s}."),
    middle=("In addition, {s}.", "Subsequently, {s}.", "It is also advisable to {s}."),
    last=("As a final measure, {s}.", "To complete the change, {s}.", "Ultimately, {s}."),
)

_GPT_FINDINGS = Voice(
    openings=(
        "The assessment of {topic} shows a mixed picture.",
        "Regarding {topic}, the file supports the following view.",
        "In summary, {topic} remains a point to monitor.",
        "The evidence on {topic} can be condensed as follows.",
        "Overall, {topic} is manageable on current figures.",
    ),
    first=("In particular, {s}.", "First, {s}.", "According to the filings, {s}."),
    middle=("In addition, {s}.", "Furthermore, {s}.", "It should be noted that {s}."),
    last=("Consequently, {s}.", "Finally, {s}.", "On balance, {s}."),
)

_HAIKU_STEPS = Voice(
    openings=(
        "I understand {topic} is getting in your way.",
        "Thanks for raising {topic} with us.",
        "I'm sorry about the trouble with {topic}.",
        "Let me walk you through {topic}.",
        "That sounds frustrating; {topic} is usually quick to resolve.",
    ),
    first=("I'd suggest you {s}.", "The quickest thing is to {s}.", "Could you {s}?"),
    middle=("If that doesn't help, {s}.", "It's also worth trying to {s}.", "You might also {s}."),
    last=("And if needed, {s}.", "Otherwise, {s}.", "From there, {s}."),
)

_SONNET_STEPS = Voice(
    openings=(
        "The core of {topic} is getting the order of things right.",
        "I'd think about {topic} in terms of who owns the state.",
        "There's a clean pattern for {topic}.",
        "With {topic}, small habits matter more than clever code.",
        "Let me explain how I would approach {topic}.",
    ),
    first=("The key move: {s}.", "What matters most is to {s}.", "I'd {s} before anything else."),
    middle=("From there, {s}.", "Alongside that, {s}.", "It pays to {s} as well."),
    last=("With that in place, {s}.", "And to keep it honest, {s}.", "The last piece: {s}."),
)

_SONNET_FINDINGS = Voice(
    openings=(
        "The story of {topic} comes down to timing.",
        "What stands out about {topic} is how narrow the margin has become.",
        "I'd read {topic} as tight but under control.",
        "Looking at {topic}, two things pull in opposite directions.",
        "The picture on {topic} is clearer than the headlines suggest.",
    ),
    first=("The main point: {s}.", "Most importantly, {s}.", "At the heart of it, {s}."),
    middle=("At the same time, {s}.", "Alongside that, {s}.", "There's also the fact that {s}."),
    last=("The open question is what follows if {s}.", "Taken together, {s}.", "And so far, {s}."),
)

_SUBSTITUTE_STEPS = Voice(
    openings=(
        "**Summary:** {topic} can be resolved with the checks below.",
        "Certainly! Below are some suggestions regarding {topic}:",
        "It depends on the setup, but {topic} often has one of these causes:",
        "Great, here is a short checklist concerning {topic}:",
        "While details may vary, {topic} might be handled like this:",
    ),
    first=("It may be useful to {s}.", "One option could be to {s}.", "Perhaps {s}."),
    middle=("Moreover, one could {s}.", "Additionally, consider whether to {s}.", "Possibly {s}."),
    last=("In conclusion, {s}.", "Lastly, it may help to {s}.", "Should this fail, {s}."),
)

STYLES: dict[str, Style] = {
    "gpt-4.1-mini": Style(
        steps=_GPT_MINI_STEPS,
        findings=_GPT_FINDINGS,
        bullet_ratio=0.3,
        bullet="{n}. {s}",
        hedges=("This usually works.", "It shouldn't take long."),
        hedge_ratio=0.2,
        closers=("Let me know how it goes!", "Hope that helps!", "Want me to check anything else?"),
        closer_ratio=0.5,
        n_clauses=(2, 3, 3),
        words=(("the password", "your password"), ("make sure to", "make sure you")),
    ),
    "gpt-4.1": Style(
        steps=_GPT_STEPS,
        findings=_GPT_FINDINGS,
        bullet_ratio=0.25,
        bullet="- {s}.",
        hedges=("Details may differ between versions.", "This rests on what was provided."),
        hedge_ratio=0.15,
        closers=("Further detail is available on request.", "This covers the common cases."),
        closer_ratio=0.3,
        n_clauses=(2, 3, 3),
        words=(("instead of", "rather than"), ("use ", "employ ")),
    ),
    "claude-haiku-4-5": Style(
        steps=_HAIKU_STEPS,
        findings=_SONNET_FINDINGS,
        bullet_ratio=0.1,
        bullet="• {s}",
        hedges=("I can't see your account from here, so I may be missing something.",),
        hedge_ratio=0.25,
        closers=("I'm here if it still doesn't work.", "Does that make sense?"),
        closer_ratio=0.45,
        n_clauses=(2, 2, 3),
        words=(("choose", "pick"), ("confirm", "double-check")),
    ),
    "claude-sonnet-4-5": Style(
        steps=_SONNET_STEPS,
        findings=_SONNET_FINDINGS,
        bullet_ratio=0.08,
        bullet="- {s}",
        hedges=("There's a trade-off here worth naming.", "I'd verify this against the source."),
        hedge_ratio=0.25,
        closers=("I can go deeper on any of these.", "That's the part I'd watch."),
        closer_ratio=0.3,
        n_clauses=(2, 3, 3),
        words=(("stop ", "bail out "), ("limit", "cap")),
    ),
    "substitute": Style(
        steps=_SUBSTITUTE_STEPS,
        findings=_GPT_FINDINGS,
        bullet_ratio=0.6,
        bullet="* **Step {n}:** {s};",
        hedges=(
            "Please note that results may vary.",
            "However, I cannot be completely certain.",
            "It might be necessary to consult the documentation.",
        ),
        hedge_ratio=0.6,
        closers=("Please do not hesitate to ask.", "I hope this information is helpful to you."),
        closer_ratio=0.35,
        n_clauses=(2, 2, 3),
        words=(("use ", "utilise "), ("add ", "incorporate "), ("instead of", "in lieu of")),
    ),
}
