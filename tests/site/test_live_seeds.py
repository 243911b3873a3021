"""seeds: means, intervals and shares are Python's for the same draws, and a draw is as random as it says."""

import itertools
import math
import random
import re

import pandas as pd
import pytest
from live_pages import live_page, modules_page, problems_of_axe

from course_lib import live, records
from course_lib.records.comparison import t_quantile

QUANTILES = [t_quantile(0.95, freedom) for freedom in range(1, 20)]
SPREADS = {  # mean and spread of the errors, number of seeds: numbers for tests, from no run
    "LeNet-5, modern": (165, 30, 40),
    "LeNet-5, strided": (215, 30, 40),
    "modified VGG, constant rate": (215, 55, 10),
    "modified ResNet, constant rate": (170, 16, 10),
    "modified VGG, falling rate": (140, 2, 10),  # so far apart that the worse one never wins
    "modified ResNet, falling rate": (300, 2, 10),
}


@pytest.fixture(scope="module")
def functions(browser):
    page = modules_page(browser, "seeds")
    yield page
    page.context.close()


@pytest.fixture
def drawn_from(tmp_path, monkeypatch):
    """The figure over records with these networks only."""

    def write(names=tuple(SPREADS)):
        chance = random.Random(2)
        for name in names:
            mean, spread, seeds = SPREADS[name]
            for seed in range(seeds):
                errors = round(chance.gauss(mean, spread))
                record = {"name": name, "seed": seed, "recipe": {"epochs": 3, "train": 48_000}}
                record["confusion"] = [[9_000, errors - 1], [1, 1_000 - errors]]  # of 10,000 digits
                records.append(tmp_path / "study-many-seeds.jsonl", record)
        monkeypatch.setenv("COURSE_RESULTS", str(tmp_path))
        return live.seeds(n=3)

    return write


def series(values, seeds=None):
    return pd.Series([float(value) for value in values], index=seeds if seeds is not None else range(len(values)))


def shares_by_counting(differences, n):
    """Of all sets of n differences: the share with a sum below zero, and with the sum zero."""
    sums = [sum(some) for some in itertools.combinations(differences, n)]
    return sum(total < 0 for total in sums) / len(sums), sums.count(0) / len(sums)


@pytest.mark.parametrize("seed", range(4))
def test_mean_and_interval_of_a_draw_are_those_of_records_difference(functions, seed):
    chance = random.Random(seed)
    first, second = ([chance.randrange(100, 300) for _ in range(40)] for _ in range(2))
    for n in range(1, 21):
        places = functions.evaluate(
            "([n, seed]) => modules.draws.drawPlaces(40, n, modules.draws.generator(seed))", [n, seed]
        )
        apart = [second[place] - first[place] for place in places]
        found = functions.evaluate("([d, q]) => modules.draws.interval(d, q)", [apart, QUANTILES])
        if n == 1:
            assert found == {"middle": apart[0], "half": None}
            continue
        middle, half = records.difference(
            series([second[place] for place in places], places), series([first[place] for place in places], places)
        )
        assert found["middle"] == pytest.approx(middle, rel=1e-12)
        assert found["half"] == pytest.approx(half, rel=1e-9)


@pytest.mark.parametrize(
    "differences",
    [[5, -3, 8, 0, -1, 4, 4, -9, 12, 2], [-1] * 6, [0] * 7, [3, 1, 2], [200, -199, 1, -2, 40, -41, 7, -150]],
)
def test_shares_are_those_of_all_possible_draws(functions, differences):
    most = len(differences)
    found = functions.evaluate("([d, most]) => modules.draws.shares(d, most)", [differences, most])
    for n in range(1, most + 1):
        assert found[n - 1]["total"] == math.comb(most, n)
        assert (found[n - 1]["below"], found[n - 1]["equal"]) == pytest.approx(shares_by_counting(differences, n))


def test_shares_of_twenty_among_forty_are_exact(functions):
    chance = random.Random(1)
    differences = [chance.randrange(-90, 120) for _ in range(40)]
    counts = [{0: 1}] + [{} for _ in range(20)]  # in whole numbers of Python
    for value in differences:
        for n in range(20, 0, -1):
            for total, ways in counts[n - 1].items():
                counts[n][total + value] = counts[n].get(total + value, 0) + ways
    found = functions.evaluate("d => modules.draws.shares(d, 20)", differences)
    for n in (1, 2, 3, 10, 20):
        assert found[n - 1]["total"] == math.comb(40, n)
        below = sum(ways for total, ways in counts[n].items() if total < 0)
        assert found[n - 1]["below"] == pytest.approx(below / math.comb(40, n), rel=1e-14)


