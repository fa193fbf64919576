"""The compose file is accepted by docker-compose, and offers nothing to the outside by accident."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from workers.channel_settings import ChannelSettings
from workers.feedback_settings import FeedbackSettings
from workers.inbound_settings import InboundDoorSettings
from workers.mail_settings import MailSettings
from workers.page_settings import PageSettings
from workers.process_settings import ProcessSettings
from workers.settings import (
    ApiSettings,
    CodecSettings,
    DatabaseSettings,
    DeliverySettings,
    InboundSettings,
    JourneySettings,
    MailboxSettings,
    RouterSettings,
    read_settings,
)

CLONE = Path(__file__).resolve().parents[2]
GIVEN = {
    "POSTGRES_PASSWORD": "p-owner",
    "CLEW_DATABASE_PASSWORD": "p-running",
    "TEMPORAL_DATABASE_PASSWORD": "p-temporal",
    "CLEW_SECRET": "s" * 32,
}
PROFILES = {"try": {"mailbox"}, "inspect": {"temporal-ui", "codec"}, "inbound": {"inbound"}}
"""What begins only when it is asked for."""
KINDS: dict[str, type[ProcessSettings]] = {
    "journey": JourneySettings,
    "delivery": DeliverySettings,
    "router": RouterSettings,
    "api": ApiSettings,
    "inbound": InboundSettings,
    "codec": CodecSettings,
    "mailbox": MailboxSettings,
}


def compose(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")} | settings
    return subprocess.run(
        [
            "docker-compose",
            *(word for profile in PROFILES for word in ("--profile", profile)),
            *("-f", CLONE / "docker-compose.yml", *arguments),
        ],
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
    config = compose("config", "--quiet", **GIVEN | {"POSTGRES_PASSWORD": "p@ss/word"})

    assert config.returncode == 0, config.stderr


@pytest.mark.needs("docker-compose")
@pytest.mark.parametrize("missing", sorted(GIVEN))
def test_no_password_and_no_secret_is_assumed(missing: str) -> None:
    given = {name: value for name, value in GIVEN.items() if name != missing}

    config = compose("config", "--quiet", **given)

    assert config.returncode != 0
    assert missing in config.stderr


def test_every_process_of_ours_is_there(services: dict[str, Any]) -> None:
    ours = {service["command"][-1] for service in services.values() if "command" in service}

    assert set(KINDS) <= ours


def test_what_people_look_at_begins_only_when_it_is_asked_for(services: dict[str, Any]) -> None:
    asked = {
        name: service["profiles"] for name, service in services.items() if "profiles" in service
    }

    assert asked == {name: [profile] for profile, names in PROFILES.items() for name in names}
    for name, service in services.items():
        if name not in asked:
            assert not set(service.get("depends_on", ())) & set(asked), name


@pytest.mark.needs("docker-compose")
def test_a_plain_start_starts_what_works_for_customers_alone() -> None:
    """As docker-compose reads it: who has a profile begins only where that is named."""
    config = compose("config", **GIVEN)

    read = yaml.safe_load(config.stdout)["services"]
    plain = {name for name, service in read.items() if not service.get("profiles")}
    assert plain == {
        *("postgres", "temporal-role", "temporal-schema", "temporal", "prepare"),
        *("api", "router", "journey", "delivery"),
    }


OWNERS = {"postgres", "temporal-role", "temporal-schema", "prepare"}
"""Who has the password of the tables' owner: the server, and jobs that end."""


def test_only_jobs_that_end_have_the_owners_password(services: dict[str, Any]) -> None:
    files = yaml.safe_load((CLONE / "deploy/compose.secrets.yml").read_text())["services"]
    for name, service in services.items():
        told = str(service.get("environment", {}))
        assert ("${POSTGRES_PASSWORD" in told) == (name in OWNERS), name
        assert ("postgres_password" in files.get(name, {}).get("secrets", ())) == (name in OWNERS)
    assert set(OWNERS) - {"postgres"} == JOBS


@pytest.mark.needs("docker-compose")
def test_each_reaches_postgresql_as_a_role_of_its_own() -> None:
    environments = rendered()

    for name in set(KINDS) - {"mailbox"}:
        told = environments[name]
        assert told["CLEW_DATABASE_URL"] == "postgresql://clew_running@postgres:5432/clew", name
        assert told["PGPASSWORD"] == "p-running", name
        assert not {"p-owner", "p-temporal"} & set(map(str, told.values())), name
    server, prepare = environments["temporal"], environments["prepare"]
    assert (server["POSTGRES_USER"], server["POSTGRES_PWD"]) == ("temporal", "p-temporal")
    assert prepare["CLEW_OWNER_DATABASE_URL"] == "postgresql://clew@postgres:5432/clew"
    assert (prepare["PGPASSWORD"], prepare["CLEW_DATABASE_PASSWORD"]) == ("p-owner", "p-running")


