"""Build the warehouse of the home in the environment, so that a bench can watch the process."""

import os
import sys
from datetime import datetime

from include.freezeline.jobs.build import build
from include.freezeline.settings import load_settings

if __name__ == "__main__":
    build(load_settings(os.environ), datetime.fromisoformat(sys.argv[1]))
