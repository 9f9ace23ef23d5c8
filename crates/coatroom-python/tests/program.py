"""The program `coatroom`, as the guide for administrators has it run."""

import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[3]
GUIDE = ROOT / "docs/plone.md"
PROGRAM = ROOT / "target/debug/coatroom"


def copy(target, source=None, cwd=None):
    """Runs the guide's `coatroom copy`, to another server, and from another directory where that is named.
    Skips the test where there is no program, loudly."""
    if not PROGRAM.exists():
        text = f"{PROGRAM} is not there: nothing was copied; `cargo build -p coatroom-server` makes it"
        if os.environ.get("COATROOM_TEST_SERVERS") == "required":
            pytest.fail(text)
        pytest.skip(text)
    (line,) = re.findall(r"^coatroom copy .*$", GUIDE.read_text(), re.MULTILINE)
    _program, copy, from_, directory, to, _server = line.split()
    command = [PROGRAM, copy, from_, source or directory, to, target]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
