"""What is installed once for all tests of the units."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    why = ""
    if not os.environ.get("UNIT_TEST"):
        why = "takes minutes: make unit-test"
    elif os.getuid() != 0:
        why = "namespaces need root: sudo make unit-test"
    for item in items:
        if why and item.get_closest_marker("units"):
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def installed() -> Path:
    """The folder that `make install DESTDIR=` fills; kept, so that the next run is quicker."""
    folder = ROOT / "build" / "unit-root"
    subprocess.run(
        ["image-build/install.sh", "install"],
        cwd=ROOT, env=os.environ | {"DESTDIR": str(folder)}, check=True, timeout=600,
    )  # fmt: skip
    return folder


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Shows a measured value, whether the test passes or not."""
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    capture = request.config.pluginmanager.get_plugin("capturemanager")
    assert reporter is not None
    assert capture is not None

    def write(text: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.write_line(f"\n{text}")

    return write
