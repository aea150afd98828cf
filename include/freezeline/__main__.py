"""``python -m include.freezeline``: the command line."""

import sys

from include.freezeline.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
