"""What holds for every test."""

from __future__ import annotations

import signal

# A shell that starts `make test` in the background lets it ignore Ctrl-C, and every process that
# a test starts would inherit that; the tests send Ctrl-C themselves.
signal.signal(signal.SIGINT, signal.default_int_handler)
