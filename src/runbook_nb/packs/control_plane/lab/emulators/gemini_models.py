"""The models that the Gemini emulator serves."""

from dataclasses import dataclass
from typing import Any, Final

# The agent's model, and the one that stands in for it.
USUAL: Final = "gemini-2.5-flash"
FALLBACK: Final = "gemini-2.5-flash-lite"
_GENERATE: Final = ("generateContent", "streamGenerateContent", "countTokens")
_EMBED: Final = ("embedContent", "batchEmbedContents", "countTokens")


@dataclass(frozen=True, kw_only=True)
class Model:
    """One model: what it can be asked, and how much text goes in and out."""

    version: str
    title: str
    methods: tuple[str, ...] = _GENERATE
    input_limit: int = 1_048_576
    output_limit: int = 65_536

    @property
    def embeds(self) -> bool:
        """Whether it makes vectors and no text."""
        return "embedContent" in self.methods

    @property
    def kind(self) -> str:
        """Whose quotas hold for it."""
        return "embed" if self.embeds else "generate"


MODELS: Final = {
    "gemini-2.5-flash": Model(version="001", title="Gemini 2.5 Flash"),
    "gemini-2.5-flash-lite": Model(version="001", title="Gemini 2.5 Flash-Lite"),
    "gemini-2.5-pro": Model(version="2.5", title="Gemini 2.5 Pro"),
    "gemini-embedding-001": Model(
        version="001",
        title="Gemini Embedding 001",
        methods=_EMBED,
        input_limit=2_048,
        output_limit=1,
    ),
    "gemini-embedding-2": Model(
        version="2", title="Gemini Embedding 2", methods=_EMBED, input_limit=8_192, output_limit=1
    ),
}


def shown(name: str) -> dict[str, Any]:
    """Return a model as the API lists it."""
    model = MODELS[name]
    return {
        "name": f"models/{name}",
        "version": model.version,
        "displayName": model.title,
        "description": f"Stable version of {model.title}.",
        "inputTokenLimit": model.input_limit,
        "outputTokenLimit": model.output_limit,
        "supportedGenerationMethods": list(model.methods),
    }
