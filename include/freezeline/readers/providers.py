"""One name per provider: the one that the newest GenAI conventions give it."""

import re

# By what OpenLLMetry, OpenInference, LangChain, LiteLLM, Vercel and older conventions call it.
_NAMES = {
    "az.ai.openai": "azure.ai.openai",
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "azure-openai": "azure.ai.openai",
    "azureopenai": "azure.ai.openai",
    "az.ai.inference": "azure.ai.inference",
    "azure_ai": "azure.ai.inference",
    "aws": "aws.bedrock",
    "aws_bedrock": "aws.bedrock",
    "amazon_bedrock": "aws.bedrock",
    "amazon-bedrock": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "gemini": "gcp.gemini",
    "google": "gcp.gemini",
    "google.generative-ai": "gcp.gemini",
    "google_generativeai": "gcp.gemini",
    "google_genai": "gcp.gen_ai",
    "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "google_vertexai": "gcp.vertex_ai",
    "google.vertex": "gcp.vertex_ai",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
    "moonshot": "moonshot_ai",
    "moonshotai": "moonshot_ai",
    "togetherai": "together_ai",
}
# What gateways put before a model's name ("openai/gpt-4.1").
_ROUTES = frozenset(
    {
        *_NAMES,
        "openai",
        "anthropic",
        "cohere",
        "groq",
        "deepseek",
        "perplexity",
        "together_ai",
        "fireworks_ai",
        "openrouter",
        "ollama",
    }
)
# A region, a maker, a model: us.anthropic.claude-sonnet-4-5.
_BEDROCK_MODEL = re.compile(
    r"(?:(?:us|us-gov|eu|apac|jp|au|ca|global)\.)?"
    r"(?:ai21|amazon|anthropic|cohere|deepseek|meta|mistral|openai|qwen|stability)\."
)
# Models that their makers serve under such names; open weights may be served by anybody.
_MODEL_STARTS = (
    ("gpt-oss", None),
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4-", "openai"),
    ("text-embedding-3", "openai"),
    ("text-embedding-ada", "openai"),
    ("claude-", "anthropic"),
    ("gemini-", "gcp.gemini"),
    ("mistral-large", "mistral_ai"),
    ("mistral-medium", "mistral_ai"),
    ("mistral-small", "mistral_ai"),
    ("command-", "cohere"),
    ("grok-", "x_ai"),
    ("deepseek-chat", "deepseek"),
    ("deepseek-reasoner", "deepseek"),
    ("sonar", "perplexity"),
)


def normalise_provider(name: str | None) -> str | None:
    """Return the name that the newest GenAI conventions give a provider; unknown ones as sent."""
    if name is None:
        return None
    folded = name.strip().lower()
    return _NAMES.get(folded, folded) or None


def provider_of_model(model: str | None) -> str | None:
    """Return the provider that a model's name speaks of; None when anybody may serve it.

    Only for sources that name no provider. A model of OpenAI may be served by Azure: the name
    cannot tell, and the maker's own service is the likelier one.
    """
    if model is None:
        return None
    maker, _, name = model.strip().lower().rpartition("/")
    if maker and (known := maker.partition("/")[0]) in _ROUTES:
        return normalise_provider(known)
    if _BEDROCK_MODEL.match(name):
        return "aws.bedrock"
    return next((ours for start, ours in _MODEL_STARTS if name.startswith(start)), None)
