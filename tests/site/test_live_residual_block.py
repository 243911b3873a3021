"""residual-block: its signals and gradients are those of torch's network with the same weights."""

import re

import pytest
import torch
from live_pages import live_page, modules_page
from torch import nn

from course_lib import live

STACK = """([x, count, scale, skip]) => {
    const { blockWeights, runStack } = window.modules["residual-block"];
    return runStack(x, blockWeights().slice(0, count), scale, skip);
}"""


@pytest.fixture(scope="module")
def functions(browser):
    page = modules_page(browser, "residual-block")
    yield page.evaluate
    page.context.close()


def lehmer(seed: int):
    """Numbers from −1 to 1, as the module makes them."""
    while True:
        seed = seed * 48271 % (2**31 - 1)
        yield 2 * seed / (2**31 - 1) - 1


def branches() -> list[nn.Sequential]:
    """F of each of the 20 blocks, in torch, where the slider is at 1."""
    numbers = lehmer(1172)
    for _ in range(50):
        next(numbers)
    made = []
    for _ in range(20):
        layers = nn.Linear(4, 8, bias=False), nn.Linear(8, 4, bias=False)
        for layer, bound in zip(layers, (1.5**0.5, 0.375**0.5), strict=True):
            weight = [bound * next(numbers) for _ in range(32)]
            layer.weight = nn.Parameter(torch.tensor(weight, dtype=torch.float64).reshape(layer.weight.shape))
        made.append(nn.Sequential(layers[0], nn.ReLU(), layers[1]))
    return made


def run(x, count, scale, skip):
    """The signals, the F(x), and the gradients of the last signal's sum with respect to each signal, by autograd."""
    signals, outputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True)], []
    with torch.no_grad():
        stack = branches()[:count]
        for branch in stack:
            branch[0].weight *= scale
            branch[2].weight *= scale
    for branch in stack:
        outputs.append(branch(signals[-1]))
        signals.append(signals[-1] + outputs[-1] if skip else outputs[-1])
        signals[-1].retain_grad()
    signals[-1].sum().backward()
    return {"signals": signals, "branches": outputs, "gradients": [signal.grad for signal in signals]}


INPUTS = [[1, -0.5, 1.5, 0.5], [-2, 2, -2, 2], [0.1, 0, 0, -0.1]]


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("scale", [0, 0.05, 0.5, 1, 1.35, 2])
@pytest.mark.parametrize("count", [1, 3, 20])
def test_signals_and_gradients_are_torchs(functions, skip, scale, count):
    for x in INPUTS:
        found, expected = functions(STACK, [x, count, scale, skip]), run(x, count, scale, skip)
        for name, vectors in expected.items():
            for mine, its in zip(found[name], vectors, strict=True):
                torch.testing.assert_close(torch.tensor(mine, dtype=torch.float64), its.detach(), rtol=1e-5, atol=0)


def test_without_weights_the_stack_is_the_identity_with_skips_and_zero_without(functions):
    kept, lost = (functions(STACK, [INPUTS[0], 20, 0, skip]) for skip in (True, False))
    assert kept["signals"][-1] == INPUTS[0] and kept["gradients"][0] == [1, 1, 1, 1]
    assert lost["signals"][-1] == [0, 0, 0, 0] and lost["gradients"][0] == [0, 0, 0, 0]


def test_no_f_cuts_an_input_off(functions):
    draw = torch.Generator().manual_seed(0)
    inputs = (torch.rand(300, 4, generator=draw) * 4 - 2).tolist()
    stacks = functions(f"(inputs) => inputs.map((x) => ({STACK})([x, 20, 1, false]))", inputs)
    assert all(any(stack["signals"][-1]) for stack in stacks)


@pytest.fixture
def page(browser):
    page = live_page(browser, live.residual_block(), width=390, has_touch=True)
    yield page
    assert page.problems == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not re.search(r"NaN|Infinity|undefined", page.locator("[data-live]").inner_text())
    page.context.close()


def said(page) -> str:
    """What a screen reader gets."""
    return page.locator("[role=status]").inner_text()


