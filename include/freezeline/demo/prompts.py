"""Every prompt of every feature, and the probe prompts among them."""

from include.freezeline.demo.code_topics import CODE_ISSUES, LANGUAGES
from include.freezeline.demo.risk_topics import COMPANIES, RISK_ISSUES
from include.freezeline.demo.support_topics import PRODUCTS, SUPPORT_ISSUES
from include.freezeline.demo.topics import Prompt, cross

PROMPTS: dict[str, tuple[Prompt, ...]] = {
    "support-assistant": cross(SUPPORT_ISSUES, PRODUCTS),
    "risk-summariser": cross(RISK_ISSUES, COMPANIES),
    "code-helper": cross(CODE_ISSUES, LANGUAGES),
}


def question_text(prompt: Prompt, phrasing: int) -> str:
    """Return the prompt in one of its phrasings."""
    questions = prompt.issue.questions
    return prompt.fill(questions[phrasing % len(questions)])


def canary_prompts(feature: str, n_canaries: int) -> tuple[Prompt, ...]:
    """Return the feature's probe prompts: spread evenly over its topics, always the same."""
    prompts = PROMPTS[feature]
    return tuple(prompts[number * len(prompts) // n_canaries] for number in range(n_canaries))
