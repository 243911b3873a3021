"""receptive-fields: squares are those of the analysis, gradients those of torch, and every hand chooses a unit."""

import re
from base64 import b64decode

import numpy as np
import pytest
import torch
from live_pages import live_page, modules_page
from torch import nn

from course_lib import analysis, live
from course_lib.errors import CourseError
from course_lib.live.files import read_file
from course_lib.live.windows import NETWORKS, build, networks_table, window_steps

GRADIENT = """([name, place, row, column]) => {
    const { fields } = window.modules, network = window.networks[name];
    const values = fields.gradient(network, place, row, column);
    const box = fields.square(fields.arithmetic(network)[place], row, column);
    const letters = Array.from(new Uint8Array(values.buffer), (byte) => String.fromCharCode(byte));
    const half = fields.halfSquare(values, network.side, box), out = fields.outside(box, network.side);
    return { values: btoa(letters.join("")), box, half, out };
}"""


@pytest.fixture(scope="module")
def functions(browser):
    page = modules_page(browser, "fields")
    page.evaluate("(table) => { window.networks = JSON.parse(table); }", read_file("windows.json").decode())
    yield page
    page.context.close()


def arithmetic(functions, name: str) -> list[dict]:
    return functions.evaluate("(name) => modules.fields.arithmetic(networks[name])", name)


def image_of(name: str) -> tuple[int, int, int]:
    first = next(layer for layer in build(name).modules() if isinstance(layer, nn.Conv2d))
    return first.in_channels, NETWORKS[name][1], NETWORKS[name][1]


@pytest.mark.parametrize("name", NETWORKS)
def test_squares_jumps_and_maps_equal_the_analysis_in_every_layer(functions, name):
    network = build(name)
    expected = analysis.receptive_field(network, image_of(name))[["receptive field", "jump"]].to_numpy().tolist()
    units = {step.name: step.shape[-1] for step in analysis.trace(network, image_of(name)).steps}
    windows = [
        (step, seen)
        for step, seen in zip(window_steps(network), arithmetic(functions, name), strict=True)
        if step["type"] != "add"
    ]
    assert [[seen["size"], seen["jump"]] for _, seen in windows] == expected
    assert [seen["units"] for _, seen in windows] == [units[step["name"]] for step, _ in windows]


def made_linear(name: str) -> nn.Module:
    """The live network in which each layer averages over channels and adds over its window; pools average."""
    network = build(name)
    for parent in list(network.modules()):
        for child, layer in parent.named_children():
            if isinstance(layer, nn.MaxPool2d):
                setattr(parent, child, nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding))
            elif isinstance(layer, nn.ReLU | nn.BatchNorm2d | nn.LocalResponseNorm):
                setattr(parent, child, nn.Identity())
            elif isinstance(layer, nn.Conv2d):
                nn.init.constant_(layer.weight, 1 / layer.weight.shape[1])
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
    return network.double().eval()


