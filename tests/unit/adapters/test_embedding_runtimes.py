"""The fast runtime gives what torch gives, for itself alone, and torch is used where it does not."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from include.freezeline.adapters import embedding_choice
from include.freezeline.adapters.embedding_cache import Float32Array
from include.freezeline.adapters.embedding_choice import RuntimeChoice
from include.freezeline.adapters.embedding_export import (
    Portable,
    read_portable,
    why_not_portable,
)
from include.freezeline.adapters.embedding_openvino import OpenVinoRuntime
from include.freezeline.adapters.embedding_precision import best_precision, cpu_flags
from include.freezeline.adapters.embedding_runtime import PROBES, cosines
from include.freezeline.adapters.embedding_store import ModelStore, model_identity
from include.freezeline.adapters.embedding_torch import PACKAGED, TorchRuntime, load_torch
from include.freezeline.adapters.embeddings import open_embedder
from include.freezeline.errors import ConfigError
from include.freezeline.settings import Settings
from tests.unit.stats.texts import answer_text

# Converting takes torch, so the files are made once for all tests here.
pytestmark = pytest.mark.slow
_HINTS = frozenset({"avx512f", "avx2", "fma"})


@pytest.fixture(scope="module")
def torch_runtime() -> TorchRuntime:
    return load_torch(PACKAGED)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory, torch_runtime: TorchRuntime) -> Path:
    """Home whose cache holds the converted model."""
    home = tmp_path_factory.mktemp("converted")
    _store(home).make(lambda: torch_runtime)
    return home


def _store(home: Path) -> ModelStore:
    root = Settings(home=home).cache_dir / "embedding_models"
    return ModelStore(root, model_identity(PACKAGED))


def _portable(home: Path) -> Portable:
    found = _store(home).load()
    assert found is not None
    return found


def _choice(home: Path, told: list[str], **settings: str) -> RuntimeChoice:
    return RuntimeChoice(Settings.model_validate({"home": home, **settings}), told.append)


def _texts() -> list[str]:
    """Return answers of many lengths, the shortest a word, the longest beyond the limit."""
    rng = np.random.default_rng(5)
    whole = [answer_text(i % 3, rng, is_other_model=i % 2 == 1) for i in range(12)]
    return [*whole, *(text[: 7 * i + 3] for i, text in enumerate(whole)), " ".join(whole), "No."]


@pytest.mark.parametrize(
    ("precision", "least"), [("f32", 0.99999), ("bf16", 0.999), ("int8", 0.99)]
)
def test_openvino_agrees_with_torch(
    converted: Path, torch_runtime: TorchRuntime, precision: str, least: float
) -> None:
    rows = OpenVinoRuntime(_portable(converted), precision).encode(_texts())
    found = cosines(rows, torch_runtime.encode(_texts()))
    assert rows.shape == (len(_texts()), 384)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(len(rows)), abs=1e-5)
    assert found.min() >= least


@pytest.mark.parametrize("precision", ["f32", "bf16", "int8"])
def test_a_row_depends_on_its_text_alone(converted: Path, precision: str) -> None:
    runtime = OpenVinoRuntime(_portable(converted), precision)
    together = runtime.encode(_texts())
    backwards = runtime.encode(_texts()[::-1])[::-1]
    alone = np.concatenate([runtime.encode([text]) for text in _texts()])
    assert np.array_equal(together, backwards)
    assert np.array_equal(together, alone)


def test_ranks_follow_meaning(converted: Path) -> None:
    told: list[str] = []
    texts = ["How do I get a refund?", "I want my money back.", "The cluster ran out of memory."]
    rows = open_embedder(Settings(home=converted), told.append)(texts)
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2
    assert any(line.startswith("embedding with openvino") for line in told), told


def _broken(*_arguments: object) -> float:
    message = "cannot compile"
    raise RuntimeError(message)


def _no_number(*_arguments: object) -> float:
    return float("nan")


def _too_far(*_arguments: object) -> float:
    return 0.98


@pytest.mark.parametrize(
    ("check", "reason"),
    [(_too_far, "0.9800, below 0.99"), (_no_number, "nan, below"), (_broken, "with RuntimeError")],
)
def test_torch_embeds_where_the_fast_runtime_fails_its_check(
    converted: Path,
    monkeypatch: pytest.MonkeyPatch,
    torch_runtime: TorchRuntime,
    check: Callable[..., float],
    reason: str,
) -> None:
    monkeypatch.setattr(embedding_choice, "least_cosine", check)
    monkeypatch.setattr(embedding_choice, "load_torch", lambda _model: torch_runtime)
    told: list[str] = []
    assert _choice(converted, told).open().name == "torch f32"
    assert "embedding with torch f32, not with OpenVINO: " in told[-1]
    assert reason in told[-1]
    with pytest.raises(ConfigError, match="FREEZELINE_EMBEDDING_RUNTIME: openvino cannot embed"):
        _choice(converted, told, embedding_runtime="openvino").open()


def test_the_check_sees_a_runtime_that_computes_something_else(converted: Path) -> None:
    portable = _portable(converted)

    class Shifted:
        name = "shifted"

        def encode(self, _texts: list[str]) -> Float32Array:
            return np.roll(portable.reference, 1, axis=0)

    assert embedding_choice.least_cosine(Shifted(), portable) < 0.9


def test_settings_choose_runtime_and_precision(converted: Path) -> None:
    told: list[str] = []
    chosen = _choice(converted, told, embedding_precision="f32")
    assert chosen.expected == chosen.open().name == "openvino f32"
    assert _choice(converted, told, embedding_runtime="torch").expected == "torch f32"
    usual = _choice(converted, told)
    assert usual.expected == usual.open().name


def test_models_made_of_other_parts_stay_with_torch(
    torch_runtime: TorchRuntime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Pooling

    transformer = torch_runtime.model[0]
    first_token = SentenceTransformer(modules=[transformer, Pooling(384, "cls")], device="cpu")
    dense = [transformer, Pooling(384, "mean"), Dense(384, 8)]
    assert why_not_portable(torch_runtime.model) is None
    assert "made of Transformer, Pooling, Dense" in str(
        why_not_portable(SentenceTransformer(modules=dense, device="cpu"))
    )
    assert "other means than the mean" in str(why_not_portable(first_token))
    loads: list[str] = []

    def load(model_id: str) -> TorchRuntime:
        loads.append(model_id)
        return TorchRuntime(first_token)

    monkeypatch.setattr(embedding_choice, "load_torch", load)
    told: list[str] = []
    assert _choice(tmp_path, told).open().name == "torch f32"
    assert "the model is not for it: it pools by other means" in told[-1]
    assert _choice(tmp_path, told).expected == "torch f32", "the reason is kept, nothing is tried"
    assert loads == [PACKAGED]


@pytest.mark.parametrize("damage", ["cut", "missing", "unreadable"])
def test_a_damaged_model_is_converted_again(
    converted: Path, tmp_path: Path, torch_runtime: TorchRuntime, damage: str
) -> None:
    shutil.copytree(converted / "cache", tmp_path / "cache")
    store = _store(tmp_path)
    folder = _portable(tmp_path).folder
    if damage == "cut":
        with (folder / "model.bin").open("r+b") as file:
            file.truncate(1000)
    elif damage == "missing":
        (folder / "tokenizer.json").unlink()
    else:
        (folder / "about.json").write_text("{", encoding="utf-8")
    assert store.load() is None
    old = folder.with_name(folder.name[:-4] + "0000")
    shutil.copytree(folder, old)
    made = store.make(lambda: torch_runtime)
    assert read_portable(folder) is not None
    assert made.reference.shape == (len(PROBES), 384)
    assert [path.name for path in folder.parent.iterdir()] == [folder.name], "old versions go"


def test_of_two_processes_that_convert_at_once_the_faster_one_wins(tmp_path: Path) -> None:
    store = _store(tmp_path)
    odd = TorchRuntime([object()])

    def slowly() -> TorchRuntime:
        store.make(lambda: odd)
        return odd

    assert store.make(slowly).reason == "it is made of object"
    root = tmp_path / "cache" / "embedding_models"
    assert [path.name[0] for path in root.iterdir()] == ["g"], "one folder and nothing half made"


def test_other_weights_are_another_model(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}", encoding="utf-8")
    (model / "model.safetensors").write_bytes(b"1" * 5_000_000)
    first = model_identity(str(model))
    (model / "README.md").write_text("says nothing of what is computed", encoding="utf-8")
    assert model_identity(str(model)) == first
    for place in (0, 2_500_000, 4_999_999):
        weights = bytearray(b"1" * 5_000_000)
        weights[place] = 50
        (model / "model.safetensors").write_bytes(weights)
        assert model_identity(str(model)) != first, "fine-tuning may change the middle alone"


@pytest.mark.parametrize("name", ["no-such-model", "nobody/no-such-model", "no such name/at/all"])
@pytest.mark.parametrize("runtime", ["auto", "torch"])
def test_a_model_that_is_not_there_is_named(tmp_path: Path, name: str, runtime: str) -> None:
    given = {"home": tmp_path, "embedding_model": name, "embedding_runtime": runtime}
    with pytest.raises(ConfigError, match=f"FREEZELINE_EMBEDDING_MODEL: cannot load '{name}'"):
        open_embedder(Settings.model_validate(given))(["text"])


@pytest.mark.parametrize(
    ("flags", "precision"),
    [
        ({"amx_bf16", "avx512_vnni", "avx512_bf16"}, "bf16"),
        ({"avx512_vnni", "avx512_bf16"}, "int8"),
        ({"avx512_vnni"}, "int8"),
        ({"avx2"}, "f32"),
        (set(), "f32"),
    ],
)
def test_precision_is_what_the_cpu_is_fast_at(flags: set[str], precision: str) -> None:
    assert best_precision(_HINTS | flags) == precision


def test_flags_are_read_where_the_kernel_tells_them(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    assert cpu_flags(path) == frozenset()
    path.write_text("processor\t: 0\nflags\t\t: fpu avx2\nbugs\t: none\n", encoding="ascii")
    assert cpu_flags(path) == {"fpu", "avx2"}


_SILENT = """
import json, os, sys
touched = []
def watch(event, arguments):
    wanted = {"socket.connect", "socket.getaddrinfo", "socket.sendto", "os.mkdir", "os.rename"}
    if event in wanted or (event == "open" and arguments[1] and set(arguments[1]) & set("wax+")):
        touched.append([event, str(arguments[0])])
