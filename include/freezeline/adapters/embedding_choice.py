"""Which runtime embeds: the fast one where it agrees with torch, torch otherwise."""

from collections.abc import Callable
from functools import cached_property

from include.freezeline.adapters.embedding_export import Portable
from include.freezeline.adapters.embedding_openvino import OpenVinoRuntime, runtime_name
from include.freezeline.adapters.embedding_precision import best_precision, cpu_flags
from include.freezeline.adapters.embedding_runtime import (
    MIN_COSINE,
    PROBES,
    EmbeddingRuntime,
    cosines,
)
from include.freezeline.adapters.embedding_store import ModelStore, model_identity
from include.freezeline.adapters.embedding_torch import PACKAGED, TorchRuntime, load_torch
from include.freezeline.errors import ConfigError
from include.freezeline.settings import Settings

_FOLDER = "embedding_models"


class RuntimeChoice:
    """The runtime of the settings; knows its name before anything is loaded."""

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        """Set up without loading anything.

        Args:
            settings: Model, runtime and precision that are asked for, and the cache folder.
            tell: Told what was chosen and why.
        """
        self._settings = settings
        self._model_id = settings.embedding_model or PACKAGED
        self._tell = tell

    @cached_property
    def model(self) -> str:
        """The model with a digest of its files."""
        return model_identity(self._model_id)

    @property
    def expected(self) -> str:
        """The name of the runtime that will be opened, unless it fails its check."""
        if self._settings.embedding_runtime == "torch":
            return TorchRuntime.name
        kept = self._store.load()
        if kept is not None and kept.reason is not None:
            return TorchRuntime.name
        return runtime_name(self._precisions[0])

    def open(self) -> EmbeddingRuntime:
        """Load the runtime.

        Raises:
            ConfigError: The model is not there, or OpenVINO is asked for and cannot be used.
        """
        if self._settings.embedding_runtime == "torch":
            return self._torch
        try:
            return self._checked_openvino()
        except ConfigError:
            raise
        except Exception as error:  # Whatever a library raises, torch is there.
            return self._fall_back(f"it fails with {type(error).__name__}", error)

    @cached_property
    def _store(self) -> ModelStore:
        """Where the converted model is."""
        return ModelStore(self._settings.cache_dir / _FOLDER, self.model)

    @cached_property
    def _torch(self) -> TorchRuntime:
        """The reference; loaded once, however often it is asked for."""
        return load_torch(self._model_id)

    @property
    def _precisions(self) -> tuple[str, ...]:
        """Precisions to try, the fastest first."""
        asked = self._settings.embedding_precision
        if asked != "auto":
            return (asked,)
        return tuple(dict.fromkeys((best_precision(cpu_flags()), "f32")))

    def _checked_openvino(self) -> EmbeddingRuntime:
        """Return OpenVINO in the first precision that agrees with the reference."""
        kept = self._store.load() or self._store.make(lambda: self._torch)
        if kept.reason is not None:
            return self._fall_back(f"the model is not for it: {kept.reason}")
        cosine = 0.0
        for precision in self._precisions:
            runtime = OpenVinoRuntime(kept, precision)
            cosine = least_cosine(runtime, kept)
            if cosine >= MIN_COSINE:
                self._tell(f"embedding with {runtime.name}, least cosine to torch {cosine:.5f}")
                return runtime
        return self._fall_back(f"its least cosine to torch is {cosine:.4f}, below {MIN_COSINE}")

    def _fall_back(self, reason: str, cause: Exception | None = None) -> EmbeddingRuntime:
        """Return torch, saying why; refuse when OpenVINO was asked for.

        Raises:
            ConfigError: It was.
        """
        if self._settings.embedding_runtime == "openvino":
            message = (
                f"FREEZELINE_EMBEDDING_RUNTIME: openvino cannot embed with {self._model_id!r}: "
                f"{reason} (set it to auto or torch)"
            )
            raise ConfigError(message) from cause
        self._tell(f"embedding with {TorchRuntime.name}, not with OpenVINO: {reason}")
        return self._torch


def least_cosine(runtime: EmbeddingRuntime, portable: Portable) -> float:
    """Return the smallest cosine of a runtime to the reference over the probe texts.

    No number where a row is none, which no comparison passes.
    """
    return float(cosines(runtime.encode(PROBES), portable.reference).min())
