"""moving-window: its numbers are torch's, the written sum ends in the output's number, and every hand moves it."""

import random
import re

import pytest
import torch
from live_pages import live_page, modules_page, problems_of_axe

from course_lib import live

SETTINGS = {"k": "Kernel side", "stride": "Stride", "padding": "Padding", "dilation": "Dilation", "channels": "Input"}
DEFAULT = {"k": 3, "stride": 1, "padding": 0, "dilation": 1, "channels": 1}
EXAMPLES = [
    DEFAULT,
    DEFAULT | {"stride": 2, "padding": 1},
    DEFAULT | {"k": 5, "padding": 2, "dilation": 2},
    DEFAULT | {"k": 1, "stride": 3},
    DEFAULT | {"k": 3, "padding": 2, "channels": 3, "dilation": 2},
    DEFAULT | {"k": 5, "padding": 1, "channels": 2, "stride": 3},
]
FUNCTIONS = """([pictures, sheets, k, settings]) => {
    const { featureMap, windowTerms } = window.modules.windows;
    const map = featureMap(pictures, sheets, k, settings), sums = [];
    for (let place = 0; place < map.data.length; place += 1) {
        const terms = windowTerms(pictures, sheets, k, settings, Math.floor(place / map.side), place % map.side);
        sums.push(terms.flat().reduce((sum, { pixel, weight }) => sum + pixel * weight, 0));
    }
    return { side: map.side, data: [...map.data], sums };
}"""


@pytest.fixture(scope="module")
def functions(browser):
    page = modules_page(browser, "windows")
    yield page.evaluate
    page.context.close()


def convolved(pictures, sheets, settings) -> torch.Tensor:
    channels, k = settings["channels"], settings["k"]
    x = torch.tensor(pictures, dtype=torch.float64).reshape(1, channels, 8, 8)
    weight = torch.tensor(sheets, dtype=torch.float64).reshape(1, channels, k, k)
    options = {name: settings[name] for name in ("stride", "padding", "dilation")}
    return torch.nn.functional.conv2d(x, weight, **options)[0, 0]


def assert_equal(found, expected: torch.Tensor):
    assert found["side"] == expected.shape[0] == expected.shape[1]
    for numbers in (found["data"], found["sums"]):
        difference = torch.tensor(numbers, dtype=torch.float64) - expected.flatten()
        assert difference.abs().max() <= 1e-5 * max(1, expected.abs().max())


def test_every_kernel_gives_torchs_numbers_on_every_picture(functions):
    kernels = functions("modules.windows.KERNELS")
    pictures = functions("modules.windows.PICTURES")
    assert len(kernels) == 6 and len(pictures) == 4
    for kernel in kernels.values():
        for rows in pictures.values():
            pixels = [int(pixel) for pixel in "".join(rows)]
            for padding in range(3):
                settings = DEFAULT | {"padding": padding}
                found = functions(FUNCTIONS, [[pixels], [kernel], 3, settings])
                assert_equal(found, convolved(pixels, kernel, settings))


def test_any_settings_and_weights_give_torchs_numbers(functions):
    draw = random.Random(0)
    tried = 0
    while tried < 150:
        settings = {"k": draw.choice([1, 3, 5]), "stride": draw.randint(1, 3), "padding": draw.randint(0, 2)}
        settings |= {"dilation": draw.randint(1, 2), "channels": draw.randint(1, 3)}
        if 8 + 2 * settings["padding"] <= settings["dilation"] * (settings["k"] - 1):
            continue
        tried += 1
        pictures = [[draw.randint(0, 2) for _ in range(64)] for _ in range(settings["channels"])]
        count = settings["k"] ** 2
        sheets = [[round(draw.uniform(-9, 9), 3) for _ in range(count)] for _ in range(settings["channels"])]
        found = functions(FUNCTIONS, [pictures, sheets, settings["k"], settings])
        assert_equal(found, convolved(pictures, sheets, settings))


@pytest.mark.parametrize(
    ("text", "value"),
    [("2", 2), ("-0.5", -0.5), ("1e2", 100), ("", None), (" ", None), ("-", None), ("1e9", None), ("NaN", None)],
)
def test_a_weight_is_a_number_from_minus_100_to_100_or_nothing(functions, text, value):
    assert functions("text => modules.windows.readWeight(text)", text) == value


@pytest.fixture
def page(browser):
    page = live_page(browser, live.moving_window(), width=390, has_touch=True)
    yield page
    assert page.problems == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not re.search(r"NaN|Infinity|undefined", page.locator("[data-live]").inner_text())
    page.context.close()


def position(page) -> str:
    """What a screen reader gets."""
    return page.locator(".position").inner_text()


def choose(page, settings):
    for name, value in settings.items():
        page.get_by_role("group", name=SETTINGS[name]).get_by_label(str(value), exact=True).check()


