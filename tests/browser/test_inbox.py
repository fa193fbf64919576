"""Staff at their inbox in a real browser: by keyboard, on a phone and at a desk, by day and by night."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Page

from stores.case_messages import CaseWriter, Letter
from stores.one_time_code import code_of, step_of, written
from stores.problems import NewProblem, ProblemStore
from stores.second_factors import SecondFactorStore
from tests.browser.staff_pages import DESK, PHONE, PICTURES, Inbox, Places, Theme, faults
from tests.integration.inbox.staff_house import HOSTILE, PASSWORD, StaffHouse

ALL_OPEN = "document.querySelectorAll('main details').forEach(each => { each.name = ''; each.open = true })"


@pytest_asyncio.fixture(scope="module")
async def inbox(places: Places) -> AsyncGenerator[Inbox]:
    async with places.database("inbox_pages") as (_, pool):
        house = StaffHouse(pool)
        await house.furnish()
        await house.passwords.set("eva", PASSWORD, by="test")
        async with places.served(house) as pages:
            yield pages


async def furnished(inbox: Inbox) -> str:
    """A list that looks like a day's work; the short name of the case to be looked at."""
    house = inbox.house
    for name, brief, due in (
        ("Karel Dvořák", "Paid twice, wants the second payment back", -0.4),
        ("Mia Jensen", "The room was double booked, she stands at the desk", 0.3),
        ("Tomás Ruiz", "Asks whether the warranty covers the screen", 26),
        ("Ida Berg", "Complains for the third time about the lift", 3),
    ):
        first, _, last = name.partition(" ")
        customer = await house.known(name, first_name=first, last_name=last, locale="en-GB")
        await house.opened(brief, customer=customer, due_in=timedelta(hours=due))
    anna = await house.known(first_name="Anna", last_name="Malá", email="anna@shop.example", tier="gold")  # fmt: skip
    case = await house.opened("The parcel came broken.\nShe needs it by Friday.", customer=anna)
    found = await house.desk.named(case)
    assert found is not None
    await house.desk.claim(found.case, "eva")
    await house.desk.note(found.case, "eva", "Rang her: a new one or her money, both are fine.")
    letter = Letter(subject="Your parcel", text="Dear Anna,\n\na new one leaves today.")
    await CaseWriter(house.pool).write(found.case, "eva", letter)
    if await ProblemStore(house.pool).named("lift") is None:
        told = NewProblem(
            problem="lift", title="The lift stands", words="A fitter comes at four.", why="a cable",
            queues=["sales"], customers=[anna],
        )  # fmt: skip
        await ProblemStore(house.pool).open(told, by="lena")
    return case


async def test_a_case_is_worked_on_with_the_keyboard_alone(inbox: Inbox) -> None:
    case = await inbox.house.opened("By keyboard", due_in=timedelta(minutes=-999))
    page = await inbox.page("eva")
    await page.goto("/staff")
    await page.wait_for_selector("body[data-renewed]")
    keys = page.keyboard

    await keys.press("?")
    await page.wait_for_selector("dialog[open]")
    await keys.press("Escape")
    await page.wait_for_selector("dialog:not([open])", state="attached")
    await keys.press("j")
    await page.wait_for_selector(".case.here")
    outline = await page.evaluate("getComputedStyle(document.querySelector('.case.here')).outlineWidth")  # fmt: skip
    await keys.press("c")
    await page.wait_for_selector("text=It is yours")
    await page.wait_for_load_state()  # a page hears keys once its scripts have run
    await keys.press("s")
    snoozed = await page.evaluate("document.activeElement.id")
    await keys.press("Escape")
    await keys.press("d")
    decide = await page.evaluate("document.activeElement.tagName")
    await keys.press("Enter")
    await page.locator("#decide details[open] button").first.focus()
    await keys.press("Enter")
    await page.wait_for_selector("text=Decided.")
    await page.wait_for_load_state()
    await keys.press("u")
    await page.wait_for_selector(".tabs")
    await page.wait_for_load_state()
    await keys.press("/")
    searches = await page.evaluate("document.activeElement.id")
    await keys.type("c j")  # in a field keys are letters

    assert (outline, snoozed, decide, searches) == ("3px", "until", "SUMMARY", "q")
    assert await page.input_value("#q") == "c j"
    found = await inbox.house.desk.named(case)
    assert found is not None
    assert (found.state, found.decision, found.decided_by) == ("resolved", "explained", "eva")
    await page.context.close()


