"""What the benchmark measures, keeps and prints; no test asserts a speed."""

from dataclasses import replace

import pytest
import torch

from course_lib import models, recipes, records, training
from course_lib.recipes import Result
from course_lib.records import lines
from course_lib.records.table import BENCH_KINDS
from studies import benchmark

PEAK = {"float32": 1e9, "bfloat16": 2e9, "float16": 2e9}


@pytest.fixture
def there_are(digits, monkeypatch):
    """Whatever is loaded, it is so many digits to learn from, and 200 for validation and for the test each.

    All is in float32, for a processor may be slow at bfloat16.
    """
    for question in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, question, lambda: False, raising=False)

    def only(count):
        val, test = digits.val.select(range(200)), digits.open_test().select(range(200))
        made = replace(digits, train=digits.train.select(range(count)), val=val, _read_test=lambda: test)
        monkeypatch.setattr(benchmark.data, "load", lambda name, size: made)

    return only


def with_bfloat16(monkeypatch):
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)


def test_the_beginners_loop_trains_like_fit(few):
    """Another order of the images, so not the same numbers: but the same loss for weights that do not move."""
    training.set_seed(0)
    model = models.mlp(hidden=(16,))
    before = training.evaluate(model, few).loss
    assert benchmark.train_as_beginner(model, few, epochs=4) > 0
    assert training.evaluate(model, few).loss < before - 0.3


def test_a_step_has_a_line_for_each_loop(there_are, monkeypatch):
    there_are(300)
    with_bfloat16(monkeypatch)
    monkeypatch.setattr(benchmark, "NETWORKS", [("tiny", lambda: models.mlp(hidden=(4,)), "mnist", 2, 2)])
    made = list(benchmark.measure_steps("cpu", PEAK, rounds=2))
    assert [line["loop"] for line in made] == ["beginner", "fit", "fit, auto"]
    cost = 784 * 4 + 4 * 10
    for line in made:
        precision = "bfloat16" if line["loop"] == "fit, auto" else "float32"
        assert line["multiply_adds"] == cost
        per_second = 128 / (line["milliseconds"] / 1000)
        assert line["share_of_roof"] == pytest.approx(3 * cost * per_second / PEAK[precision])
        assert line["speedup"]["least"] <= line["speedup"]["median"] <= line["speedup"]["most"]
    assert made[0]["speedup"]["median"] == 1


def test_processes_are_timed_in_turn_against_one(monkeypatch):
    calls = []
    monkeypatch.setattr(benchmark, "usable_cores", lambda: 4)
    monkeypatch.setattr(benchmark, "together", lambda count: calls.append(count) or {1: 6.0, 4: 2.0}[count])
    one, four = benchmark.measure_together("cpu", rounds=3)
    assert calls == [1, 4] * 4, "once to warm up"
    assert (one["processes"], one["speedup"]["median"], four["processes"]) == (1, 1, 4)
    assert four["seconds"] == 2 and four["speedup"] == {"median": 3, "least": 3, "most": 3}
    assert not list(benchmark.measure_together("cuda", rounds=3))


def test_training_together_gives_its_seconds(monkeypatch):
    monkeypatch.setattr(
        benchmark, "TOGETHER", "import os; print(os.environ['WORLD_SIZE'], os.environ['OMP_NUM_THREADS'], 1.5)"
    )
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    assert benchmark.together(2) == 1.5
    monkeypatch.setattr(benchmark, "TOGETHER", "import os; print(os.environ['OMP_NUM_THREADS'])")
    assert benchmark.together(1) == benchmark.usable_cores(), "all cores, whatever the caller had"


@pytest.mark.parametrize(
    ("curves", "epochs"),
    [
        ([[0.5, 0.98, 0.995], [0.5, 0.99, 0.995]], 3),  # the mean of the second is 0.985
        ([[0.5, 0.99, 0.97], [0.5, 0.99, 0.97]], 2),
        ([[0.5, 0.99, 0.995], [0.5, 0.992, 0.995]], 2),  # the first that is there, not the best
        ([[0.5, 0.6, 0.7], [0.5, 0.8, 0.6]], 2),  # never there: the best mean
    ],
)
def test_the_beginners_epochs_are_the_first_whose_mean_is_there(curves, epochs, monkeypatch):
    rows = iter(curves)

    class History:
        def __init__(self, curve):
            self.epochs = [type("Epoch", (), {"val_accuracy": value}) for value in curve]

    monkeypatch.setattr(training, "fit", lambda *args, **options: History(next(rows)))
    assert benchmark.beginner_epochs(0.99, "cpu", seeds=(1, 2), size="sample") == epochs


