"""descent: paths are torch.optim's, the limit of the rate is where it is, and every hand can move the start."""

import re

import pytest
import torch
from live_pages import live_page, modules_page, problems_of_axe

from course_lib import live

OPTIONS = live.descent().options
POINTS, START = OPTIONS["points"], OPTIONS["start"]
TORCH = {
    "sgd": lambda weights, rate: torch.optim.SGD(weights, lr=rate),
    "momentum": lambda weights, rate: torch.optim.SGD(weights, lr=rate, momentum=0.9),
    "adam": lambda weights, rate: torch.optim.Adam(weights, lr=rate),
}
RATES = {"sgd": (0.001, 0.095, 0.18, 0.2), "momentum": (0.001, 0.03, 0.3, 0.37), "adam": (0.001, 0.1, 0.5, 2.0)}
X, Y = torch.tensor(POINTS, dtype=torch.float64).T


def squared_error(weights):
    return (weights[0] * X + weights[1] - Y).square().mean()


@pytest.fixture(scope="module")
def functions(browser):
    page = modules_page(browser, "descent")
    yield page
    page.context.close()


def descend(functions, method, rate, steps, start=START):
    script = "([points, ...rest]) => modules['line-fit'].descend(points, ...rest)"
    return functions.evaluate(script, [POINTS, start, method, rate, steps])


@pytest.mark.parametrize(("method", "rate"), [(method, rate) for method, rates in RATES.items() for rate in rates])
@pytest.mark.parametrize("start", [START, [3, -1]])
def test_fifty_steps_are_those_of_torch_optim(functions, method, rate, start):
    weights = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = TORCH[method]([weights], rate)
    path = descend(functions, method, rate, 50, start)
    for step in path:
        loss = squared_error(weights)
        optimizer.zero_grad()
        loss.backward()
        here = torch.tensor([*step["weights"], *step["gradient"], step["loss"]], dtype=torch.float64)
        there = torch.tensor([*weights.tolist(), *weights.grad.tolist(), loss.item()], dtype=torch.float64)
        assert (here - there).abs().max() <= 1e-9 * there.abs().max()
        optimizer.step()
    assert len(path) == 51 or path[-1]["loss"] > 1e9


def test_the_bowl_has_torchs_curvatures_and_the_lowest_point_of_least_squares(functions):
    found = functions.evaluate("points => modules['line-fit'].bowl(points)", POINTS)
    hessian = torch.autograd.functional.hessian(squared_error, torch.zeros(2, dtype=torch.float64))
    values, vectors = torch.linalg.eigh(hessian)
    for name, value, vector in zip(("flat", "steep"), values, vectors.T, strict=True):
        assert found[name]["curvature"] == pytest.approx(value.item(), rel=1e-12)
        assert abs(sum(a * b for a, b in zip(found[name]["direction"], vector.tolist(), strict=True))) == pytest.approx(
            1
        )
    lowest = torch.linalg.lstsq(torch.stack([X, torch.ones_like(X)], 1), Y[:, None]).solution[:, 0]
    assert found["weights"] == pytest.approx(lowest.tolist(), rel=1e-12)
    assert found["loss"] == pytest.approx(squared_error(lowest).item(), rel=1e-12)


@pytest.mark.parametrize(("method", "factor"), [("sgd", 2), ("momentum", 3.8)])
@pytest.mark.nightly
def test_rates_settle_below_the_limit_that_the_page_states_and_run_away_above_it(functions, method, factor):
    bowl = functions.evaluate("points => modules['line-fit'].bowl(points)", POINTS)
    limit = factor / bowl["steep"]["curvature"]
    assert descend(functions, method, 0.999 * limit, 20_000)[-1]["loss"] == pytest.approx(bowl["loss"], rel=1e-6)
    assert descend(functions, method, 1.001 * limit, 20_000)[-1]["loss"] > 1e6


def test_numbers_are_written_for_reading(functions):
    def written(value):
        return functions.evaluate("value => modules.descent.written(value)", value)

    assert [written(value) for value in (1.25, -0.5, 0, -0.0)] == ["1.250", "−0.500", "0.000", "0.000"]
    assert [written(value) for value in (1.2e9, -3.4e-5)] == ["1.2 · 10⁹", "−3.4 · 10⁻⁵"]


@pytest.fixture
def page(browser):
    page = live_page(browser, live.descent(), width=390, has_touch=True, reduced_motion="reduce")
    yield page
    assert page.problems == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    labels = page.locator("[data-live] canvas").evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    shown = page.locator(".live").inner_text() + "".join(labels)
    assert not re.search(r"NaN|Infinity|undefined", shown)
    page.context.close()


def outcome(page) -> str:
    return page.locator(".outcome").inner_text().replace("\u00a0", " ")


def start(page) -> list[float]:
    label = page.locator("canvas").first.get_attribute("aria-label")
    return [float(number.replace("−", "-")) for number in re.search(r"w₁ = (\S+), w₂ = (\S+)\.", label).groups()]


