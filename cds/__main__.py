"""``python -m cds`` is the command `cds`."""

import sys

from cds.cli import main

sys.exit(main())
