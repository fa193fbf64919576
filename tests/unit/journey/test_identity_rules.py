"""Rules of the house on who is who: read with places, and what they decide."""

import pytest

from journey.document import InvalidDocumentError
from journey.identity_rules import DEFAULT_RULES, IdentityRules, KindRule, plan, read_identities

ANNA, BERT = ("user_id", "anna"), ("user_id", "bert")
DEVICE, MAIL = ("anonymous_id", "d"), ("email", "a@example.com")

FILE = """
identities:
  email: {limit: 3, blocked: ['*@mailinator.com', 'info@example.com']}
  loyalty_card: {limit: 1}
priority: [user_id, loyalty_card, email]
blocked: ['test-*']
allowed: ['0']
traits: {age: integer, vip: boolean}
computed:
  orders: {count: Order Completed, within: 90d}
  spent: {sum: Order Completed, of: revenue, when: 'event.properties.revenue > 0.0'}
"""


def test_a_file_says_limits_the_order_of_kinds_and_what_is_nobody() -> None:
    rules = read_identities(FILE, "identities.yaml")

    assert [rules.limit(kind) for kind in ("email", "loyalty_card", "phone", "crm")] == [
        3,
        1,
        5,
        20,
    ]
    names = [DEVICE, ("phone", "1"), MAIL, ("loyalty_card", "7"), ANNA, ("crm", "x")]
    order = [kind for kind, _ in rules.ordered(names)]
    assert order == ["user_id", "loyalty_card", "email", "phone", "anonymous_id", "crm"]
    nobody = [("email", "X@Mailinator.com"), ("email", "info@example.com"), ("crm", "TEST-1")]
    assert rules.ordered([*nobody, ("crm", "null")]) == []
    assert rules.ordered([("user_id", "0")]) == [("user_id", "0")]
    assert DEFAULT_RULES.is_blocked("user_id", "0")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("identities:\n  email: {limit: 0}", ":2:11: identities.email.limit: "),
        ("identites: {}", ":1:1: identites: 'identites' is not a word of the language here"),
        ("priority: [email, email]", "priority names email twice → keep one of them"),
        ("traits: {age: years}", ":1:10: traits.age: "),
        ("computed:\n  a: {count: X, sum: Y}", "expected exactly one of count, sum"),
        ("computed:\n  a: {sum: X}", "sum needs of: → say which property"),
        ("computed:\n  a: {count: X, within: soon}", ":2:17: computed.a.within: "),
        ("computed:\n  a: {count: X, when: 'event.('}", "computed.a.when: "),
        ("computed:\n  a: {count: X, when: 'customer.a == 1'}", "computed.a.when: "),
        ("traits: {a: text}\ncomputed:\n  a: {count: X}", "the trait a is taken"),
        ("- a", "begin with identities:, blocked:, traits: or computed:"),
        ("", "the file is empty → begin with identities:"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_a_remedy(text: str, told: str) -> None:
    with pytest.raises(InvalidDocumentError) as error:
        read_identities(text, "identities.yaml")

    assert told in str(error.value)
    assert "→" in str(error.value)


def test_a_second_person_on_a_device_is_somebody_else() -> None:
    known, counts = {DEVICE: "c_anna"}, {"c_anna": {"user_id": 1, "anonymous_id": 1}}

    made = plan([BERT, DEVICE], known, counts, DEFAULT_RULES)

    assert (made.joined, made.tied) == ([], [BERT])
    assert [(each.identity, each.leads_to) for each in made.refused] == [(DEVICE, "c_anna")]


def test_said_explicitly_it_is_one_person() -> None:
    known = {ANNA: "c_anna", BERT: "c_bert"}
    counts = {"c_anna": {"user_id": 1}, "c_bert": {"user_id": 1}}

    assert plan([ANNA, BERT], known, counts, DEFAULT_RULES).joined == ["c_anna"]
    made = plan([ANNA, BERT], known, counts, DEFAULT_RULES, explicit=True)
    assert (made.joined, made.refused) == (["c_anna", "c_bert"], [])


def test_whom_staff_have_parted_names_do_not_join() -> None:
    known = {ANNA: "c_anna", DEVICE: "c_visitor"}
    counts = {"c_anna": {"user_id": 1}, "c_visitor": {"anonymous_id": 1}}
    apart = frozenset({frozenset(("c_anna", "c_visitor"))})

    made = plan([ANNA, DEVICE], known, counts, DEFAULT_RULES, apart)

    assert made.joined == ["c_anna"]
    assert made.refused[0].why == "staff have parted these two"


def test_rules_that_say_the_same_are_the_same() -> None:
    one = IdentityRules(identities={"email": KindRule(limit=3)}, traits={"a": "text"})
    other = IdentityRules(identities={"email": KindRule(limit=3)})

    assert one.revision == other.revision != DEFAULT_RULES.revision
