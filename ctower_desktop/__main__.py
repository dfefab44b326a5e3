"""The program: `ctower`, or `python -m ctower_desktop`."""

import sys

from ctower_desktop.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
