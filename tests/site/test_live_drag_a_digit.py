"""drag-a-digit: the browser's networks are torch's, and every hand can move and draw."""

import re
from base64 import b64encode

import pytest
import torch
from live_pages import live_page, modules_page, problems_of_axe

from course_lib import data, live, models, records
from course_lib.data import sample
from course_lib.data.catalog import spec_of
from course_lib.live.files import TEST_DIGITS, read_file
from course_lib.records.weights import read_weights

RUNS = {
    "perceptron": ("study-lenet-fair/perceptron", models.mlp),
    "lenet-5": ("study-lenet-fair/LeNet-5, modern", models.lenet5),
}
LOGITS = """async ([weights, name, pixels]) => {
    const { tensors, networks } = window.modules;
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    window.weights ??= {};
    window.weights[name] ??= await tensors.readTensors(bytes(weights).buffer);
    const all = bytes(pixels), logits = [];
    for (let start = 0; start < all.length; start += 784) {
        const one = all.subarray(start, start + 784);
        if (name === "perceptron") logits.push([...networks.perceptron(window.weights[name], one)]);
        else logits.push([...networks.lenet5(window.weights[name], one).logits]);
    }
    return logits;
}"""


def text(content: bytes) -> str:
    return b64encode(content).decode()


def in_browser(page, name: str, images: torch.Tensor) -> torch.Tensor:
    """The browser's logits for uint8 images (N, 1, 28, 28)."""
    return torch.tensor(
        page.evaluate(LOGITS, [text(read_file(f"{name}.safetensors")), name, text(images.numpy().tobytes())])
    )


def in_torch(name: str, split: data.Split) -> torch.Tensor:
    run, build = RUNS[name]
    network = build().eval()
    network.load_state_dict(records.weights(run))
    with torch.no_grad():
        return network(split.normalize(split.images))


@pytest.fixture(scope="module")
def functions(browser):
    page = modules_page(browser, "tensors", "networks", "digits")
    yield page
    page.context.close()


@pytest.mark.parametrize("name", RUNS)
def test_logits_equal_torch_on_200_test_images(functions, name):
    split = sample.read(spec_of("mnist"), "test").select(list(range(TEST_DIGITS)))
    torch.testing.assert_close(in_browser(functions, name, split.images), in_torch(name, split), atol=1e-4, rtol=0)


@pytest.mark.nightly
@pytest.mark.parametrize("name", RUNS)
def test_accuracy_on_all_test_images_is_the_recorded_one(functions, name):
    try:
        split = data.load("mnist").open_test()
    except data.CourseError as error:
        pytest.skip(f"needs all of MNIST: {error}")
    logits = torch.cat(
        [in_browser(functions, name, split.images[start : start + 1000]) for start in range(0, 10_000, 1000)]
    )
    torch.testing.assert_close(logits, in_torch(name, split), atol=2e-4, rtol=0)
    correct = int((logits.argmax(1) == split.labels).sum())
    recorded = read_weights(RUNS[name][0]).record["final"]["accuracy"]
    assert abs(correct - 10_000 * recorded) <= 5


def test_a_moved_digit_is_the_one_that_python_moves(functions):
    image = sample.read(spec_of("mnist"), "test").images[0, 0]
    padded = torch.nn.functional.pad(image, (14, 14, 14, 14))
    for right, down in [(0, 0), (3, 0), (-5, 2), (14, -14)]:
        found = functions.evaluate(
            "([p, x, y]) => [...modules.digits.moved(p, x, y)]", [image.flatten().tolist(), right, down]
        )
        assert found == padded[14 - down : 42 - down, 14 - right : 42 - right].flatten().tolist()


def test_centring_brings_a_moved_test_digit_back_to_where_mnist_has_it(functions):
    images = sample.read(spec_of("mnist"), "test").images[:100, 0]
    whole = images[(images[:, :3].sum((1, 2)) == 0) & (images[:, :, -2:].sum((1, 2)) == 0)]  # no ink leaves the frame
    assert len(whole) > 50
    script = "([p]) => [[...modules.digits.centred(p)], [...modules.digits.centred(modules.digits.moved(p, 2, -3))]]"
    for image in whole:
        pixels = image.flatten().tolist()
        assert functions.evaluate(script, [pixels]) == [pixels, pixels]