async def test_who_calls_is_filled_in_by_the_page_and_stands_in_no_address(inbox: Inbox) -> None:
    page, asked = await inbox.page("eva"), list[str]()
    page.on("request", lambda request: asked.append(request.url.partition("#")[0]))

    await page.goto("/staff/new#customer=+420777123456")
    await page.wait_for_function("document.getElementById('customer').value !== ''")
    caller = await page.input_value("#customer")
    await page.goto("/staff?scope=all")
    await page.fill("#q", "+420777123456")
    await page.press("#q", "Enter")
    await page.wait_for_url("**/staff?*sought=*")

    assert caller == "+420777123456"
    assert await page.input_value("#q") == "+420777123456"
    assert not [each for each in (*asked, page.url) if "777123456" in each]
    await page.context.close()


async def test_a_list_changes_by_itself_and_a_colleague_is_seen_writing(inbox: Inbox) -> None:
    case = await inbox.house.opened("Two look at it")
    eva, ben = await inbox.page("eva"), await inbox.page("ben")
    await ben.goto("/staff")
    await inbox.house.opened("It came while he looked")
    await ben.wait_for_selector("text=It came while he looked")

    await eva.goto(f"/staff/case/{case}")
    await ben.goto(f"/staff/case/{case}")
    await eva.fill("#note", "I am at it")
    await ben.wait_for_selector("text=Eva Novak is writing")
    await eva.click("button:text-is('Note')")
    await ben.wait_for_selector("[data-live=thread] >> text=I am at it")
    await eva.context.close()
    await ben.context.close()


async def test_it_works_without_a_script_and_says_what_was_wrong(inbox: Inbox) -> None:
    case = await inbox.house.opened("Without a script")
    page = await inbox.page(None, PHONE, scripts=False)
    await page.goto(f"/staff/case/{case}")
    await page.fill("#name", "eva")
    await page.fill("#password", PASSWORD)
    await page.click("button:text-is('Sign in')")
    await page.wait_for_selector("text=Without a script")

    await page.click("text=Refund")
    await page.fill("[id='f.refund.amount']", "120")
    await page.fill("[id='f.refund.reason']", "broken")
    await page.click("text=Decide: Refund")
    await page.wait_for_selector("text=more than the 50.0 you may grant")
    await page.fill("#ask-refund", "She flew in")
    await page.click("text=Decide, or ask for approval")
    await page.wait_for_selector("text=you asked for approval")
    lead = await inbox.page("lena", PHONE)
    await lead.goto(f"/staff/case/{case}")
    await lead.click("button:text-is('Approve')")
    await lead.wait_for_selector("text=Approved, and decided")
    await page.context.close()
    await lead.context.close()


async def test_a_case_is_handed_over_and_put_off(inbox: Inbox) -> None:
    case = await inbox.house.opened("To be passed on")
    page = await inbox.page("eva", PHONE)
    await page.goto(f"/staff/case/{case}")
    await page.click("#act-claim")
    await page.click("#snooze summary")
    await page.select_option("#until", "3h")
    await page.click("#snooze button")
    await page.wait_for_selector("text=It is put off")
    await page.click("#hand-over summary")
    await page.select_option("#whom", "member ben")
    await page.fill("#hand-over-note", "You know her")
    await page.click("#hand-over button")
    await page.wait_for_selector("text=Ben Horak has it")
    await page.context.close()


async def test_what_a_customer_wrote_never_runs(inbox: Inbox) -> None:
    mallory = await inbox.house.known("mallory", first_name=HOSTILE, bio=HOSTILE)
    case = await inbox.house.opened(HOSTILE, customer=mallory)
    page, ran = await inbox.page("eva"), list[str]()
    page.on("dialog", lambda shown: ran.append(shown.message))
    for path in ("/staff", f"/staff/case/{case}"):
        await page.goto(path)
        await asyncio.gather(page.wait_for_load_state("load"))
        assert await page.locator("main img, main script").count() == 0
        assert HOSTILE in await page.inner_text("main")
    assert ran == []
    assert await page.title() not in ("owned", "1")
    await page.context.close()


async def half_signed_in(inbox: Inbox, page: Page, member: str | None) -> None:
    """They knew the password, and have no second factor yet."""
    assert member is not None
    house = inbox.house
    await SecondFactorStore(house.pool, house.told.master_keys(), house.clock).offer(member)
    cookie = await house.sign_ins.begin_half(member, "/staff")
    await page.context.add_cookies(
        [{"name": "clew-staff-half", "value": cookie, "url": inbox.address}]
    )


