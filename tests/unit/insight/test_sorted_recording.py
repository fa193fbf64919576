"""A recording is given back customer by customer, each by time, whatever order it was taken in."""

from datetime import timedelta
from pathlib import Path

from insight.sorted_recording import (
    CustomerRecording,
    KnownCustomer,
    SortedRecording,
    our_id,
    read_part,
)
from tests.unit.insight.recordings import DAY, NOON, came, guests, sorted_in


def everyone(recording: SortedRecording) -> list[CustomerRecording]:
    return [
        customer
        for part in recording.parts()
        for customer in read_part(part.path, recording.highest_lot)
    ]


def test_each_customer_has_all_that_was_recorded_of_them_by_time(tmp_path: Path):
    late, early = came("ann", "Paid", 2 * DAY), came("ann", "Came", DAY)
    recording = sorted_in(tmp_path, [late, came("bo", "Came", DAY), early])

    found = {customer.customer: customer for customer in everyone(recording)}

    assert set(found) == {"ann", "bo"}
    assert found["ann"].touchpoints == [early.touchpoint, late.touchpoint]
    assert found["ann"].places == [2, 0]
    assert (recording.begins, recording.ends) == (NOON + DAY, NOON + 2 * DAY)


def test_what_came_at_the_same_moment_keeps_the_order_of_the_recording(tmp_path: Path):
    moments = [came("ann", event, DAY) for event in ("One", "Two", "Three")]

    [ann] = everyone(sorted_in(tmp_path, moments))

    assert [touchpoint.event for touchpoint in ann.touchpoints] == ["One", "Two", "Three"]


def test_the_order_of_customers_does_not_hang_on_the_order_of_the_recording(tmp_path: Path):
    recorded = guests(60)
    one = everyone(sorted_in(tmp_path / "one", recorded))
    other = everyone(sorted_in(tmp_path / "other", reversed(recorded)))

    assert [each.customer for each in one] == [each.customer for each in other]


def test_a_sample_has_so_many_customers_whole_and_a_larger_one_has_them_too(tmp_path: Path):
    recorded = guests(60)
    few = everyone(sorted_in(tmp_path / "few", recorded, sample=10))
    more = everyone(sorted_in(tmp_path / "more", recorded, sample=25))
    whole = {each.customer: each for each in everyone(sorted_in(tmp_path / "all", recorded))}

    assert (len(few), len(more)) == (10, 25)
    assert {each.customer for each in few} < {each.customer for each in more}
    assert all(each.touchpoints == whole[each.customer].touchpoints for each in few)


def test_a_sample_larger_than_all_is_all(tmp_path: Path):
    assert len(everyone(sorted_in(tmp_path, guests(20), sample=1_000))) == 20


def test_what_is_known_of_a_customer_comes_with_them_and_alone_where_nothing_happened(
    tmp_path: Path,
):
    recording = SortedRecording(tmp_path, None)
    ann = KnownCustomer(customer="ann", traits={"tier": "gold"}, zone="Europe/Prague")
    bo = KnownCustomer(customer="bo", addresses={})
    recording.know(ann)
    recording.take(came("ann", "Paid", DAY))
    recording.know(bo)
    recording.close()

    found = {customer.customer: customer for customer in everyone(recording)}

    assert found["ann"].known == ann
    assert (found["bo"].known, found["bo"].touchpoints) == (bo, [])


def test_what_is_about_subjects_stands_apart(tmp_path: Path):
    moved = came(None, "Van Moved", DAY, subject={"kind": "van", "id": "v1"})
    recording = sorted_in(tmp_path, [moved, came("ann", "Paid", timedelta(0))])
    part = recording.subjects()

    assert part is not None
    [found] = read_part(part.path)
    assert found.touchpoints == [moved.touchpoint]
    assert recording.customers == 1


def test_a_recorded_customer_has_an_id_like_any_other_and_the_same_always():
    assert our_id("ann") == our_id("ann") != our_id("bo")
    assert our_id("ann").startswith("c_")
    assert len(our_id("ann")) == 28