def test_the_share_of_undecided_draws_is_that_of_all_draws(functions):
    chance = random.Random(3)
    differences = [chance.randrange(-30, 120) for _ in range(14)]
    contain = []
    for some in itertools.combinations(differences, 3):
        middle, half = records.interval(series(some))
        contain.append(abs(middle) <= half)
    share = sum(contain) / len(contain)
    script = "([d, n, q]) => modules.draws.undecided(d, n, q, modules.draws.generator(1))"
    found = functions.evaluate(script, [differences, 3, QUANTILES])
    assert abs(found - share) < 4 * math.sqrt(share * (1 - share) / 4000)
    assert 0.2 < share < 0.95
    assert functions.evaluate(script, [differences, 1, QUANTILES]) is None


def test_draws_depend_on_the_seed_and_all_sets_come_as_often(functions):
    script = """([total, count, seed, times]) => {
        const random = modules.draws.generator(seed);
        return Array.from({ length: times }, () => modules.draws.drawPlaces(total, count, random));
    }"""
    draws = functions.evaluate(script, [40, 20, 7, 5])
    assert draws == functions.evaluate(script, [40, 20, 7, 5])
    assert draws != functions.evaluate(script, [40, 20, 8, 5])
    assert all(len(set(draw)) == 20 and draw == sorted(draw) and draw[0] >= 0 and draw[-1] < 40 for draw in draws)
    often = pd.Series(map(tuple, functions.evaluate(script, [6, 3, 1, 20_000]))).value_counts()
    assert len(often) == 20
    chi_squared = ((often - 1000) ** 2 / 1000).sum()
    assert chi_squared < 43.8  # one in a thousand with 19 degrees of freedom


def test_the_worse_network_is_the_one_with_more_errors_over_all_seeds(functions):
    script = "errors => modules.seeds.compare({ names: ['a', 'b'], seeds: [0, 1, 2, 3], errors })"
    for errors, worse, differences in (
        ([[1, 2, 3, 4], [2, 2, 2, 9]], 1, [1, 0, -1, 5]),
        ([[9, 2, 3, 4], [2, 2, 2, 9]], 0, [7, 0, 1, -5]),
    ):
        found = functions.evaluate(script, errors)
        assert (found["worse"], found["differences"], found["most"]) == (worse, differences, 2)


def test_shares_are_written_without_a_false_zero_or_hundred(functions):
    written = [functions.evaluate("share => modules.seeds.percent(share)", share) for share in (0, 1e-7, 0.0234, 0.5)]
    assert [text.replace("\u00a0", " ") for text in written] == ["0 %", "less than 0.01 %", "2.3 %", "50 %"]
    assert functions.evaluate("modules.seeds.percent(1 - 1e-7)").startswith("more than")


def test_the_figures_data_are_the_studys_errors_in_pairs(drawn_from):
    options = drawn_from().options
    assert [len(pair["seeds"]) for pair in options["pairs"]] == [40, 10, 10]
    runs = {(run["name"], run["seed"]): run for run in records.studies.read("many-seeds")}
    for pair, networks in zip(options["pairs"], zip(*[iter(SPREADS)] * 2, strict=True), strict=True):
        for errors, name in zip(pair["errors"], networks, strict=True):
            assert errors == [
                runs[name, seed]["confusion"][0][1] + runs[name, seed]["confusion"][1][0] for seed in pair["seeds"]
            ]
    assert options["quantiles"][4] == pytest.approx(2.570582, abs=1e-6)


@pytest.fixture
def page(browser, drawn_from):
    page = live_page(browser, drawn_from(), width=390, has_touch=True)
    yield page
    assert page.problems == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    labels = page.locator("[data-live] canvas").evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    shown = page.locator(".live").inner_text() + "".join(labels)
    assert not re.search(r"NaN|Infinity|undefined|null", shown)
    page.context.close()


def verdict(page) -> str:
    return page.locator(".verdict").inner_text().replace("\u00a0", " ")


def press(page, name):
    page.get_by_role("button", name=name).click()


def test_it_starts_with_a_draw_that_the_worse_network_wins(page):
    assert verdict(page).startswith("LeNet-5, strided wins this draw, although it is the worse network")
    assert page.get_by_text("We picked this draw, because it misleads. Draw your own.", exact=True).is_visible()


