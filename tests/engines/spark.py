"""A Spark cluster for tests: a master, two workers of one core, and a Thrift server in front.

Everything lies in one folder and listens on loopback only. The catalogue lives in the Thrift
server's memory, since a test has no use for a metastore; dbt is that server's client.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.engines.ports import accepts, free_port

N_WORKERS = 2
SPARK_PACKAGES = Path(sys.prefix) / "spark"
_START_TIMEOUT_S = 120
_STOP_TIMEOUT_S = 20
_WORKER_MEMORY = "1g"
_DRIVER_MEMORY = "2g"
# Hundreds of small queries: compiling them costs more than running them slowly.
_JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_CLASSES = {
    "master": "org.apache.spark.deploy.master.Master",
    "worker": "org.apache.spark.deploy.worker.Worker",
    "thrift": "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2",
}
# What a user's cluster needs too stands in docs/how-to/choose-a-target.md; the rest makes small
# data quick and keeps everything in one folder and on loopback.
_CONFIG = """
spark.master spark://127.0.0.1:{master_port}
spark.master.rest.enabled false
spark.driver.host 127.0.0.1
spark.driver.bindAddress 127.0.0.1
spark.executor.memory {worker_memory}
spark.executor.cores 1
spark.ui.enabled false
spark.sql.catalogImplementation in-memory
spark.driver.extraJavaOptions {java_options}
spark.executor.extraJavaOptions {java_options}
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.sql.session.timeZone UTC
spark.sql.ansi.enabled true
spark.sql.warehouse.dir {root}/warehouse
spark.sql.shuffle.partitions 2
spark.sql.files.openCostInBytes 16384
spark.hive.server2.thrift.port {thrift_port}
spark.hive.server2.thrift.bind.host 127.0.0.1
"""


@dataclass(frozen=True, slots=True)
class SparkCluster:
    """A running cluster.

    Attributes:
        host: Where its Thrift server listens.
        port: The Thrift server's port.
        n_workers: Workers that have joined.
    """

    host: str
    port: int
    n_workers: int


@contextmanager
def running_spark(root: Path) -> Iterator[SparkCluster]:
    """Start a cluster that keeps its files in a folder; stop its processes after."""
    ports = {name: free_port() for name in ("master", "status", "thrift")}
    environment = _environment(root, ports)
    with ExitStack() as stack:

        def start(name: str, *words: object, **more: str) -> subprocess.Popen[bytes]:
            return stack.enter_context(_process(root, name, words, {**environment, **more}))

        status = f"http://127.0.0.1:{ports['status']}/json/"
        place = ("--host", "127.0.0.1", "--port", ports["master"], "--webui-port", ports["status"])
        run_class, submit = (_home() / "bin" / name for name in ("spark-class", "spark-submit"))
        seen = [start("master", run_class, _CLASSES["master"], *place)]
        _wait("the master", root, seen, lambda: _count_workers(status) == 0)
        for number in range(N_WORKERS):
            words = _worker_words(root, number, ports["master"])
            seen += [start(f"worker{number}", run_class, *words)]
        # The Thrift server starts beside the workers and waits for them. It sizes its heap as
        # Spark's daemons do, not by spark.driver.memory.
        words = (submit, "--class", _CLASSES["thrift"], "spark-internal")
        seen += [start("thrift", *words, SPARK_DAEMON_MEMORY=_DRIVER_MEMORY)]
        _wait("the Thrift server", root, seen, lambda: accepts(ports["thrift"]))
        _wait("the workers", root, seen, lambda: _count_workers(status) == N_WORKERS)
        yield SparkCluster("127.0.0.1", ports["thrift"], N_WORKERS)


def _home() -> Path:
    """Return the folder of the installed Spark.

    It lies beside the environment's packages and not among them: Great Expectations imports any
    pyspark it finds, which without Spark Connect's packages ends a process that runs no file.
    """
    return SPARK_PACKAGES / "pyspark"


def _environment(root: Path, ports: Mapping[str, int]) -> dict[str, str]:
    """Write the configuration and return the environment of every process."""
    (root / "conf").mkdir(parents=True)
    config = _CONFIG.format(
        root=root,
        master_port=ports["master"],
        thrift_port=ports["thrift"],
        worker_memory=_WORKER_MEMORY,
        java_options=_JAVA_OPTIONS,
    )
    (root / "conf" / "spark-defaults.conf").write_text(config.strip() + "\n")
    return dict(
        os.environ,
        SPARK_HOME=str(_home()),
        SPARK_CONF_DIR=str(root / "conf"),
        SPARK_LOCAL_IP="127.0.0.1",
        SPARK_LOCAL_DIRS=str(root / "local"),
        SPARK_DAEMON_MEMORY="256m",
        SPARK_DAEMON_JAVA_OPTS=_JAVA_OPTIONS,
        PYSPARK_PYTHON=sys.executable,
    )


def _worker_words(root: Path, number: int, master_port: int) -> tuple[object, ...]:
    """Return the command line of one worker of one core."""
    size = ("-c", 1, "-m", _WORKER_MEMORY, "-d", root / f"worker{number}")
    where = ("--host", "127.0.0.1", "--webui-port", free_port())
    return (_CLASSES["worker"], *where, *size, f"spark://127.0.0.1:{master_port}")


@contextmanager
def _process(
    root: Path, name: str, words: tuple[object, ...], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process in a session of its own; end that session, its executors too, after."""
    with (root / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own words, no shell
            [str(word) for word in words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(environment),
            cwd=root,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _count_workers(status_url: str) -> int | None:
    """Return how many workers the master has; None while it does not answer."""
    try:
        with urllib.request.urlopen(status_url, timeout=5) as answer:  # noqa: S310 - loopback
            return int(json.load(answer)["aliveworkers"])
    except (OSError, ValueError):
        return None


def _wait(
    what: str,
    root: Path,
    processes: list[subprocess.Popen[bytes]],
    is_ready: Callable[[], bool],
) -> None:
    """Wait until something is ready; give up when a process has ended."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not is_ready():
        if time.monotonic() > deadline or any(p.poll() is not None for p in processes):
            logs = "\n".join(path.read_text()[-800:] for path in sorted(root.glob("*.log")))
            message = f"{what} did not start within {_START_TIMEOUT_S} s\n{logs}"
            raise RuntimeError(message)
        time.sleep(0.1)
