"""Where converted models are kept: one folder each, written once and renamed into place."""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from include.freezeline.adapters.embedding_export import Portable, read_portable, write_portable
from include.freezeline.adapters.embedding_runtime import PROBES
from include.freezeline.adapters.embedding_torch import TorchRuntime, model_folder
from include.freezeline.hashing import stable_hash

_FORMAT = 1
_PACKAGES = ("openvino", "torch", "transformers", "sentence-transformers", "tokenizers")


def model_identity(model_id: str) -> str:
    """Return a model's name with a digest of its files, so that other weights are another model.

    Args:
        model_id: Folder of the model, its name in the local cache, or the packaged one.

    Raises:
        ConfigError: There is no such model on this machine.
    """
    folder = model_folder(model_id)
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if _is_part(path, folder)):
        digest.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_size}\n".encode())
        # All of it: who fine-tunes some layers changes neither end of the file.
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"{model_id}@{digest.hexdigest()[:16]}"


def _is_part(path: Path, folder: Path) -> bool:
    """Whether a file decides what a model computes."""
    is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return path.is_file() and not is_hidden and path.suffix not in {".md", ".py", ".pyc"}


class ModelStore:
    """The converted form of one model."""

    def __init__(self, root: Path, identity: str) -> None:
        """Remember where it is; another version of any library makes another folder."""
        versions = {name: version(name) for name in _PACKAGES}
        self._root = root
        self._prefix = re.sub(r"[^A-Za-z0-9._-]+", "-", identity)[-80:] + "."
        self._folder = root / (self._prefix + stable_hash(_FORMAT, versions, PROBES)[:16])

    def load(self) -> Portable | None:
        """Return the converted model; None when it has to be made."""
        return read_portable(self._folder)

    def make(self, open_torch: Callable[[], TorchRuntime]) -> Portable:
        """Convert the model; a process that does the same meanwhile does no harm.

        Args:
            open_torch: Loads the model.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=self._root))
        try:
            write_portable(open_torch(), partial)
            self._put(partial)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        made = self.load()
        if made is None:
            message = f"{self._folder}: the converted model cannot be read back"
            raise OSError(message)
        return made

    def _put(self, partial: Path) -> None:
        """Rename a finished folder into place and remove what other versions left."""
        for old in self._root.glob(self._prefix + "*"):
            # A folder that can be read is that of a process that was faster.
            if old != self._folder or read_portable(old) is None:
                shutil.rmtree(old, ignore_errors=True)
        partial.chmod(0o755)
        try:
            partial.rename(self._folder)
        except OSError:
            if read_portable(self._folder) is None:
                raise
