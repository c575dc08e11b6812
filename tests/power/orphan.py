"""A command that outlives a killed client by a moment: `orphan.py MARK`."""

import sys
import time
from pathlib import Path

Path(sys.argv[1]).touch()
time.sleep(1)
