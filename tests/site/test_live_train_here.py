"""train-here: gradients, Adam and losses are torch's; every mistake fails in its own way; one worker, or none."""

import math
from base64 import b64decode, b64encode
from types import SimpleNamespace

import pytest
import torch
from live_pages import live_page, modules_page, problems_of_axe
from torch.nn import functional as F

from course_lib import live, models
from course_lib.data import sample
from course_lib.data.catalog import spec_of
from course_lib.live.figure import FOLDER
from course_lib.live.files import read_file

GUESSING = math.log(10)
FIGURE, WITH_BUGS = live.train_here(), live.train_here(bugs=True)
SITE = "http://figures.test/"
BUGS = {
    "high rate": "A learning rate 100 times as high",
    "no zero_grad": "zero_grad() forgotten",
    "no step": "optimizer.step() forgotten",
    "random labels": "Labels drawn again in each step",
    "zero weights": "First weights all zero",
    "raw pixels": "Pixels from 0 to 255, not normalised",
    "raw validation": "Only validation digits not normalised",
    "softmax": "Softmax before cross-entropy",
}
SETUP = """async (packed) => {
    const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const tensors = await window.modules.tensors.readTensors(bytes(packed).buffer);
    window.digits = Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, data]));
    window.numbers = (values) => {  // as bytes in letters: half a million numbers are slow as JSON
        const all = new Uint8Array(Float32Array.from(values).buffer);
        let letters = "";
        for (let from = 0; from < all.length; from += 8192) {
            letters += String.fromCharCode(...all.subarray(from, from + 8192));
        }
        return btoa(letters);
    };
    window.inLine = (layers) => layers.flatMap(({ weight, bias }) => [numbers(weight), numbers(bias)]);
}"""
RUN = """(settings) => {
    const { training } = window.modules["perceptron-training"], judges = settings.judges ?? 1000;
    const digits = { ...window.digits, val_labels: window.digits.val_labels.subarray(0, judges) };
    const reports = [...training(digits, settings)].filter((report) => report);
    return reports.map(({ loss, gradient, moved, judged }) => (
        { loss: String(loss), gradient, moved, accuracy: judged?.accuracy }
    ));
}"""


@pytest.fixture(scope="module")
def functions(browser):
    page = modules_page(browser, "tensors", "perceptron-training", "train-here")
    page.evaluate(SETUP, b64encode(read_file("train-digits.safetensors.gz")).decode())
    yield page
    page.context.close()


def tensor(text: str) -> torch.Tensor:
    return torch.frombuffer(bytearray(b64decode(text)), dtype=torch.float32)


def perceptron(parameters: list[str]) -> torch.nn.Module:
    """torch's network with the browser's parameters."""
    network = models.mlp()
    with torch.no_grad():
        for own, text in zip(network.parameters(), parameters, strict=True):
            own.copy_(tensor(text).view_as(own))
    return network


def run(functions, **settings) -> SimpleNamespace:
    """A training in the browser: its losses, gradients, steps and accuracies."""
    first, *reports = functions.evaluate(RUN, settings)
    accuracies = [report["accuracy"] for report in [first, *reports] if report.get("accuracy") is not None]
    columns = {name: [float(report[name]) for report in reports] for name in ("loss", "gradient", "moved")}
    return SimpleNamespace(accuracies=accuracies, **columns)


@pytest.mark.parametrize("loss", ["crossEntropy", "crossEntropyOfProbabilities"])
@pytest.mark.parametrize("count", [32, 37])  # with whole blocks of four images, and with a rest
def test_gradients_equal_torchs(functions, loss, count):
    result = functions.evaluate(
        """([loss, count]) => {
            const { "perceptron-training": P, draws } = window.modules;
            const layers = P.firstWeights(draws.generator(3)), gradients = P.zeros(layers);
            const chosen = Uint32Array.from({ length: count }, (_, place) => place);
            const outputs = P.forward(layers, P.inputs(digits.images, chosen), count);
            const { losses, delta } = P[loss](outputs.at(-1), digits.labels.slice(0, count));
            P.backward(layers, outputs, delta.map((value) => value / count), gradients);
            return { losses: numbers(losses), parameters: inLine(layers), gradients: inLine(gradients) };
        }""",
        [loss, count],
    )
    split = sample.read(spec_of("mnist"), "train").select(list(range(count)))
    network = perceptron(result["parameters"])
    logits = network(split.normalize(split.images))
    if loss == "crossEntropyOfProbabilities":
        logits = logits.softmax(dim=1)
    losses = F.cross_entropy(logits, split.labels, reduction="none")
    losses.mean().backward()
    torch.testing.assert_close(tensor(result["losses"]), losses.detach(), atol=1e-5, rtol=0)
    for own, text in zip(network.parameters(), result["gradients"], strict=True):
        largest = own.grad.abs().max().item()
        torch.testing.assert_close(tensor(text).view_as(own), own.grad, atol=1e-5 * largest, rtol=1e-5)