def units_of(side: int, draw: torch.Generator) -> list[tuple[int, int]]:
    """A corner, one at the border, the middle, and a random one."""
    anywhere = torch.randint(side, (2,), generator=draw).tolist()
    return [(0, 0), (side - 1, side // 3), (side // 2, side // 2), tuple(anywhere)]


LARGE = ["VGG-11", "VGG-19", "Plain-34", "ResNet-18", "ResNet-50"]  # ResNet-34 and VGG-16 stand for them


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.nightly] * (name in LARGE)) for name in NETWORKS]
)
def test_gradients_equal_torch_and_lie_in_the_square(functions, name):
    network, seen = made_linear(name), arithmetic(functions, name)
    steps, side, draw = window_steps(network), NETWORKS[name][1], torch.Generator().manual_seed(0)
    maps = {}
    for layer_name, layer in network.named_modules():
        layer.register_forward_hook(lambda _, __, output, key=layer_name: maps.update({key: output}))
    image = torch.zeros(1, *image_of(name), dtype=torch.float64, requires_grad=True)
    network(image)
    sums = [place for place, step in enumerate(steps) if step["type"] == "add"]
    shortcuts = [place for place, step in enumerate(steps) if "downsample.0" in step["name"]]
    for place in sorted({0, len(steps) // 2, len(steps) - 1, *sums[2:3], *shortcuts[1:2]}):
        unit_maps = maps[steps[place]["name"]]
        for row, column in units_of(seen[place]["units"], draw):
            found = functions.evaluate(GRADIENT, [name, place, row, column])
            values = torch.frombuffer(bytearray(b64decode(found["values"])), dtype=torch.float64).reshape(side, side)
            (expected,) = torch.autograd.grad(unit_maps[0, 0, row, column], image, retain_graph=True)
            torch.testing.assert_close(values, expected[0].sum(0), rtol=1e-6, atol=0)
            top, left, size = (found["box"][key] for key in ("top", "left", "size"))
            inside = torch.zeros(side, side, dtype=torch.bool)
            inside[max(0, top) : max(0, top + size), max(0, left) : max(0, left + size)] = True
            assert torch.equal(values > 0, inside)
            assert found["out"] == pytest.approx(1 - inside.sum().item() / size**2)


@pytest.mark.parametrize(("name", "place"), [("LeNet-5", 3), ("VGG8", 6), ("ResNet, small", 9)])
def test_the_dashed_square_is_the_smallest_that_holds_half_of_the_gradient(functions, name, place):
    side, last = NETWORKS[name][1], arithmetic(functions, name)[place]["units"] - 1
    for row, column in [(0, 0), (last // 2, last // 2), (last, 1)]:
        found = functions.evaluate(GRADIENT, [name, place, row, column])
        values = np.frombuffer(b64decode(found["values"])).reshape(side, side)
        box = found["box"]

        def share(inner, box=box, values=values):
            first = [box[key] + (box["size"] - inner) // 2 for key in ("top", "left")]
            rows, columns = (slice(max(0, start), max(0, start + inner)) for start in first)
            return values[rows, columns].sum() / values.sum()

        assert share(found["half"]) >= 0.5 > share(found["half"] - 2)


def test_a_plain_network_has_no_sum_and_a_block_is_named_once():
    assert not [step for step in window_steps(build("Plain-34")) if step["type"] == "add"]
    blocks = [step["name"] for step in window_steps(build("ResNet-18")) if step["type"] == "add"]
    assert blocks == [f"layer{stage}.{number}" for stage in range(1, 5) for number in range(2)]


def test_making_the_table_leaves_random_numbers_alone():
    before = torch.get_rng_state()
    networks_table()
    assert torch.equal(torch.get_rng_state(), before)


def test_names_that_are_not_there_get_a_line():
    with pytest.raises(CourseError, match="There is no network 'VGG-17': choose some of 'LeNet-5', "):
        live.receptive_fields(["VGG-16", "VGG-17"])
    with pytest.raises(CourseError, match="'VGG-16' is not offered: start with one of 'LeNet-5'"):
        live.receptive_fields("LeNet-5", start="VGG-16")


@pytest.fixture
def page(browser):
    page = live_page(browser, live.receptive_fields(), width=390, has_touch=True)
    yield page
    assert page.problems == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert not re.search(r"NaN|Infinity|undefined", page.locator(".live").inner_text())
    page.context.close()


def reading(page) -> str:
    return page.locator("[role=status]").inner_text().replace("\u00a0", " ")


def place_on_map(page, row: int, column: int, units: int) -> tuple[float, float]:
    box = page.locator("canvas").first.bounding_box()
    return box["x"] + (column + 0.5) * box["width"] / units, box["y"] + (row + 0.5) * box["height"] / units


def test_it_starts_with_a_field_as_large_as_the_image_of_which_the_middle_counts(page):
    assert reading(page).startswith("Unit (4, 4) sees 212 × 212 pixels. They do not count the same: the dashed square")
    assert "196 + (2 − 1) · 16 = 212 px" in page.locator(".live").inner_text()


def test_mouse_finger_keys_and_buttons_choose_a_unit(page):
    page.mouse.click(*place_on_map(page, 1, 5, 7))
    assert reading(page).startswith("Unit (2, 6)")
    page.touchscreen.tap(*place_on_map(page, 6, 2, 7))
    assert reading(page).startswith("Unit (7, 3)")
    assert page.locator("canvas").first.evaluate("canvas => getComputedStyle(canvas).touchAction") == "none"
    for key in ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowRight"]:
        page.keyboard.press(key)
    assert reading(page).startswith("Unit (6, 2)")
    page.get_by_role("button", name="Corner").click()
    assert "Of this square, 67 % lies outside of the image, in the padding." in reading(page)
    page.get_by_role("button", name="Middle").click()
    assert reading(page).startswith("Unit (4, 4)")


def test_a_drag_beyond_the_rim_stops_at_the_last_unit(page):
    page.mouse.move(*place_on_map(page, 3, 3, 7))
    page.mouse.down()
    page.mouse.move(380, 5, steps=4)
    page.mouse.up()
    assert reading(page).startswith("Unit (1, 7)")


@pytest.mark.parametrize(
    ("name", "said"), [("LeNet-5", "16 × 16"), ("AlexNet", "195 × 195"), ("ResNet-34", "899 × 899")]
)
def test_the_menu_opens_a_network_at_its_last_layer(page, name, said):
    page.get_by_label("Network").select_option(name)
    assert f"sees {said} pixels" in reading(page)


def test_the_slider_goes_down_to_the_first_layer_where_all_pixels_count_the_same(page):
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    assert reading(page) == "Unit (112, 112) sees 3 × 3 pixels. All of them count the same."
    page.keyboard.press("ArrowRight")
    assert "sees 5 × 5 pixels" in reading(page)
    assert slider.get_attribute("aria-valuetext") == "2 of 18: features.2, convolution 3 × 3"


def test_layers_of_all_kinds_can_be_shown_at_their_corner(page):
    for name in ["ResNet, small", "AlexNet, small", "ResNet-50"]:
        page.get_by_label("Network").select_option(name)
        last = int(page.get_by_role("slider").get_attribute("max"))
        for value in range(1, last + 1, 1 + last // 8):
            page.get_by_role("slider").fill(str(value))
            page.get_by_role("button", name="Corner").click()
            assert re.match(r"Unit \(1, 1\) sees \d", reading(page))
            assert not re.search(r"NaN|Infinity|undefined", page.locator(".live").inner_text())


def test_a_chapter_chooses_which_networks_are_offered(browser):
    page = live_page(browser, live.receptive_fields(["MiniVGG", "VGG, small"], start="VGG, small"))
    assert page.locator("option").all_inner_texts() == ["MiniVGG", "VGG, small"]
    assert "sees 36 × 36 pixels" in reading(page)
    page.context.close()
