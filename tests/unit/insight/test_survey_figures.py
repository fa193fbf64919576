"""What customers answered is counted by the formula of its kind; each example is worked by hand."""

import pytest

from insight.survey_figures import FEW, Estimate, ces, csat, nps, share_of, survey_figure

TEN: dict[int | str, int] = {10: 3, 9: 2, 8: 2, 3: 2, 0: 1}
"""Five promoters, two passives, three detractors."""


def told(estimate: Estimate | None) -> tuple[float, float, float]:
    assert estimate is not None
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.value, estimate.low, estimate.high


def test_nps_is_promoters_less_detractors_with_the_range_of_three_values() -> None:
    # 50 % − 30 % = 20; variance 0.5 + 0.3 − 0.04 = 0.76; 1.959964 · √(0.76 / 10) = 0.540322
    assert told(nps(TEN)) == pytest.approx((20.0, -34.0322, 74.0322), abs=0.001)


def test_nps_of_a_thousand_is_known_to_a_few_points() -> None:
    # 45 % − 20 % = 25; variance 0.65 − 0.0625 = 0.5875; 1.959964 · √(0.5875 / 1000) = 0.0475064
    thousand: dict[int | str, int] = {10: 450, 7: 350, 6: 200}
    assert told(nps(thousand)) == pytest.approx((25.0, 20.2494, 29.7506), abs=0.001)


def test_csat_is_the_share_of_four_and_five_with_wilsons_range() -> None:
    # 8 of 10: (0.8 + 0.192073 ± 1.959964 · √(0.016 + 0.0096037)) / 1.384146 = 0.490160 and 0.943320
    scores: dict[int | str, int] = {5: 5, 4: 3, 3: 1, 1: 1}
    assert told(csat(scores)) == pytest.approx((0.8, 0.490160, 0.943320), abs=1e-4)


def test_ces_is_a_mean_with_the_range_of_what_was_given() -> None:
    # mean (7·2 + 6·2 + 4) / 5 = 6; squares 2·1 + 0 + 4 = 6, of 4: 1.5; 1.959964 · √(1.5 / 5) = 1.073517
    scores: dict[int | str, int] = {7: 2, 6: 2, 4: 1}
    assert told(ces(scores)) == pytest.approx((6.0, 4.926483, 7.0), abs=1e-4)


@pytest.mark.parametrize("figure", [nps, csat, ces])
def test_nobody_has_no_figure(figure: object) -> None:
    assert callable(figure)
    assert figure({}) is None


def test_where_all_said_the_same_no_range_is_told() -> None:
    for alike in (nps({10: 40}), ces({7: 3}), ces({7: 1})):
        assert alike is not None
        assert (alike.low, alike.high) == (None, None)
    low_high = share_of(3, 3)
    assert low_high.low == pytest.approx(0.43850, abs=1e-4)  # 3 / (3 + 3.841459)


def test_each_score_of_the_scale_has_its_share_and_each_group_its_number() -> None:
    figure = survey_figure("nps", TEN)

    assert [each.said for each in figure.shares] == list(range(11))
    assert {each.said: each.n for each in figure.shares if each.n} == TEN
    assert figure.groups == {"promoter": 5, "passive": 2, "detractor": 3}
    assert figure.rough


def test_a_choice_that_nobody_took_is_there_and_one_that_is_no_longer_offered_too() -> None:
    figure = survey_figure("choice", {"price": 6, "old": 2}, None, ("price", "taste"))

    assert [(each.said, each.n) for each in figure.shares] == [
        ("price", 6),
        ("taste", 0),
        ("old", 2),
    ]
    assert figure.shares[0].estimate.value == 0.75
    assert figure.estimate is None


def test_words_are_counted() -> None:
    figure = survey_figure("text", {"": 12})
    assert (figure.answered, figure.shares, figure.estimate) == (12, (), None)


def test_what_the_kind_has_not_counts_to_nothing_and_is_told() -> None:
    figure = survey_figure("csat", {5: 3, 9: 4, "taste": 1})
    assert (figure.answered, figure.strays) == (3, 5)
    assert figure.estimate is not None
    assert figure.estimate.value == 1.0


def test_up_and_down_are_told_only_where_chance_would_hardly_make_it_so() -> None:
    better: dict[int | str, int] = {10: 600, 7: 200, 2: 200}
    worse: dict[int | str, int] = {10: 500, 7: 200, 2: 300}
    assert survey_figure("nps", better, worse).change == "up"
    assert survey_figure("nps", worse, better).change == "down"
    assert survey_figure("nps", worse, {10: 510, 7: 200, 2: 290}).change == ""
    assert survey_figure("nps", {10: 6, 2: 2}, {10: 5, 2: 3}).change == ""
    assert survey_figure("nps", better, {}).change == ""
    assert survey_figure("csat", {5: 90, 1: 10}, {5: 60, 1: 40}).change == "up"
    assert survey_figure("csat", {5: 9, 1: 1}, {5: 6, 1: 4}).change == ""
    assert survey_figure("ces", {7: 100, 5: 50}, {6: 100, 3: 50}).change == "up"
    assert survey_figure("ces", {6: 100, 3: 50}, {7: 100, 5: 50}).change == "down"
    shares = survey_figure("choice", {"a": 80, "b": 20}, {"a": 50, "b": 50}, ("a", "b")).shares
    assert [each.change for each in shares] == ["up", "down"]


def test_ranks_that_rise_while_the_mean_falls_are_not_told() -> None:
    # Most give a little more, some give very much less: of two, the first is mostly higher, and the mean is lower.
    now: dict[int | str, int] = {6: 700, 1: 300}
    before: dict[int | str, int] = {5: 1_000}
    assert survey_figure("ces", now, before).change == ""


def test_few_are_rough_until_there_are_enough() -> None:
    assert survey_figure("text", {"": FEW - 1}).rough
    assert not survey_figure("text", {"": FEW}).rough
    assert not survey_figure("text", {}).rough
