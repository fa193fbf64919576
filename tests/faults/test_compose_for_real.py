"""docker-compose.yml is started, killed and started again, as an operator would see it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CLONE = Path(__file__).resolve().parents[2]


@pytest.mark.faults_full
@pytest.mark.timeout(2_400)
@pytest.mark.needs("docker-compose", "go")
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("dockerd") is None,
    reason="a Docker daemon of one's own needs root and Debian's docker.io",
)
def test_an_installation_of_containers_outlives_the_death_of_each_kind_and_a_night_without_power() -> (
    None
):
    tried = subprocess.run(
        [sys.executable, "-m", "deploy.try_compose"],
        cwd=CLONE,
        check=False,
        capture_output=True,
        text=True,
    )

    print(tried.stdout)
    assert tried.returncode == 0, tried.stdout + tried.stderr
