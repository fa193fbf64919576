"""One click and the customer gets no more of it; a scanner that follows links changes nothing."""

import asyncio
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.unsubscribe import unsubscribe_router
from channels.unsubscribe_link import UnsubscribeLinks, Unsubscription
from stores.consents import ConsentStore
from tests.integration.delivery.conftest import ANNA, Desk

LINKS = UnsubscribeLinks("https://journeys.example", b"s" * 32)
ANNAS = Unsubscription(customer=ANNA, purpose="marketing", channel="email")
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


class Withdrawn:
    """Remembers in memory, with the store's rule: the first proof is kept."""

    def __init__(self) -> None:
        self.proofs: dict[tuple[str, str, str], str] = {}

    async def give(
        self, customer: str, purpose: str, channel: str, *, source: str, proof: str
    ) -> None:
        self.proofs.pop((customer, purpose, channel), None)

    async def withdraw(
        self, customer: str, purpose: str, channel: str, *, source: str, proof: str
    ) -> None:
        self.proofs.setdefault((customer, purpose, channel), proof)


@pytest.fixture
def withdrawn() -> Withdrawn:
    return Withdrawn()


@pytest.fixture
def browser(withdrawn: Withdrawn) -> Iterator[TestClient]:
    application = FastAPI()
    application.include_router(unsubscribe_router(LINKS, withdrawn))
    with TestClient(application) as client:
        yield client


def path() -> str:
    return f"/u/{LINKS.token(ANNAS)}"


def test_one_click_is_enough_and_its_proof_is_kept(
    browser: TestClient, withdrawn: Withdrawn
) -> None:
    told = browser.post(path(), data=ONE_CLICK, headers={"user-agent": "Mail/1"})

    assert told.status_code == 200
    (proof,) = withdrawn.proofs.values()
    assert proof == f"one-click {LINKS.token(ANNAS)} Mail/1"


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete"])
def test_only_a_post_changes_anything(
    browser: TestClient, withdrawn: Withdrawn, method: str
) -> None:
    browser.request(method, path())

    assert withdrawn.proofs == {}


def test_the_page_has_a_button_that_does_it(browser: TestClient, withdrawn: Withdrawn) -> None:
    page = browser.get(path())

    assert '<form method="post"><button type="submit">Unsubscribe</button></form>' in page.text
    assert "Done" in browser.post(path()).text
    assert list(withdrawn.proofs) == [(ANNA, "marketing", "email")]


def test_a_second_click_is_the_same_as_one(browser: TestClient, withdrawn: Withdrawn) -> None:
    browser.post(path(), data=ONE_CLICK, headers={"user-agent": "first"})
    browser.post(path(), headers={"user-agent": "second"})

    (proof,) = withdrawn.proofs.values()
    assert proof.endswith("first")


@pytest.mark.parametrize("token", ["x", "1.a.b", "1..", "%00", "1." + "a" * 3000 + ".b"])
def test_a_link_that_is_not_ours_says_so_and_changes_nothing(
    browser: TestClient, withdrawn: Withdrawn, token: str
) -> None:
    for told in (browser.get(f"/u/{token}"), browser.post(f"/u/{token}", data=ONE_CLICK)):
        assert told.status_code == 404
        assert "does not work" in told.text
    assert withdrawn.proofs == {}


def test_the_page_runs_nothing_is_framed_by_nobody_and_is_not_kept(browser: TestClient) -> None:
    headers = browser.get(path()).headers

    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_flood_in_the_body_is_not_read(browser: TestClient, withdrawn: Withdrawn) -> None:
    assert browser.post(path(), content=b"x" * 1_000_000).status_code == 200
    assert len(withdrawn.proofs) == 1


async def test_a_click_in_the_mail_ends_marketing_and_not_service(desk: Desk) -> None:
    """From the link to the ledger, over the real store."""
    store = ConsentStore(desk.pool)
    wanted = LINKS.read(LINKS.url(ANNAS).rpartition("/")[2])
    await asyncio.gather(
        *(
            store.withdraw(
                wanted.customer, wanted.purpose, wanted.channel, source="page", proof="x"
            )
            for _ in range(3)
        )
    )

    assert (await desk.deliver(1, purpose="marketing")).reason == "no_consent"
    assert (await desk.deliver(2)).state == "accepted"
    assert len(await desk.rows("select * from consents")) == 1
