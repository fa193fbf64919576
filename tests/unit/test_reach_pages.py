"""What the pages on reaching people show is true: files pass the check, settings and commands exist."""

import re
from pathlib import Path
from typing import get_args

import pytest

from journey.delivery_policy import Refusal
from journey.house_policy import HousePolicy
from journey.identity_rules import read_identities
from journey.policy_file import read_policy
from workers.channel_settings import ChannelSettings
from workers.feedback_settings import FeedbackSettings
from workers.inbound_settings import InboundDoorSettings
from workers.mail_settings import MailSettings
from workers.page_settings import PageSettings
from workers.process_settings import ProcessSettings
from workers.settings import ApiSettings, DeliverySettings, InboundSettings

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("channels", "messages", "moment", "identities", "policy", "pages-of-customers")
TEXTS = {name: (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in PAGES}
KNOWN = {
    f"CLEW_{field.upper()}"
    for kind in (ApiSettings, DeliverySettings, InboundSettings)
    for field in kind.model_fields
}


def yaml_of(name: str) -> str:
    [source] = re.findall(r"```yaml\n(.*?)```", TEXTS[name], flags=re.DOTALL)
    return source


def test_the_policy_passes_the_check_and_shows_each_part() -> None:
    policy = read_policy(yaml_of("policy"), "policy.yaml")

    assert policy.model_fields_set == set(HousePolicy.model_fields)
    assert all(f"| `{part}` |" in TEXTS["policy"] for part in HousePolicy.model_fields)


def test_the_rules_of_who_is_who_pass_the_check() -> None:
    read_identities(yaml_of("identities"), "identities.yaml")


def test_every_reason_of_a_refusal_is_on_the_page_of_the_policy() -> None:
    assert [reason for reason in get_args(Refusal) if f"`{reason}`" not in TEXTS["policy"]] == []


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("channels", (ChannelSettings, MailSettings, FeedbackSettings, InboundDoorSettings)),
        ("pages-of-customers", (PageSettings,)),
    ],
)
def test_every_setting_is_on_its_page(name: str, parts: tuple[type[ProcessSettings], ...]) -> None:
    ours = {field for part in parts for field in part.model_fields}
    ours -= {*ProcessSettings.model_fields, "secret", "public_url"}

    assert [each for each in sorted(ours) if f"CLEW_{each.upper()}" not in TEXTS[name]] == []


@pytest.mark.parametrize("name", PAGES)
def test_no_page_names_a_setting_or_a_command_that_does_not_exist(name: str) -> None:
    from typer.main import get_command

    from cli.main import app

    commands = set(get_command(app).commands)  # type: ignore[attr-defined]  # a group of commands
    told = set(re.findall(r"\bCLEW_[A-Z_]+[A-Z]\b", TEXTS[name]))
    named = set(re.findall(r"(?:^|`)clew ([a-z][a-z-]+)", TEXTS[name], flags=re.MULTILINE))

    assert {each.removesuffix("_FILE") for each in told} - KNOWN == set()
    assert named - commands == set()


@pytest.mark.parametrize("name", PAGES)
def test_its_links_lead_to_files_that_are_there(name: str) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|\{\{)([^)#\s]+)", TEXTS[name])

    assert [link for link in links if not (DOCS / link).exists()] == []
