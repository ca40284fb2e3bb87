"""``python -m aerocast_agent.cli``: for the daemon, which starts commands beside itself."""

import sys

from aerocast_agent.cli import main

sys.exit(main())