def test_steps_equal_those_of_torchs_adam(functions):
    result = functions.evaluate(
        """() => {
            const P = window.modules["perceptron-training"], random = window.modules.draws.generator(1);
            const layers = P.firstWeights(random, [6, 5, 3]), step = P.adam(layers), seen = [inLine(layers)];
            for (const size of [1, 1e-3, 0, 1e-9]) {
                const gradients = P.firstWeights(random, [6, 5, 3]);
                for (const values of gradients.flatMap(({ weight, bias }) => [weight, bias])) {
                    values.forEach((value, place) => (values[place] = size * value));
                }
                step(gradients, 0.01);
                seen.push(inLine(gradients), inLine(layers));
            }
            return seen;
        }"""
    )
    weights = [tensor(text).requires_grad_() for text in result[0]]
    optimizer = torch.optim.Adam(weights, lr=0.01)
    for gradients, after in zip(result[1::2], result[2::2], strict=True):
        for weight, text in zip(weights, gradients, strict=True):
            weight.grad = tensor(text)
        optimizer.step()
        for weight, text in zip(weights, after, strict=True):
            torch.testing.assert_close(tensor(text), weight.detach(), atol=1e-6, rtol=0)


def test_first_weights_have_torchs_distribution(functions):
    drawn = functions.evaluate(
        """() => {
            const P = window.modules["perceptron-training"];
            return [7, 7, 8].map((seed) => inLine(P.firstWeights(window.modules.draws.generator(seed))));
        }"""
    )
    assert drawn[0] == drawn[1] != drawn[2]
    torch.manual_seed(0)
    layers = [layer for layer in models.mlp().modules() if isinstance(layer, torch.nn.Linear)]
    for layer, *texts in zip(layers, drawn[0][::2], drawn[0][1::2], strict=True):
        bound = layer.in_features**-0.5
        for own, text in zip((layer.weight, layer.bias), texts, strict=True):
            values = tensor(text)
            assert values.numel() == own.numel()
            for numbers in (own.detach().flatten(), values):  # torch's, then the browser's
                assert numbers.abs().max() <= bound
                if numbers.numel() > 10:
                    assert numbers.abs().max() > 0.95 * bound
                    assert abs(numbers.std() - bound / 3**0.5) < 0.1 * bound
                    assert abs(numbers.mean()) < 0.1 * bound


