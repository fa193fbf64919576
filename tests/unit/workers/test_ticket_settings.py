"""Where cases are shown in Zendesk and Salesforce is told whole, or not at all."""

from datetime import UTC, datetime

import pytest

from workers.settings import SettingsError, read_settings
from workers.ticket_settings import TicketDeskSettings

ZENDESK = {
    "CLEW_ZENDESK_URL": "https://house.zendesk.com", "CLEW_ZENDESK_EMAIL": "bot@house.example",
    "CLEW_ZENDESK_TOKEN": "t", "CLEW_ZENDESK_DECISION_FIELD": "360001",
}  # fmt: skip
SALESFORCE = {
    "CLEW_SALESFORCE_URL": "https://house.my.salesforce.com", "CLEW_SALESFORCE_CLIENT_ID": "app",
    "CLEW_SALESFORCE_CLIENT_SECRET": "s",
}  # fmt: skip


def desks(monkeypatch: pytest.MonkeyPatch, told: dict[str, str]) -> list[str]:
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    read = read_settings(TicketDeskSettings)
    return [each.name for each in read.ticket_desks(lambda: datetime.now(UTC))]


@pytest.mark.parametrize(
    ("told", "names"),
    [({}, []), (ZENDESK, ["zendesk"]), (SALESFORCE, ["salesforce"]), (ZENDESK | SALESFORCE, ["zendesk", "salesforce"])],
)  # fmt: skip
def test_a_desk_is_on_where_all_that_it_needs_is_set(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, str], names: list[str]
) -> None:
    assert desks(monkeypatch, told) == names


@pytest.mark.parametrize("missing", [*ZENDESK, *SALESFORCE])
def test_what_is_told_by_half_stops_the_process_and_is_named(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    whole = ZENDESK if missing in ZENDESK else SALESFORCE
    told = {name: value for name, value in whole.items() if name != missing}
    with pytest.raises(SettingsError, match="go together"):
        desks(monkeypatch, told)


def test_a_token_never_travels_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="https://"):
        desks(monkeypatch, ZENDESK | {"CLEW_ZENDESK_URL": "http://house.zendesk.com"})