def test_what_it_says_of_a_draw_is_what_python_says(page):
    for _ in range(8):
        press(page, "Draw 3 seeds")
        first, second = ([int(x) for x in re.findall(r"\b\d{2,3}\b", part)] for part in labels_of_draw(page))
        middle, half = records.difference(series(second), series(first))
        said = re.search(r"difference is (\S+) ± (\S+) errors", verdict(page))
        assert float(said[1].replace("−", "-")) == pytest.approx(middle, abs=0.051)
        assert float(said[2]) == pytest.approx(half, abs=0.051)
        assert ("contains 0" in verdict(page)) == (abs(middle) <= half)
        winner = "LeNet-5, strided wins" if middle < 0 else "LeNet-5 wins"
        assert verdict(page).startswith(winner if middle else "Both networks")


def labels_of_draw(page) -> list[str]:
    return (
        page.locator("canvas").first.get_attribute("aria-label").split("Drawn: ")[1].replace("LeNet-5", "").split(";")
    )


def test_the_tally_comes_near_the_exact_share(page):
    page.get_by_role("slider").fill("1")
    for _ in range(20):
        press(page, "Draw 100 times")
    tally = re.search(r"drawn (\d+) times with 1 seed: the worse network won (\d+)", page.inner_text(".live"))
    share = float(re.search(r"wins in ([\d.]+)\s%", page.inner_text(".live"))[1]) / 100
    assert int(tally[1]) == 2001
    error = math.sqrt(share * (1 - share) / 2001)
    assert abs(int(tally[2]) / 2001 - share) < 4 * error + 0.005


def test_one_seed_has_no_interval_and_more_than_half_of_the_runs_cannot_be_drawn(page):
    size = page.get_by_role("slider")
    size.fill("1")
    assert "there is no interval" in verdict(page)
    assert size.get_attribute("max") == "20"
    size.fill("20")
    press(page, "Draw 20 seeds")
    assert len(re.findall(r"\b\d{2,3}\b", labels_of_draw(page)[0])) == 20
    page.get_by_label("Compare").select_option("modified networks, constant rate")
    assert size.get_attribute("max") == "5"
    assert int(size.input_value()) <= 5
    assert size.get_attribute("aria-valuetext") == f"{size.input_value()} of 10"


def test_a_difference_so_large_that_the_worse_network_never_wins_is_said(page):
    page.get_by_label("Compare").select_option("modified networks, falling rate")
    assert "because it misleads" not in page.inner_text(".live")
    assert page.get_by_text("the worse network wins in none of all 10 possible draws").is_visible()
    assert page.get_by_role("slider").input_value() == "1"
    page.get_by_role("slider").fill("5")
    assert "leaves 0 out. Modified VGG counts as better." in verdict(page)


def test_fingers_and_keys_draw(page):
    before = verdict(page)
    page.get_by_role("button", name="Draw 3 seeds").tap()
    assert page.get_by_text("You have drawn 1 time with 3 seeds").first.is_visible()
    assert verdict(page) != before
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Draw 4 seeds").focus()
    page.keyboard.press("Enter")
    page.get_by_role("status").get_by_text("You have drawn 2 times with 4 seeds").wait_for(state="attached")


def test_without_records_a_line_says_so(browser, tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_RESULTS", str(tmp_path))
    with pytest.raises(AssertionError, match="the records of its study are not published yet"):
        live_page(browser, live.seeds())


def test_published_shares_equal_those_of_all_draws(functions):
    pairs = live.seeds().options["pairs"]
    assert len(pairs) == 3, "the records of study many-seeds"
    for pair in pairs:
        found = functions.evaluate("pair => modules.seeds.compare(pair)", pair)
        means = [sum(errors) / len(errors) for errors in pair["errors"]]
        assert found["worse"] == (means[1] >= means[0])
        apart = [a - b for a, b in zip(pair["errors"][found["worse"]], pair["errors"][1 - found["worse"]], strict=True)]
        for n in (1, 2, 3):
            below = shares_by_counting(apart, n)[0]
            assert found["shares"][n - 1]["below"] == pytest.approx(below, abs=1e-12)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, drawn_from, scheme):
    page = live_page(browser, drawn_from(), scheme=scheme)
    assert problems_of_axe(page) == []
    page.context.close()