async def test_sessions_are_ended_and_a_phone_is_set_up_with_the_keyboard_alone(
    inbox: Inbox,
) -> None:
    house = inbox.house
    await house.passwords.set("ben", PASSWORD, by="test")
    stolen = await house.sign_ins.begin("ben", "password", address="203.0.113.9")
    page = await inbox.page("ben", PHONE)
    keys, wrong = page.keyboard, list[str]()

    await page.goto("/staff/sessions")
    await page.get_by_label("Password", exact=True).focus()
    await keys.type(PASSWORD)
    await keys.press("Enter")
    await page.get_by_role("button", name="End all others").focus()
    wrong += await faults(page)
    await keys.press("Enter")
    await page.wait_for_selector("li.card >> nth=1", state="detached")
    await page.get_by_role("button", name="Set one up").focus()
    await keys.press("Enter")
    shown = await page.locator(".key code").inner_text()
    wrong += await faults(page)
    factors = SecondFactorStore(house.pool, house.told.master_keys(), house.clock)
    key = await factors.offered("ben")
    assert key is not None
    await page.get_by_label("The code that it shows").focus()
    await keys.type(code_of(key, step_of(house.clock())))
    await keys.press("Enter")
    await page.wait_for_selector(".codes")
    wrong += await faults(page)
    wide = await page.evaluate("document.documentElement.scrollWidth")
    await page.get_by_role("link", name="I have kept them").focus()
    await keys.press("Enter")
    await page.wait_for_selector("text=Recovery codes left: 10")

    assert (wrong, wide, shown) == ([], PHONE, written(key))
    assert await house.sign_ins.known(stolen) is None
    await page.context.close()


@pytest.mark.parametrize(
    ("theme", "width"), [("light", DESK), ("dark", PHONE), ("light", PHONE), ("dark", DESK)]
)
async def test_every_page_can_be_used_by_everybody(inbox: Inbox, theme: Theme, width: int) -> None:
    case = await furnished(inbox)
    wrong: dict[str, list[str]] = {}
    for member, path in (
        (None, "/staff/login"), ("eva", "/staff?language=cs"), ("lena", "/staff"),
        ("eva", f"/staff/case/{case}"), ("lena", "/staff/replies"), ("eva", "/staff/case/none"),
        ("eva", "/staff/new"), ("lena", "/staff/problems"), ("lena", "/staff/problems/lift"),
        ("lena", "/staff/figures"), ("eva", "/staff/sessions"), ("lena", "/staff/login/code"),
    ):  # fmt: skip
        page = await inbox.page(member, width, theme)
        page.on("pageerror", lambda error: wrong.setdefault("script", []).append(str(error)))
        if path.endswith("/code"):
            await half_signed_in(inbox, page, member)
        await page.goto(path)
        await page.evaluate(ALL_OPEN)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        found = await faults(page) + ([f"{wide} pixels wide"] if wide > width else [])
        wrong.update({path: found} if found else {})
        await page.context.close()
    assert wrong == {}


async def signed_in_elsewhere(inbox: Inbox, page: Page) -> None:
    """Lena's three sessions, of which she is about to end one."""
    sign_ins = inbox.house.sign_ins
    await inbox.house.passwords.set("lena", PASSWORD, by="test")
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18 Safari/604.1"
    how = "password and a code"
    await sign_ins.begin("lena", how, address="203.0.113.9", browser=phone)
    desk = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    await sign_ins.begin("lena", how, place="histories", address="198.51.100.7", browser=desk)
    cookie = await sign_ins.begin("lena", how, address="198.51.100.7", browser=desk)
    [here] = [each for each in await sign_ins.sessions("lena", cookie) if each.here]
    cookie = await sign_ins.prove(cookie, here.session, "lena")
    assert cookie is not None
    await page.context.add_cookies([{"name": "clew-staff", "value": cookie, "url": inbox.address}])


@pytest.mark.pictures
@pytest.mark.parametrize(
    ("name", "member", "width", "theme"),
    [
        ("list", "lena", DESK, "light"), ("case", "eva", DESK, "light"),
        ("case-dark", "eva", DESK, "dark"), ("list-phone", "eva", PHONE, "dark"),
        ("case-phone", "eva", PHONE, "light"), ("login", None, PHONE, "light"),
        ("problem", "lena", DESK, "light"), ("figures", "lena", DESK, "dark"),
        ("new", "eva", PHONE, "light"), ("sessions", "lena", DESK, "light"),
        ("second-factor", "lena", PHONE, "dark"),
    ],
)  # fmt: skip
async def test_pictures_of_the_inbox(
    inbox: Inbox, name: str, member: str | None, width: int, theme: Theme
) -> None:
    case = await furnished(inbox)
    page = await inbox.page(member, width, theme)
    paths = {
        "problem": "/staff/problems/lift", "figures": "/staff/figures", "new": "/staff/new",
        "sessions": "/staff/sessions", "second-factor": "/staff/login/code",
    }  # fmt: skip
    if name == "second-factor":
        await half_signed_in(inbox, page, member)
    if name == "sessions":
        await signed_in_elsewhere(inbox, page)
    await page.goto(paths.get(name, f"/staff/case/{case}" if name.startswith("case") else "/staff"))
    if name.startswith("case"):
        await page.click("text=Refund")
    await page.screenshot(path=PICTURES / f"inbox-{name}.png", full_page=name != "list")
    await page.context.close()