def number(text: str) -> float:
    return float(text.strip().strip("()").replace("−", "-"))


def product(term: str) -> float:
    factors = [number(factor) for factor in re.split("[·×]", term)]
    return factors[0] * factors[1]


def check_sum(page) -> float:
    """The output's number, after the sum written below it has been worked out."""
    *lines, last = [line.replace("\n", " ") for line in page.locator(".written p").all_inner_texts()]
    if not lines:
        terms, _, total = last.rpartition("=")
        assert sum(map(product, terms.split(" + "))) == pytest.approx(number(total), abs=1e-3)
    for line in lines:
        terms, _, total = line.partition(": ")[2].rpartition("=")
        assert sum(map(product, terms.split(" + "))) == pytest.approx(number(total), abs=1e-3)
    if lines:
        parts, _, total = last.removeprefix("All channels: ").rpartition("=")
        assert [number(part) for part in parts.split(" + ")] == [number(line.rpartition("=")[2]) for line in lines]
        assert sum(number(part) for part in parts.split(" + ")) == pytest.approx(number(total), abs=1e-3)
    assert position(page).rpartition(": ")[2] == total.strip()
    return number(total)


def shown_map(page, side: int) -> torch.Tensor:
    """Every number of the output, read by moving the window with the keyboard."""
    output = page.get_by_role("application", name="Output")
    output.focus()
    for key in ("ArrowUp", "ArrowLeft"):
        for _ in range(side):
            page.keyboard.press(key)
    numbers = []
    for row in range(side):
        numbers.append([])
        for _ in range(side):
            numbers[-1].append(check_sum(page))
            page.keyboard.press("ArrowRight")
        for _ in range(side * (row < side - 1)):
            page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowDown")
    assert position(page).startswith(f"Row {side}, column {side} ")
    return torch.tensor(numbers, dtype=torch.float64)


@pytest.mark.parametrize("settings", EXAMPLES, ids=str)
def test_the_sums_on_the_page_are_torchs(page, functions, settings):
    page.get_by_role("combobox", name="Picture").select_option("seven")
    page.get_by_role("combobox", name="Kernel").select_option("sharpen")
    choose(page, settings)
    pictures = functions("modules.windows.PICTURES")
    pixels = [[int(pixel) for pixel in "".join(pictures[name])] for name in ("seven", "ring", "square")]
    draw, sheets = random.Random(1), []
    fields = page.get_by_role("spinbutton").all()
    assert len(fields) == settings["k"] ** 2 * settings["channels"]
    for field in fields:
        sheets.append(draw.choice([-2, -1, 0, 0.5, 3]))
        field.fill(str(sheets[-1]))
    expected = convolved(pixels[: settings["channels"]], sheets, settings)
    side = expected.shape[0]
    assert f"Output {side} × {side}" in page.locator(".output").inner_text()
    assert re.search(rf"= {side}\. Here n is", page.locator(".formula").inner_text())
    torch.testing.assert_close(shown_map(page, side), expected, atol=1e-3, rtol=0)


def test_it_starts_on_the_edge_and_the_mouse_moves_the_window(page):
    assert position(page) == "Row 3, column 2 of the output: 6"
    output = page.get_by_role("application", name="Output")
    box = output.bounding_box()
    output.hover(position={"x": 0.95 * box["width"], "y": 0.4 * box["height"]})
    assert position(page) == "Row 3, column 6 of the output: −6"
    place = page.get_by_role("application", name="Input").bounding_box()
    page.mouse.move(place["x"] + 0.4 * place["width"], place["y"] + 0.4 * place["height"])
    page.mouse.down()
    page.mouse.move(place["x"] + 0.56 * place["width"], place["y"] + 0.56 * place["height"], steps=4)
    page.mouse.up()
    assert position(page) == "Row 4, column 4 of the output: 0"
    assert page.get_by_role("combobox", name="Picture").input_value() == "square"  # a drag changes no pixel


def test_a_tap_changes_a_pixel_and_a_finger_moves_the_window_without_scrolling(page):
    drawing = page.get_by_role("application", name="Input")
    for canvas in (drawing, page.get_by_role("application", name="Output")):
        assert canvas.evaluate("canvas => getComputedStyle(canvas).touchAction") == "none"
    drawing.scroll_into_view_if_needed()
    box = drawing.bounding_box()
    for expected in (5, 4, 6):  # the pixel in row 3, column 2, is left of the edge: 0, then 1, 2 and 0 again
        page.touchscreen.tap(box["x"] + 1.5 / 8 * box["width"], box["y"] + 2.5 / 8 * box["height"])
        assert check_sum_after_change(page) == expected
    assert page.get_by_role("combobox", name="Picture").input_value() == "your own"
    output = page.get_by_role("application", name="Output")
    output.scroll_into_view_if_needed()
    box = output.bounding_box()
    page.touchscreen.tap(box["x"] + 0.7 * box["width"], box["y"] + 0.05 * box["height"])
    assert position(page) == "Row 1, column 5 of the output: −2"