def test_losses_of_the_first_steps_equal_those_of_torchs_loop(functions):
    order, parameters = functions.evaluate(
        """() => {
            const { "perceptron-training": P, draws } = window.modules;
            const random = draws.generator(5), layers = P.firstWeights(random);
            return [[...P.shuffled(4000, random)], inLine(layers)];
        }"""
    )
    assert sorted(order) == list(range(4000))
    split, network = sample.read(spec_of("mnist"), "train"), perceptron(parameters)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.002)
    losses = []
    for place in range(3):
        batch = split.select(order[128 * place : 128 * place + 128])
        loss = F.cross_entropy(network(batch.normalize(batch.images)), batch.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert run(functions, seed=5, rate=0.002, steps=3, judges=10).loss == pytest.approx(losses, abs=1e-4)


def test_it_learns_as_recorded_and_90_percent_are_right_within_64_steps(functions):
    sound = run(functions, steps=64)
    assert max(sound.accuracies) >= 0.9
    recorded = functions.evaluate("window.modules['train-here'].RECORDED")
    means = [sum(sound.loss[place : place + 8]) / 8 for place in range(0, 64, 8)]
    assert [sound.loss[0], *means] == pytest.approx(recorded["losses"][:9], abs=0.03)
    assert sound.accuracies == pytest.approx(recorded["accuracies"][:9], abs=0.02)
    assert len(recorded["losses"]) == len(recorded["accuracies"]) == 21


@pytest.fixture(scope="module")
def sound(functions):
    return run(functions, steps=24, judges=200)


@pytest.mark.parametrize("bug", BUGS)
@pytest.mark.nightly
def test_each_mistake_fails_in_its_own_way(functions, sound, bug):
    broken = run(functions, steps=24, judges=200, bugs=[bug])
    assert all(map(math.isfinite, broken.loss))
    distance = [abs(loss - GUESSING) for loss in broken.loss]
    typical = {
        "high rate": max(broken.loss) > 100 and broken.loss[0] == sound.loss[0],
        "no zero_grad": broken.loss[0] == sound.loss[0] and broken.gradient[-1] > 5 * sound.gradient[-1],
        "no step": set(broken.moved) == {0} and len(set(broken.accuracies)) == 1 and max(distance) < 0.1,
        "random labels": max(distance) < 0.2 and min(broken.moved) > 0 and min(broken.gradient) > 0,
        "zero weights": sum(distance) / 24 < 2e-3 and distance[0] < 1e-6 and set(broken.gradient) == {0},
        "raw pixels": broken.loss[0] > 5,
        "raw validation": broken.loss == sound.loss and max(broken.accuracies[1:]) < max(sound.accuracies) - 0.03,
        "softmax": min(broken.loss) > math.log(math.e + 9) - 1 and broken.accuracies[-1] > 0.6,
    }
    assert typical[bug], broken


def test_a_loss_that_is_not_finite_ends_the_training(functions):
    losses = run(functions, steps=9, judges=10, rate=1e30).loss
    assert not math.isfinite(losses[-1]) and len(losses) < 9
    assert all(map(math.isfinite, losses[:-1]))


def wait_for_step(page, step: int) -> None:
    page.wait_for_function(
        """(step) => {
            const text = document.querySelector("[data-live]").shadowRoot.querySelector(".progress").textContent;
            return Number(text.match(/^Step (\\d+)/)[1]) >= step;
        }""",
        arg=step,
        timeout=120_000,
    )


def step_of(page) -> int:
    return int(page.locator(".progress").inner_text().split()[1].rstrip(":"))


@pytest.fixture
def open_figure(browser):
    """``open_figure(figure)`` opens it as Colab does, at an address, where workers are allowed."""
    opened = []

    def open_page(figure=FIGURE, width=760, scheme="light", **context):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, **context)
        page = context.new_page()
        opened.append(page)
        page.problems = []
        page.on("console", lambda line: page.problems.append(line.text))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        head = '<meta name="viewport" content="width=device-width"><title>A live figure</title>'
        body = f'<html lang="en">{head}<link rel="icon" href="data:,"><main><h1>A figure</h1>{figure.to_html()}</main>'
        page.route(SITE, lambda route: route.fulfill(body=f"<!doctype html>{body}", content_type="text/html"))
        page.goto(SITE)
        page.wait_for_function("document.querySelector('[data-live=on]')")
        return page

    yield open_page
    for page in opened:
        assert page.problems == []
        page.context.close()


def test_nothing_starts_by_itself_and_two_clicks_start_one_worker(open_figure):
    page = open_figure(reduced_motion="no-preference")
    started = []
    page.on("worker", lambda worker: started.append(worker.url))
    assert step_of(page) == 0 and page.workers == []
    page.get_by_role("button", name="Start").dblclick()
    wait_for_step(page, 1)
    assert page.get_by_role("button", name="Pause").is_visible()
    assert len(started) == 1
    page.get_by_role("button", name="Start again").click()
    wait_for_step(page, 1)
    assert len(started) == 2 and len(page.workers) == 1