def press(page, name):
    page.get_by_role("button", name=name).click()


def set_rate(page, rate):
    page.get_by_role("slider").evaluate(
        "(input, rate) => { input.value = Math.log10(rate); input.dispatchEvent(new Event('input')); }", rate
    )


def test_it_starts_with_twelve_steps_that_jump_across_the_valley(page):
    assert outcome(page).startswith("After 12 steps the loss is 0.322. Each step jumps across the valley")
    page.get_by_text("Step 12", exact=True).wait_for()
    assert page.get_by_text("w₁ ← 0.517 − 0.18 · 1.899 = 0.175").is_visible()


def test_buttons_take_one_step_or_twenty_and_go_back_to_the_start(page):
    press(page, "One step")
    assert outcome(page).startswith("After 13 steps")
    press(page, "20 steps")
    assert outcome(page).startswith("After 33 steps")
    press(page, "Start again")
    assert outcome(page).startswith("At the start the loss is")
    page.get_by_text("The first step, not taken yet").wait_for()
    press(page, "One step")
    assert outcome(page).startswith("After 1 step the loss is")
    page.get_by_role("status").get_by_text("After 1 step").wait_for(state="attached")


def test_a_rate_above_the_limit_gets_a_word_and_no_number_overflows(page):
    set_rate(page, 0.2)
    assert "The loss grows: the rate is above 2/λ = 0.190" in outcome(page)
    set_rate(page, 2)
    for _ in range(20):
        press(page, "20 steps")
    assert "We stopped there. The loss grows" in outcome(page)
    page.get_by_label("momentum").check()
    assert "The loss grows: the rate is above 3.8/λ = 0.361" in outcome(page)
    page.get_by_label("Adam").check()
    assert "grows" not in outcome(page)
    set_rate(page, 0.001)
    assert outcome(page).startswith("After")


def test_the_limit_that_is_stated_is_the_chosen_methods(page):
    stated = page.get_by_text("The loss is steepest across the valley")
    assert "settles at rates below 2/λ = 0.190" in stated.inner_text().replace("\u00a0", " ")
    page.get_by_label("momentum").check()
    assert "settles at rates below 3.8/λ = 0.361" in stated.inner_text().replace("\u00a0", " ")
    page.get_by_label("Adam").check()
    assert "settles" not in stated.inner_text()


@pytest.mark.parametrize("method", ["gradient descent", "momentum", "Adam"])
def test_the_good_rate_ends_lower_than_one_too_small_or_too_large(page, method):
    page.get_by_label(method).check()
    losses = []
    for name in ("too small", "good", "too large"):
        press(page, name)
        words = re.search(r"^After \d+ steps the loss is (\d+\.?\d*)", outcome(page))
        losses.append(float("inf") if "10⁵" in outcome(page) or "stopped" in outcome(page) else float(words[1]))
    assert losses[1] < min(losses[0], losses[2]) / 3


def test_the_mouse_drags_the_start_and_the_path_follows(page):
    box = page.locator("canvas").first.bounding_box()
    before = outcome(page)
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 240, box["y"] + 200, steps=5)
    page.mouse.up()
    scale = 310 / box["width"]
    assert start(page) == pytest.approx([-1 + (240 * scale - 42) / 262 * 4, 3 - (200 * scale - 6) / 262 * 4], abs=0.08)
    assert outcome(page) != before


def test_a_finger_puts_the_start_and_a_stroke_past_the_rim_stays_on_the_map(page):
    canvas = page.locator("canvas").first
    assert canvas.evaluate("canvas => getComputedStyle(canvas).touchAction") == "none"
    canvas.tap(position={"x": 173, "y": 137})
    assert start(page) == pytest.approx([1, 1], abs=0.15)
    canvas.evaluate(
        """canvas => { for (const [type, x] of [["pointerdown", 50], ["pointermove", 9000], ["pointerup", 9000]])
            canvas.dispatchEvent(new PointerEvent(type, { pointerId: 7, clientX: x, clientY: -x, bubbles: true })); }"""
    )
    assert start(page) == [3, 3]


def test_the_keyboard_moves_the_start_and_the_rate(page):
    page.locator("canvas").first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    assert start(page) == [-0.3, 1.9]
    page.get_by_role("slider").focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "0.23"
    assert "the rate is above 2/λ" in outcome(page)


def test_twenty_steps_are_seen_one_by_one_where_motion_is_welcome(browser):
    page = live_page(browser, live.descent(), reduced_motion="no-preference")
    press(page, "20 steps")
    page.get_by_text("After 32 steps").first.wait_for()
    press(page, "20 steps")
    press(page, "Start again")  # ends the run of steps
    page.wait_for_timeout(300)
    assert outcome(page).startswith("At the start")
    assert page.problems == []
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, scheme):
    page = live_page(browser, live.descent(), scheme=scheme)
    assert problems_of_axe(page) == []
    page.context.close()