SHAKY_TAP = """(canvas) => {
    const box = canvas.getBoundingClientRect();
    const send = (type, x) => canvas.dispatchEvent(new PointerEvent(type, { pointerId: 1, pointerType: "touch",
        clientX: box.left + x * box.width, clientY: box.top + 2.5 / 8 * box.height, bubbles: true, cancelable: true }));
    for (const [type, x] of [["pointerdown", 1.3 / 8], ["pointermove", 1.7 / 8], ["pointerup", 1.7 / 8]]) send(type, x);
}"""


def test_a_finger_that_trembles_within_a_pixel_still_taps(page):
    page.get_by_role("application", name="Input").evaluate(SHAKY_TAP)
    assert check_sum_after_change(page) == 5


def check_sum_after_change(page) -> float:
    pixel, _, said = position(page).partition(". ")
    assert re.fullmatch(r"Pixel in row 3, column 2: [012]", pixel)
    assert said.startswith("Row 3, column 2 of the output: ")
    return check_sum(page)


def test_the_keyboard_changes_a_pixel(page):
    page.get_by_role("application", name="Input").focus()
    for key in ("ArrowUp", "ArrowLeft", "ArrowLeft"):  # from row 4, column 4
        page.keyboard.press(key)
    assert position(page) == "Pixel in row 3, column 2: 0."
    page.keyboard.press("Space")
    assert check_sum_after_change(page) == 5


@pytest.mark.parametrize("text", ["", "-", "1e9", "-1e400"])
def test_a_field_without_a_number_gets_a_word_and_counts_as_zero(page, text):
    field = page.get_by_label("Kernel, row 1, column 3")
    field.fill("")
    field.press_sequentially(text)
    page.get_by_text("Kernel, row 1, column 3: type a number from −100 to 100.").wait_for()
    assert check_sum(page) == 4
    field.fill("1")
    assert check_sum(page) == 6
    assert "type a number" not in page.locator("[data-live]").inner_text()


def test_where_no_window_fits_a_word_says_so_and_padding_fixes_it(page):
    choose(page, {"k": 5, "dilation": 2})
    assert position(page).startswith("No window fits: it spans 9 pixels, and the picture only 8.")
    assert page.locator(".written").inner_text() == ""
    page.get_by_role("application", name="No output").focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("button", name="Slide").is_disabled()
    choose(page, {"padding": 1})
    assert page.get_by_role("button", name="Slide").is_enabled()
    assert check_sum(page) is not None


def test_a_smaller_map_keeps_the_window_in_it(page):
    page.get_by_role("application", name="Output").focus()
    for key in ("ArrowDown", "ArrowRight"):
        for _ in range(9):
            page.keyboard.press(key)
    assert position(page).startswith("Row 6, column 6 ")
    choose(page, {"stride": 3})
    assert position(page).startswith("Row 2, column 2 ")


def test_the_window_slides_to_the_end_and_stops(page):
    page.get_by_role("application", name="Output").focus()
    for key in ["ArrowDown"] * 5 + ["ArrowRight"] * 2:
        page.keyboard.press(key)
    page.get_by_role("button", name="Slide the window").click()
    page.get_by_role("button", name="Stop").wait_for()
    page.get_by_text("Row 6, column 6 of the output").wait_for()
    page.get_by_role("button", name="Slide the window").wait_for()


def test_with_reduced_motion_each_press_moves_it_once(browser):
    page = live_page(browser, live.moving_window(), reduced_motion="reduce")
    page.get_by_role("button", name="Next position").click()
    assert position(page).startswith("Row 3, column 3 ")
    page.wait_for_timeout(1000)
    assert position(page).startswith("Row 3, column 3 ")
    page.context.close()


def test_a_preset_replaces_the_readers_weights_in_every_channel(page):
    choose(page, {"channels": 3})
    page.get_by_label("Kernel 2, row 2, column 2").fill("9")
    kernels = page.get_by_role("combobox", name="Kernel")
    assert kernels.input_value() == "your own"
    kernels.select_option("blur")
    assert [field.input_value() for field in page.get_by_role("spinbutton").all()] == 3 * (
        ["0.1"] * 4 + ["0.2"] + ["0.1"] * 4
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_with_three_channels_and_a_field_without_a_number(browser, scheme):
    page = live_page(browser, live.moving_window(), width=390, scheme=scheme)
    choose(page, {"channels": 3, "k": 5, "padding": 1})
    page.get_by_label("Kernel 3, row 5, column 5").fill("1e9")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert problems_of_axe(page) == []
    page.context.close()
