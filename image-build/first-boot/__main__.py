"""`python -P /usr/lib/llmagentos/first-boot prepare|ready`."""

import sys

from first_boot.app import main

sys.exit(main())