@pytest.mark.parametrize("hand", ["mouse", "touch", "keyboard"])
def test_start_pause_and_go_on_by(open_figure, hand):
    page = open_figure(width=390, has_touch=True)

    def press(name):
        button = page.get_by_role("button", name=name, exact=True)
        {"mouse": button.click, "touch": button.tap, "keyboard": lambda: button.press("Enter")}[hand]()

    press("Start")
    wait_for_step(page, 1)
    page.wait_for_timeout(600)  # or it would be a double click
    press("Pause")
    page.get_by_text("Paused.").wait_for()
    page.wait_for_timeout(700)
    step = step_of(page)
    page.wait_for_timeout(700)
    assert step_of(page) == step
    press("Go on")
    wait_for_step(page, step + 1)
    press("Start again")
    page.wait_for_function(
        "document.querySelector('[data-live]').shadowRoot.querySelector('.progress').textContent.match(/^Step 0/)"
    )


def train_in_the_page(page) -> None:
    page.get_by_role("button", name="Start").click()
    wait_for_step(page, 2)
    assert page.workers == []
    page.wait_for_timeout(600)
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(500)
    step = step_of(page)
    page.wait_for_timeout(1000)
    assert step_of(page) == step
    page.get_by_role("button", name="Go on").click()
    wait_for_step(page, step + 1)


def test_where_workers_are_forbidden_the_page_trains(open_figure):
    page = open_figure()
    page.evaluate("() => { delete window.Worker; }")
    train_in_the_page(page)


def test_where_a_worker_cannot_import_modules_the_page_trains(browser):
    """As on a page that was opened as a file: it has no origin, so its modules are strangers to each other."""
    page = live_page(browser, FIGURE)
    train_in_the_page(page)
    assert page.problems == []
    page.context.close()


def test_its_worker_ends_when_the_figure_leaves_the_page(open_figure):
    page = open_figure()
    page.get_by_role("button", name="Start").click()
    wait_for_step(page, 1)
    with page.workers[0].expect_event("close"):
        page.evaluate("document.querySelector('main').remove()")


def test_on_the_site_its_worker_is_a_file(browser):
    def answer(route):
        name = route.request.url.rpartition("/")[2]
        if name.endswith(".js"):
            route.fulfill(body=(FOLDER / name).read_text(encoding="utf-8"), content_type="text/javascript")
        elif name.endswith(".gz"):
            route.fulfill(body=read_file(name))
        else:
            place = "<div data-figure=train-here data-options={}></div><script type=module src=start.js></script>"
            route.fulfill(body=f"<!doctype html><link rel=icon href=data:,>{place}", content_type="text/html")

    context = browser.new_context()
    page, problems = context.new_page(), []
    page.on("console", lambda line: problems.append(line.text))
    context.route(f"{SITE}**", answer)
    page.goto(SITE)
    page.get_by_role("button", name="Start").click()
    wait_for_step(page, 1)
    assert [worker.url for worker in page.workers] == [f"{SITE}train-worker.js"]
    assert problems == []
    context.close()


REPORTS = """(reports) => {
    window.Worker = class {
        postMessage(message) {
            const data = (report) => (report.loss === "NaN" ? { ...report, loss: NaN } : report);
            if (message.digits) setTimeout(() => reports.forEach((report) => this.onmessage({ data: data(report) })));
        }
        terminate() {}
    };
}"""


def test_a_loss_that_is_no_number_is_told_in_words(open_figure):
    page = open_figure(WITH_BUGS)
    batch = {"chosen": [0], "labels": [1], "range": [-0.4, 2.8]}
    report = {"images": 128, "right": 12, "gradient": 0, "moved": 1e-30, "batch": batch}
    reports = [{"step": 1, "loss": 7.3e30, **report}, {"step": 2, "loss": "NaN", **report}, {"done": True}]
    page.evaluate(REPORTS, reports)
    page.get_by_role("button", name="Start").click()
    page.get_by_text("Step 2: the loss is no longer a finite number").wait_for()
    text = page.locator(".live").inner_text()
    assert "7.3·10³⁰" in text and "exactly 0" in text and "1·10⁻³⁰" in text
    assert "NaN" not in text and "Infinity" not in text and "undefined" not in text