def test_beginner_and_recipe_train_on_all_training_images_and_are_judged_on_test(there_are):
    there_are(1_800)
    slow = benchmark.beginner_run(3, 1, 0.99, "cpu", size="sample")
    fast = benchmark.recipe_run("mnist-99", 3, PEAK, "cpu", size="sample")
    for line in (slow, fast):
        assert (line["images"], line["judged_on"], line["seed"], line["target"]) == (2_000, "test", 3, 0.99)
        assert 0.1 < line["accuracy"] <= 1 and line["seconds"] > 0
    assert slow["epochs"] == 1 and fast["epochs"] == 2
    assert set(slow) <= set(fast), "one table holds both"


def fake_run(name, *, seed, test, size, device, show):
    return Result(name, seed, 100, 2, 3.0 + seed, "test", 0.991, 0.99, "one", 1_000, "CPU, 2 threads, float32")


@pytest.fixture
def everything_faked(monkeypatch, tmp_path):
    """A whole run in which nothing is trained."""
    (tmp_path / "results").mkdir()
    monkeypatch.setattr(benchmark, "ROOT", tmp_path)
    roof = {"kind": "roof", "precision": "float32", "convolution": 1e9, "matmul": 2e9}
    step = {"kind": "step", "network": "LeNet-5", "loop": "fit", "milliseconds": 3.5, "share_of_roof": 0.2}
    step["speedup"] = {"median": 2.5, "least": 2.4, "most": 2.6}
    monkeypatch.setattr(benchmark, "peak_throughput", lambda device: iter([roof]))
    monkeypatch.setattr(benchmark, "measure_steps", lambda device, peak, rounds: iter([step]))
    both = {"kind": "processes", "network": "VGG8-BN", "processes": 2, "seconds": 4.0, "speedup": step["speedup"]}
    monkeypatch.setattr(benchmark, "measure_together", lambda device, rounds: iter([both]))
    monkeypatch.setattr(recipes, "run", fake_run)
    monkeypatch.setattr(benchmark, "beginner_epochs", lambda target, device: 9)
    slow = {"kind": "target", "recipe": "beginner", "accuracy": 0.99, "views": "one", "seconds": 40.0}
    monkeypatch.setattr(benchmark, "beginner_run", lambda seed, *others: slow | {"seed": seed})
    return tmp_path / "results"


def test_results_are_kept_as_lines_with_a_digest_and_shown(everything_faked, capsys, monkeypatch):
    benchmark.main(["--seeds", "2", "--recipes", "mnist-99"])
    kept = records.read(everything_faked / "bench-cpu.jsonl")
    assert [line["kind"] for line in kept] == ["machine", "roof", "step", "processes", *["target"] * 4]
    assert [line["recipe"] for line in kept[4:]] == ["beginner", "mnist-99"] * 2, "in turn"
    said = capsys.readouterr().out
    assert "×2.50 (2.40 to 2.60)" in said and "20% of peak throughput" in said
    monkeypatch.setattr(lines, "results_folder", lambda: everything_faked)
    assert len(records.bench("target")) == 4


def test_a_run_that_breaks_leaves_the_old_results(everything_faked, monkeypatch):
    old = everything_faked / "bench-cpu.jsonl"
    old.write_text("old\n")
    monkeypatch.setattr(recipes, "run", lambda *args, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        benchmark.main(["--seeds", "1", "--recipes", "mnist-99"])
    assert old.read_text() == "old\n"


def test_published_benchmarks_are_whole():
    for path in lines.results_folder().glob("bench-*.jsonl"):
        kinds = {line["kind"] for line in records.read(path)}
        assert {"machine", "roof", "step", "target"} <= kinds <= set(BENCH_KINDS), path.name