def rendered(**settings: str) -> dict[str, Any]:
    """The environment of each service, as docker-compose makes it."""
    config = compose("config", **GIVEN | settings)
    assert config.returncode == 0, config.stderr
    found = yaml.safe_load(config.stdout)["services"]
    return {name: service.get("environment", {}) for name, service in found.items()}


def read_as_given(name: str, environment: dict[str, Any], **more: str) -> Any:
    with pytest.MonkeyPatch.context() as process:
        for variable, value in (environment | more).items():
            process.setenv(variable, str(value))
        return read_settings(KINDS[name])


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """The environments of an installation that was told more than it must be."""
    return rendered(
        CLEW_REPLY_DOMAIN="reply.clew.example",
        CLEW_INBOX="on",
        CLEW_SLACK_TOKEN="xoxb-1",
        CLEW_PHONE_REGION="CZ",
    )


@pytest.mark.needs("docker-compose")
def test_each_process_of_ours_is_given_the_settings_it_needs(told: dict[str, Any]) -> None:
    for name in KINDS:
        read_as_given(name, told[name])


@pytest.mark.needs("docker-compose")
def test_without_a_setting_of_theirs_no_channel_and_no_door_is_open() -> None:
    environments = rendered()
    delivery = read_as_given("delivery", environments["delivery"])
    api = read_as_given("api", environments["api"])

    assert (delivery.mail_by, delivery.inbox, delivery.apprise_services) == ("smtp", "off", [])
    senders = (delivery.twilio_sms_from, delivery.twilio_whatsapp_from, delivery.fcm_account)
    assert not any((*senders, delivery.vapid_key, delivery.slack_token, delivery.webhook_secret))
    assert not any((api.staff_token, api.inbound_secret, api.slack_signing_secret, api.ses_topic))


@pytest.mark.needs("docker-compose")
def test_a_channel_is_switched_on_from_the_environment_and_its_secret_may_stand_in_a_file(
    told: dict[str, Any], tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("w" * 32 + "\n")

    delivery = read_as_given(
        "delivery", told["delivery"], CLEW_WEBHOOK_SECRET_FILE=str(secret), CLEW_CALLS_HOSTS='["*"]'
    )

    assert (delivery.inbox, delivery.phone_region) == ("on", "CZ")
    assert delivery.slack_token.get_secret_value() == "xoxb-1"
    assert delivery.webhook_secret.get_secret_value() == "w" * 32


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("delivery", (MailSettings, ChannelSettings)),
        ("api", (InboundDoorSettings, FeedbackSettings, PageSettings)),
    ],
)
def test_every_setting_of_channels_doors_and_pages_is_passed_on(
    services: dict[str, Any], name: str, parts: tuple[type[ProcessSettings], ...]
) -> None:
    ours = {field for part in parts for field in part.model_fields}
    ours -= set(ProcessSettings.model_fields)

    assert {f"CLEW_{field.upper()}" for field in ours} <= set(services[name]["environment"])


def test_no_secret_has_a_default(services: dict[str, Any]) -> None:
    secrets = {
        f"CLEW_{field.upper()}"
        for kind in KINDS.values()
        for field, read in kind.model_fields.items()
        if "SecretStr" in str(read.annotation) and field != "smtp_url"
    }
    given = [
        (variable, str(value))
        for service in services.values()
        for variable, value in service.get("environment", {}).items()
        if variable in secrets
    ]

    assert len(given) > 10
    assert all(value.startswith((f"${{{name}:-}}", f"${{{name}:?")) for name, value in given)


def secrets_of(kind: type[ProcessSettings]) -> set[str]:
    return {
        f"CLEW_{field.upper()}"
        for field, read in kind.model_fields.items()
        if "SecretStr" in str(read.annotation)
    } | ({"PGPASSWORD"} if issubclass(kind, DatabaseSettings) else set())


def test_each_process_is_given_the_secrets_that_it_works_with_and_no_other(
    services: dict[str, Any],
) -> None:
    every = set[str]().union(*map(secrets_of, KINDS.values()))
    files = yaml.safe_load((CLONE / "deploy/compose.secrets.yml").read_text())["services"]
    for name, kind in KINDS.items():
        in_files = files.get(name, {}).get("environment", {})
        held = set(services[name]["environment"]) & every
        held |= {each.removesuffix("_FILE") for each in in_files if each.endswith("_FILE")}

        assert held <= secrets_of(kind), name
    assert set(services["mailbox"]["environment"]) & every == set()
    assert set(services["router"]["environment"]) & every == {
        *("CLEW_SECRET", "CLEW_HISTORY_KEYS", "PGPASSWORD")
    }
    assert set(services["prepare"].get("environment", ())) & every <= {"PGPASSWORD"}


