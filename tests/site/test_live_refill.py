"""refill: the browser's np.resize is numpy's, its enlargement torch's, and every hand finds where a pixel is from."""

import re
from base64 import b64decode

import numpy as np
import pytest
import torch
from live_pages import live_page, modules_page

from course_lib import live
from course_lib.data import sample
from course_lib.data.catalog import spec_of
from course_lib.errors import CourseError
from course_lib.transfer.inputs import interpolate, refill

COUNT = 7  # digits in a batch
REFILLED = """([side, images]) => images.map((image) => {
    const values = window.modules.resize.refilled(window.batch, side, image);
    let letters = "";
    for (const value of values) letters += String.fromCharCode(value);
    return btoa(letters);
})"""


@pytest.fixture(scope="module")
def batch() -> torch.Tensor:
    return sample.read(spec_of("mnist"), "test").images[:COUNT, 0].contiguous()


@pytest.fixture(scope="module")
def functions(browser, batch):
    page = modules_page(browser, "resize")
    page.evaluate("(values) => { window.batch = Uint8Array.from(values); }", batch.flatten().tolist())
    yield page
    page.context.close()


def refilled(functions, side: int, images: list[int]) -> list[np.ndarray]:
    texts = functions.evaluate(REFILLED, [side, images])
    return [np.frombuffer(b64decode(text), dtype=np.uint8).reshape(side, side) for text in texts]


def test_equals_numpy_at_all_sides(functions, batch):
    images = [0, 3, COUNT - 1]
    for side in range(1, 257):
        expected = np.resize(batch.numpy(), (COUNT, side, side))
        for image, found in zip(images, refilled(functions, side, images), strict=True):
            assert np.array_equal(found, expected[image]), (side, image)


@pytest.mark.parametrize("side", [28, 29, 56, 100, 112, 223, 224])
def test_equals_each_channel_of_what_the_snippets_feed(functions, batch, side):
    expected = refill(batch[:, None].expand(-1, 3, -1, -1), side)
    for image, found in enumerate(refilled(functions, side, list(range(COUNT)))):
        for channel in range(3):
            assert np.array_equal(found, expected[image, channel].numpy())


def test_origin_is_the_pixel_that_numpy_took(functions):
    numbers = np.arange(COUNT * 784)
    draw = np.random.default_rng(0)
    for side in [1, 28, 29, 56, 100, 111, 112, 224]:
        expected = np.resize(numbers, (COUNT, side, side))
        for image, row, column in zip(draw.integers(COUNT, size=20), *draw.integers(side, size=(2, 20)), strict=True):
            arguments = [side, int(image), int(row), int(column), 28, COUNT]
            found = functions.evaluate("(all) => modules.resize.origin(...all)", arguments)
            assert found["digit"] * 784 + found["row"] * 28 + found["column"] == expected[image, row, column]


@pytest.mark.parametrize("side", [28, 29, 56, 112, 224])
def test_enlargement_equals_torch(functions, batch, side):
    pixels = functions.evaluate(
        "(side) => [...modules.resize.enlarged(window.batch.subarray(784, 2 * 784), 28, side)]", side
    )
    expected = interpolate(batch[1:2, None], side)[0, 0].double()
    assert (torch.tensor(pixels).reshape(side, side) - expected).abs().max() <= 0.501  # there it is rounded


def test_refuses_a_side_that_the_slider_has_not():
    for side in (27, 225):
        with pytest.raises(CourseError, match=f"from 28 to 224 pixels, not {side}"):
            live.refill(side)


@pytest.fixture
def page(browser):
    page = live_page(browser, live.refill(), width=390, has_touch=True)
    yield page
    assert page.problems == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not re.search(r"NaN|Infinity|undefined", text(page))
    page.context.close()


def text(page) -> str:
    return page.locator(".live").inner_text().replace("\u00a0", " ")


def reading(page) -> str:
    return page.locator("[role=status]").inner_text()


def pixel(page, row: int, column: int, side: int) -> tuple[float, float]:
    canvas = page.locator("canvas[tabindex]")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    return box["x"] + (column + 0.5) * box["width"] / side, box["y"] + (row + 0.5) * box["height"] / side


def test_it_starts_with_sixteen_digits_under_one_label(page):
    assert "Each row takes 4 rows of a digit, side by side." in text(page)
    assert "The image holds 16 digits, 0 to 15. Its label is that of digit 0." in text(page)
    assert reading(page).startswith(
        "Pixel (58, 12) is number 6,508 in memory, all counted from 0. 6,508 = 8 · 784 + 236"
    )


def test_mouse_finger_and_keys_choose_a_pixel(page):
    page.mouse.click(*pixel(page, 10, 30, 112))
    assert "1150 = 1 · 784" in reading(page).replace(",", "")
    assert "366 = 13 · 28 + 2: digit 1" in reading(page)
    page.touchscreen.tap(*pixel(page, 0, 29, 112))
    assert "29 = 1 · 28 + 1: digit 0" in reading(page)
    canvas = page.locator("canvas[tabindex]")
    assert canvas.evaluate("canvas => getComputedStyle(canvas).touchAction") == "none"
    for key in ["ArrowUp", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowLeft", "ArrowRight"]:
        page.keyboard.press(key)
    assert reading(page).startswith("Pixel (2, 30)")


def test_the_side_decides_how_rows_are_filled(page):
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    assert "The shape stays the same, so nothing happens." in text(page)
    page.keyboard.press("ArrowRight")
    assert "takes one row of a digit and 1 pixel of the next. So the next row begins 1 further" in text(page)
    page.keyboard.press("End")
    assert "Each row takes 8 rows of a digit, side by side." in text(page)
    assert "The image holds 64 digits, 0 to 63." in text(page)


def test_the_next_image_holds_other_digits_than_its_own(page):
    page.get_by_role("button", name="Another digit").click()
    assert "16 digits, 16 to 31. Its label is that of digit 1, which is not among them." in text(page)
    page.get_by_label("one digit").check()
    assert "The image holds the digit 16 times." in text(page)
    assert "digit 1, a" in reading(page)


def test_after_the_last_digit_the_first_one_follows(page):
    page.get_by_role("slider").fill("224")
    for _ in range(3):  # image 3 is made of digits 192 to 255, and there are 200
        page.get_by_role("button", name="Another digit").click()
    page.mouse.click(*pixel(page, 200, 100, 224))
    assert "digit 0 follows digit 199" in reading(page)
    assert "64 digits, 192 to 55. Its label is that of digit 3." in text(page)


def test_a_smaller_side_keeps_the_chosen_pixel_inside(page):
    page.mouse.click(*pixel(page, 111, 111, 112))
    page.get_by_role("slider").fill("28")
    assert reading(page).startswith("Pixel (27, 27)")


def test_whole_digits_are_counted_apart_from_parts(page):
    page.get_by_role("slider").fill("200")  # 40,000 pixels are 51 digits of 784 and 16 pixels more
    assert "The image holds 51 digits and a part of another, 0 to 51." in text(page)
    page.get_by_role("button", name="Another digit").click()  # 768 of digit 51, 50 whole ones, and 32 of digit 102
    assert "The image holds 50 digits and parts of two others, 51 to 102." in text(page)
    page.get_by_role("slider").fill("29")  # 841 to 1,681 of memory
    assert "The image holds parts of 2 digits, 1 to 2." in text(page)
    page.get_by_label("one digit").check()
    assert "The image holds the digit once, and a part of it again." in text(page)