def number(text: str) -> float:
    """The number that a reader reads, such as −3.2·10⁻¹³."""
    factor, _, power = text.replace("−", "-").partition("·10")
    return float(factor) * 10 ** int(power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")) or 0)


def table(page) -> list[list[float]]:
    """The last signal, and the gradient for x."""
    rows = [row.locator("td").all_inner_texts()[1:] for row in page.locator("tbody tr").all()]
    return [[number(text) for text in column] for column in zip(*rows, strict=True)]


def assert_shows(page, x, count, scale, skip):
    expected = run(x, count, scale, skip)
    for shown, vector in zip(table(page), (expected["signals"][-1], expected["gradients"][0]), strict=True):
        assert shown == pytest.approx(vector.tolist(), rel=0.05)


def test_it_starts_where_the_skip_keeps_a_gradient_that_is_lost_without(page):
    assert said(page) == (
        "The skip is on: each block gives x + F(x). "
        "Through 20 blocks, the gradient at x has size 2.33 with the skip and 2·10⁻¹³ without it. "
        "Without the skip, a step of SGD would hardly change the first block."
    )
    assert_shows(page, INPUTS[0], 20, 0.5, True)


def test_the_mouse_moves_a_slider_and_a_finger_switches_the_skip_off(page):
    weights = page.get_by_role("slider", name="Size of F's weights")
    box = weights.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert_shows(page, INPUTS[0], 20, 1, True)
    skip = page.get_by_role("checkbox", name="Skip")
    skip.scroll_into_view_if_needed()
    box = skip.bounding_box()
    page.touchscreen.tap(box["x"] + 9, box["y"] + 9)
    page.get_by_text("Without the skip, the gradient at x is the product of all F′.").wait_for()
    assert_shows(page, INPUTS[0], 20, 1, False)
    assert page.get_by_role("img", name="the skip is off").is_visible()
    assert said(page).startswith("The skip is off: each block gives F(x) alone.")


def test_the_keyboard_changes_x_the_weights_and_the_blocks(page):
    page.get_by_role("slider", name="x₂").press("End")
    page.get_by_role("slider", name="Blocks").press("ArrowLeft")
    page.get_by_role("slider", name="Size of F's weights").press("ArrowRight")
    assert_shows(page, [1, 2, 1.5, 0.5], 19, 0.55, True)
    page.get_by_role("checkbox", name="Skip").press("Space")
    assert_shows(page, [1, 2, 1.5, 0.5], 19, 0.55, False)


def test_at_every_end_of_its_sliders_the_numbers_stay_finite_and_a_sentence_says_what_they_mean(page):
    fill = {name: page.get_by_role("slider", name=name).fill for name in ("Size of F's weights", "Blocks")}
    inputs = [page.get_by_role("slider", name=f"x{index}") for index in "₁₂₃₄"]
    for weights, blocks, x in [("2", "20", "2"), ("2", "20", "-2"), ("0", "1", "2"), ("0.05", "20", "2")]:
        fill["Size of F's weights"](weights)
        fill["Blocks"](blocks)
        for one in inputs:
            one.fill(x)
        assert "too large" not in page.locator("[data-live]").inner_text()
        assert_shows(page, [float(x)] * 4, int(blocks), float(weights), True)
        meaning = {
            "2": "the skip does not help",
            "0": "F is 0. With the skip, 1 block",
            "0.05": "would hardly change the first block",
        }
        assert meaning[weights] in said(page)
    for one in inputs:
        one.fill("0")
    assert said(page) == "x is all zeros, so each F(x) is 0, too: move a slider of x."


def test_a_number_too_large_to_show_gets_a_word(browser):
    page = modules_page(browser, "frame")
    words = page.evaluate(
        "[1 / 0, NaN, 0, -0, 1234.5678, -0.00012, 1e5, -3.24e-13, 1e-15].map((one) => modules.frame.written(one))"
    )
    assert words == [
        *["too large to show"] * 2,
        *["0", "0", "1234.568", "−1.2·10⁻⁴", "1·10⁵", "−3.2·10⁻¹³", "1·10⁻¹⁵"],
    ]
    page.context.close()