sys.addaudithook(watch)
from pathlib import Path
from include.freezeline.adapters.embeddings import open_embedder
from include.freezeline.settings import Settings
embedder = open_embedder(Settings(home=Path(sys.argv[1])))
assert embedder(["one text", "another, a longer one"]).shape == (2, 384)
print(json.dumps([touched, sorted(name for name in ("torch", "openvino") if name in sys.modules)]))
"""


def test_embedding_opens_no_socket_and_writes_under_its_home_only(tmp_path: Path) -> None:
    """OpenVINO would report to Google Analytics and write ``~/intel``, each time it is imported."""
    user, home = tmp_path / "user", tmp_path / "home"
    user.mkdir()
    environ = {"HOME": str(user), "PATH": "", "PYTHONPATH": ":".join(sys.path), "TMPDIR": str(home)}
    home.mkdir()
    modules = []
    for _ in range(2):
        done = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-B", "-c", _SILENT, str(home)],
            env=environ, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        touched, loaded = json.loads(done.stdout.splitlines()[-1])
        modules.append(loaded)
        assert [event for event, _ in touched if event.startswith("socket")] == []
        assert touched, "the audit hook sees the cache being written"
        outside = [what for _, what in touched if not what.startswith((str(home), "/dev/", "<"))]
        assert [what for what in outside if not what.isdigit()] == []
        (home / "cache" / "embeddings.sqlite").unlink()
    assert list(user.iterdir()) == []
    assert modules == [["openvino", "torch"], ["openvino"]], "torch is for converting only"
