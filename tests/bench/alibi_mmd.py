"""Time alibi-detect's maximum mean discrepancy; runs in an environment that has it, on its own.

``python alibi_mmd.py N COLUMNS PERMUTATIONS`` prints seconds and the p-value as JSON. Nothing of
Freezeline is imported here: alibi-detect needs older libraries than Freezeline.
"""

import json
import sys
import time

import numpy as np
from alibi_detect.cd import MMDDrift


def main() -> None:
    """Compare two windows of random unit rows."""
    n, n_columns, n_permutations = map(int, sys.argv[1:4])
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2 * n, n_columns)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    began, cpu_s = time.perf_counter(), time.process_time()
    detector = MMDDrift(rows[:n], backend="pytorch", n_permutations=n_permutations)
    found = detector.predict(rows[n:])
    print(
        json.dumps(
            {
                "wall_s": time.perf_counter() - began,
                "cpu_s": time.process_time() - cpu_s,
                "p_value": float(found["data"]["p_val"]),
            }
        )
    )


if __name__ == "__main__":
    main()