@pytest.fixture
def page(browser):
    page = live_page(browser, live.drag_a_digit(), width=390, has_touch=True)
    yield page
    assert page.problems == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shown = page.locator(".live").inner_text()
    assert not re.search(r"NaN|Infinity|undefined", shown)
    page.context.close()


def reading(page) -> str:
    """What a screen reader gets."""
    return page.locator("[role=status]").inner_text()


def drag(page, by, steps=1):
    box = page.locator("canvas").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0] * box["width"], y + by[1] * box["height"], steps=steps)
    page.mouse.up()


def test_it_starts_where_the_two_networks_disagree_and_the_mouse_moves_the_digit(page):
    assert reading(page) == "Perceptron reads 2 (100 % sure). LeNet-5 reads 0 (100 % sure)."
    drag(page, (-3 / 28, 0), steps=5)
    page.get_by_text("A 0, where MNIST has it").wait_for()
    assert reading(page).startswith("Perceptron reads 0")


def test_the_arrow_keys_move_the_digit(page):
    page.locator("canvas").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    page.get_by_text("A 0, moved 1 px down").wait_for()


TOUCH = """(canvas, points) => {
    const box = canvas.getBoundingClientRect();
    const send = (type, id, x, y) => canvas.dispatchEvent(new PointerEvent(type, { pointerId: id, pointerType: "touch",
        clientX: box.left + x * box.width, clientY: box.top + y * box.height, bubbles: true, cancelable: true }));
    for (const [type, id, x, y] of points) send(type, id, x, y);
}"""


def test_a_finger_draws_a_second_one_is_ignored_and_an_empty_drawing_gets_a_word(page):
    page.get_by_label("Draw", exact=True).check()
    page.get_by_text("Draw a digit here").wait_for()
    assert reading(page) == "Perceptron has nothing to read. LeNet-5 has nothing to read."
    canvas = page.locator("canvas").first
    assert canvas.evaluate("canvas => getComputedStyle(canvas).touchAction") == "none"
    stroke = [("pointerdown", 1, 0.5, 0.2), ("pointerdown", 2, 0.1, 0.1), ("pointermove", 2, 0.9, 0.1)]
    canvas.evaluate(TOUCH, [*stroke, ("pointermove", 1, 0.5, 0.8), ("pointerup", 1, 0.5, 0.8), ("pointerup", 2, 0, 0)])
    page.get_by_text("Your drawing").wait_for()
    assert "LeNet-5 reads 1" in reading(page)
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("Draw a digit here").wait_for()


def test_the_keyboard_draws(page):
    page.get_by_label("Draw", exact=True).check()
    page.locator("canvas").first.focus()
    page.keyboard.press("Space")
    for _ in range(13):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    for _ in range(4):
        page.keyboard.press("ArrowRight")  # lifted: it draws nothing
    page.get_by_text("Your drawing").wait_for()
    assert "LeNet-5 reads 1" in reading(page)


def test_a_wild_fast_stroke_over_the_rim_stays_a_drawing(page):
    page.get_by_label("Draw", exact=True).check()
    canvas = page.locator("canvas").first
    wild = [("pointermove", 1, 3 * (place % 2) - 1, (place * 37 % 50) / 10 - 2) for place in range(200)]
    canvas.evaluate(TOUCH, [("pointerdown", 1, 0.5, 0.5), *wild, ("pointerup", 1, 9, 9)])
    page.get_by_text("Your drawing").wait_for()
    assert "LeNet-5 reads" in reading(page)


def test_centring_makes_the_perceptron_right_wherever_the_digit_is(page):
    page.get_by_label("Centre it first").check()
    assert reading(page).startswith("Perceptron reads 0")
    drag(page, (5 / 28, 2 / 28))
    page.get_by_text("moved 8 px right and 2 px down").wait_for()
    assert "LeNet-5 reads 0" in reading(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser, scheme):
    page = live_page(browser, live.drag_a_digit(), scheme=scheme)
    assert problems_of_axe(page) == []
    page.context.close()
