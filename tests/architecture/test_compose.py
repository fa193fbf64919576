"""The compose file is accepted by docker-compose, and offers nothing to the outside by accident."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from workers.settings import (
    ApiSettings,
    DeliverySettings,
    JourneySettings,
    MailboxSettings,
    RouterSettings,
    read_settings,
)

CLONE = Path(__file__).resolve().parents[2]


def compose(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | settings
    return subprocess.run(
        ["docker-compose", "-f", CLONE / "docker-compose.yml", *arguments],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return yaml.safe_load((CLONE / "docker-compose.yml").read_text())["services"]


@pytest.mark.needs("docker-compose")
def test_docker_compose_accepts_the_file() -> None:
    config = compose("config", "--quiet", POSTGRES_PASSWORD="p@ss/word", CLEW_SECRET="s" * 32)

    assert config.returncode == 0, config.stderr


@pytest.mark.needs("docker-compose")
@pytest.mark.parametrize("missing", ["POSTGRES_PASSWORD", "CLEW_SECRET"])
def test_no_password_and_no_secret_is_assumed(missing: str) -> None:
    given = {"POSTGRES_PASSWORD": "p", "CLEW_SECRET": "s" * 32}
    del given[missing]

    config = compose("config", "--quiet", **given)

    assert config.returncode != 0
    assert missing in config.stderr


def test_every_process_of_ours_is_there(services: dict[str, Any]) -> None:
    ours = {service["command"][-1] for service in services.values() if "command" in service}

    assert {"api", "router", "journey", "delivery", "mailbox"} <= ours


@pytest.mark.needs("docker-compose")
def test_each_process_of_ours_is_given_the_settings_it_needs() -> None:
    kinds = {
        "journey": JourneySettings,
        "delivery": DeliverySettings,
        "router": RouterSettings,
        "api": ApiSettings,
        "mailbox": MailboxSettings,
    }
    config = compose("config", POSTGRES_PASSWORD="p", CLEW_SECRET="s" * 32)
    rendered = yaml.safe_load(config.stdout)["services"]

    for name, kind in kinds.items():
        with pytest.MonkeyPatch.context() as environment:
            for variable, value in rendered[name]["environment"].items():
                environment.setenv(variable, str(value))
            read_settings(kind)


def test_ports_are_open_to_this_machine_only(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_service_comes_back_after_a_crash(services: dict[str, Any]) -> None:
    assert all("restart" in service for service in services.values())


def test_the_image_runs_without_root() -> None:
    lines = (CLONE / "Dockerfile").read_text().splitlines()

    assert lines.index("USER clew") > max(
        number for number, line in enumerate(lines) if line.startswith("FROM ")
    )