def test_ports_are_open_to_this_machine_only(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


JOBS = {"prepare", "temporal-role", "temporal-schema"}


def test_every_service_comes_back_after_a_crash_and_a_job_ends(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert service["restart"] == ("on-failure" if name in JOBS else "unless-stopped"), name


def test_every_service_says_whether_it_is_well(services: dict[str, Any]) -> None:
    for name, service in services.items():
        told = service.get("healthcheck", {"disable": True})
        assert ("test" in told) == (name not in JOBS), name
        assert name not in JOBS or told == {"disable": True}


def test_nobody_is_root_or_can_become_it(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert int(service["user"].split(":")[0]) > 0, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service), name


def test_nothing_can_be_written_but_what_goes_with_the_container(services: dict[str, Any]) -> None:
    for name, service in services.items():
        writable = [volume for volume in service.get("volumes", []) if not volume.endswith(":ro")]
        assert service["read_only"] is True, name
        assert writable == (["postgres:/var/lib/postgresql"] if name == "postgres" else []), name


def test_nobody_takes_the_machine_from_the_others(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert {"mem_limit", "pids_limit"} <= set(service), name
        assert {"max-size", "max-file"} <= set(service["logging"]["options"]), name


def test_what_is_under_way_has_the_time_it_was_promised_to_end(services: dict[str, Any]) -> None:
    promised = ProcessSettings.model_fields["drain_seconds"].default

    for name in KINDS:
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > promised


def test_each_image_is_of_a_version(services: dict[str, Any]) -> None:
    for name, service in services.items():
        _, _, tag = service["image"].partition(":")
        ours = service["image"].startswith("clew:")
        assert tag, name
        assert ours or "latest" not in tag, name


@pytest.mark.needs("docker-compose")
def test_routers_and_workers_are_scaled_by_one_line() -> None:
    config = compose("config", **GIVEN, CLEW_ROUTERS="3", CLEW_JOURNEY_WORKERS="5")

    found = yaml.safe_load(config.stdout)["services"]
    assert found["router"]["deploy"]["replicas"] == 3
    assert found["journey"]["deploy"]["replicas"] == 5


@pytest.mark.needs("docker-compose")
def test_with_secrets_in_files_no_environment_holds_one(tmp_path: Path) -> None:
    copy = _copied(tmp_path)
    made = _secrets(copy, "--files")

    config = subprocess.run(
        ["docker-compose", "config"],
        env={"PATH": os.environ["PATH"]},
        cwd=copy,
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    secrets = [file.read_text() for file in (copy / "secrets").iterdir()]
    assert made.returncode == 0, made.stderr
    assert len(secrets) == 5
    assert all(len(secret) == 64 for secret in secrets)
    assert not [secret for secret in secrets if secret in config]
    for name, service in yaml.safe_load(config)["services"].items():
        values = [str(value) for value in service.get("environment", {}).values()]
        assert "in-a-file" not in values, name


def test_secrets_are_made_once_and_nobody_else_reads_them(tmp_path: Path) -> None:
    copy = _copied(tmp_path)
    _secrets(copy)
    first = (copy / ".env").read_text()

    again, other = _secrets(copy), _secrets(copy, "--files")
    lines = (copy / ".env").read_text().splitlines()

    assert (copy / ".env").read_text() == first
    assert (copy / ".env").stat().st_mode & 0o077 == 0
    assert again.returncode == 0
    assert other.returncode == 1
    assert "in-a-file" in other.stderr
    assert not (copy / "secrets").exists()
    assert {line.partition("=")[0] for line in lines} == {*GIVEN, "CLEW_STAFF_TOKEN"}
    assert len({line.partition("=")[2] for line in lines}) == len(lines)


@pytest.mark.parametrize("words", [(), ("--files",)])
def test_made_again_after_an_upgrade_secrets_gain_what_is_new_where_they_began(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    copy = _copied(tmp_path)
    (copy / "secrets").mkdir()
    (copy / "secrets/postgres_password").write_text("of before")
    (copy / ".env").write_text("POSTGRES_PASSWORD=in-a-file\nCLEW_SECRET=in-a-file\n")

    made = _secrets(copy, *words)

    assert made.returncode == 0, made.stderr
    assert "CLEW_DATABASE_PASSWORD=in-a-file" in (copy / ".env").read_text().splitlines()
    assert (copy / "secrets/postgres_password").read_text() == "of before"
    assert len((copy / "secrets/clew_database_password").read_text()) == 64


def _copied(folder: Path) -> Path:
    (folder / "deploy").mkdir()
    for name in ("docker-compose.yml", "deploy/secrets.sh", "deploy/compose.secrets.yml"):
        shutil.copy(CLONE / name, folder / name)
    return folder


def _secrets(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", folder / "deploy/secrets.sh", *words], check=False, capture_output=True, text=True
    )


def test_the_image_runs_without_root() -> None:
    lines = (CLONE / "Dockerfile").read_text().splitlines()

    assert lines.index("USER 10001:10001") > max(
        number for number, line in enumerate(lines) if line.startswith("FROM ")
    )
