"""What the delivery process is told of desks with tickets, where staff work in Zendesk or Salesforce."""

from collections.abc import Callable
from datetime import datetime
from typing import Self
from urllib.parse import urlsplit

from pydantic import SecretStr, model_validator

from channels.salesforce import SalesforceDesk
from channels.zendesk import ZendeskDesk
from workers.process_settings import ProcessSettings


class TicketDeskSettings(ProcessSettings):
    """Zendesk and Salesforce: each is on where all that it needs is set."""

    zendesk_url: str | None = None
    """Shows cases in Zendesk: https://house.zendesk.com."""
    zendesk_email: str | None = None
    """Whose API token it is: an agent's address in Zendesk."""
    zendesk_token: SecretStr | None = None
    """That agent's API token."""
    zendesk_decision_field: int | None = None
    """The id of the custom text field into which staff write what they decide."""
    zendesk_queues: list[str] = []
    """Of which queues cases are shown there, JSON ["complaints"]; of all where unset."""
    salesforce_url: str | None = None
    """Shows cases in Salesforce: the My Domain address, https://house.my.salesforce.com."""
    salesforce_client_id: str | None = None
    """The consumer key of the connected app, with the client credentials flow."""
    salesforce_client_secret: SecretStr | None = None
    """Its consumer secret."""
    salesforce_case_field: str = "Clew_Case__c"
    """The custom field of Case that holds our id: text, external id, unique."""
    salesforce_decision_field: str = "Clew_Decision__c"
    """The custom field of Case into which staff write what they decide."""
    salesforce_queues: list[str] = []
    """Of which queues cases are shown there, JSON ["complaints"]; of all where unset."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        needed = {
            "CLEW_ZENDESK_": (self.zendesk_url, self.zendesk_email, self.zendesk_token, self.zendesk_decision_field),
            "CLEW_SALESFORCE_": (self.salesforce_url, self.salesforce_client_id, self.salesforce_client_secret),
        }  # fmt: skip
        names = {
            "CLEW_ZENDESK_": "URL, EMAIL, TOKEN and DECISION_FIELD",
            "CLEW_SALESFORCE_": "URL, CLIENT_ID and CLIENT_SECRET",
        }
        for prefix, told in needed.items():
            if any(told) and not all(told):
                raise ValueError(f"{prefix}…: {names[prefix]} go together")
        for url in (self.zendesk_url, self.salesforce_url):
            split = urlsplit(url or "https://")
            at_home = split.hostname in ("127.0.0.1", "::1", "localhost")
            if split.scheme != "https" and not (split.scheme == "http" and at_home):
                raise ValueError(f"{url}: begins with https://")
        return self

    def ticket_desks(self, now: Callable[[], datetime]) -> list[ZendeskDesk | SalesforceDesk]:
        """Those that are on. Close them."""
        desks: list[ZendeskDesk | SalesforceDesk] = []
        if (
            self.zendesk_url
            and self.zendesk_email
            and self.zendesk_token
            and self.zendesk_decision_field
        ):
            desks.append(
                ZendeskDesk(
                    self.zendesk_url,
                    self.zendesk_email,
                    self.zendesk_token.get_secret_value(),
                    self.zendesk_decision_field,
                    now=now,
                    queues=self.zendesk_queues,
                )
            )
        if self.salesforce_url and self.salesforce_client_id and self.salesforce_client_secret:
            desks.append(
                SalesforceDesk(
                    self.salesforce_url,
                    self.salesforce_client_id,
                    self.salesforce_client_secret.get_secret_value(),
                    now=now,
                    case_field=self.salesforce_case_field,
                    decision_field=self.salesforce_decision_field,
                    queues=self.salesforce_queues,
                )
            )
        return desks