@pytest.mark.nightly
def test_settings_count_from_the_next_start(open_figure):
    page = open_figure()
    note = page.get_by_text("count from the next start")
    rate = page.get_by_role("slider", name="Learning rate")
    rate.press("End")
    assert rate.get_attribute("aria-valuetext") == "1" and note.is_hidden()
    page.get_by_role("button", name="Start").click()
    page.get_by_text("far above that of guessing").wait_for(timeout=60_000)
    assert "NaN" not in page.locator(".live").inner_text()
    rate.press("Home")
    assert rate.get_attribute("aria-valuetext") == "0.00001" and note.is_visible()
    page.get_by_role("button", name="Start again").click()
    assert note.is_hidden()
    page.get_by_label("Seed").select_option("3")
    assert note.is_visible()


@pytest.mark.parametrize("name", ["First weights all zero", "Pixels from 0 to 255, not normalised"])
def test_a_ticked_mistake_is_made_and_says_what_to_check(open_figure, name):
    page = open_figure(WITH_BUGS)
    check = page.locator(".checks p", has_text=name)
    page.get_by_role("checkbox", name=name).press(" ")
    assert check.count() == 0  # it would give the result away
    page.get_by_role("button", name="Start").click()
    wait_for_step(page, 8)
    assert check.is_visible()
    page.wait_for_function(
        "document.querySelector('[data-live]').shadowRoot.querySelectorAll('.signs dd')[3].textContent !== '–'",
        timeout=60_000,
    )
    train, _, first, gradient, moved, _ = page.locator(".signs dd").all_inner_texts()
    if name.startswith("First"):
        assert (train, first, gradient, moved) == ("−0.42 to 2.82", "2.303", "exactly 0", "exactly 0")
    else:
        assert train == "0 to 255" and float(first) > 5 and float(gradient) > 0


def test_the_rate_says_what_a_mistake_makes_of_it(open_figure):
    page = open_figure(WITH_BUGS)
    rate = page.get_by_role("slider", name="Learning rate")
    assert rate.get_attribute("aria-valuetext") == "0.001"
    page.get_by_role("checkbox", name=BUGS["high rate"]).check()
    assert rate.get_attribute("aria-valuetext") == "0.001 (used: 0.1)"
    page.get_by_role("button", name="A secret mistake").click()
    assert rate.get_attribute("aria-valuetext") == "0.001"


@pytest.mark.nightly
def test_several_mistakes_at_once(open_figure):
    page = open_figure(WITH_BUGS)
    for bug in BUGS.values():
        page.get_by_role("checkbox", name=bug).check()
    page.get_by_role("button", name="Start").click()
    wait_for_step(page, 2)
    assert "NaN" not in page.locator(".live").inner_text()


def test_a_secret_mistake_is_hidden_until_it_is_guessed(open_figure):
    page = open_figure(WITH_BUGS)
    page.get_by_role("button", name="A secret mistake").click()
    wait_for_step(page, 1)
    assert page.get_by_role("checkbox", name=BUGS["softmax"], include_hidden=True).is_hidden()
    assert page.locator(".checks").inner_text() == "It comes here once you have found the mistake."
    guess = page.get_by_label("Which mistake is it?")
    for bug in reversed(BUGS):
        guess.select_option(bug)
        said = page.locator("[role=status]").inner_text()
        if said.startswith("Right"):
            break
        assert said.startswith("No")
    assert said == f"Right: {BUGS[bug]}."
    assert page.get_by_role("checkbox", name=BUGS[bug]).is_checked() and guess.is_hidden()
    assert BUGS[bug] in page.locator(".checks").inner_text()
    assert page.get_by_text("count from the next start").is_hidden()  # the run was made with this mistake


def test_the_secret_can_be_revealed(open_figure):
    page = open_figure(WITH_BUGS)
    page.get_by_role("button", name="A secret mistake").press("Enter")
    page.get_by_role("button", name="Reveal").press("Enter")
    name = page.locator("[role=status]").inner_text().removeprefix("It is: ").removesuffix(".")
    assert page.get_by_role("checkbox", name=name).is_checked()


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1300, "light")])
def test_with_mistakes_it_fits_and_axe_finds_nothing(open_figure, width, scheme):
    page = open_figure(WITH_BUGS, width=width, scheme=scheme)
    for bug in BUGS.values():
        page.get_by_role("checkbox", name=bug).check()
    assert problems_of_axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="A secret mistake").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert problems_of_axe(page) == []
