import functools

import pytest
import torch
from torch import nn

from course_lib import models, training
from course_lib.errors import CourseError
from course_lib.training import setup
from course_lib.training.setup import Setup, choose_setup, usable_cores

CPU, CUDA, MPS = torch.device("cpu"), torch.device("cuda"), torch.device("mps")
AVX, AMX = "_is_avx512_bf16_supported", "_is_amx_tile_supported"


def choose(model=None, **options):
    return choose_setup(models.mlp() if model is None else model, **{"device": CPU, **options})


@pytest.fixture(autouse=True)
def all_instructions(monkeypatch):
    """Nobody keeps oneDNN from instructions that are there."""
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)


@pytest.fixture
def with_bfloat16(monkeypatch):
    monkeypatch.setattr(torch.cpu, AVX, lambda: True, raising=False)


@pytest.fixture
def gpu(monkeypatch):
    """A GPU that only says what it is."""

    def make(capability):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla T4")

    return make


def test_by_default_it_is_plain_float32(with_bfloat16, gpu):
    gpu((9, 0))
    for device in (CPU, CUDA, MPS):
        chosen = choose(device=device, optimizer=torch.optim.Adam)
        assert (chosen.precision, chosen.fused, chosen.compiled) == ("float32", False, False)
        with chosen.autocast():
            assert (torch.rand(2, 2) @ torch.rand(2, 2)).dtype is torch.float32


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="one of 'float32', 'auto', 'bfloat16', 'float16', not 'bf16'"):
        choose(precision="bf16")
    with pytest.raises(ValueError, match="threads must be at least 1, not 0"):
        choose(threads=0)


@pytest.mark.parametrize(
    ("avx", "amx", "name"),
    [(True, False, "bfloat16"), (False, True, "bfloat16"), (True, True, "bfloat16"), (False, False, "float32")],
)
def test_a_cpu_takes_bfloat16_where_it_has_instructions_for_it(avx, amx, name, monkeypatch):
    monkeypatch.setattr(torch.cpu, AVX, lambda: avx, raising=False)
    monkeypatch.setattr(torch.cpu, AMX, lambda: amx, raising=False)
    chosen = choose(precision="auto")
    assert chosen.precision == name
    with chosen.autocast():
        made = torch.rand(2, 2) @ torch.rand(2, 2)
    assert str(made.dtype) == f"torch.{name}"


@pytest.mark.parametrize(
    ("allowed", "name"),
    [
        ("AVX2", "float32"),
        ("AVX512_CORE", "float32"),
        ("avx512_core_bf16", "bfloat16"),
        ("AVX512_CORE_AMX", "bfloat16"),
    ],
)
def test_not_where_onednn_is_kept_from_these_instructions(with_bfloat16, monkeypatch, allowed, name):
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", allowed)
    assert choose(precision="auto").precision == name


def test_a_torch_that_does_not_tell_trains_in_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, AVX, raising=False)
    monkeypatch.delattr(torch.cpu, AMX, raising=False)
    assert choose(precision="auto").precision == "float32"
    assert choose(precision="auto", device=MPS).precision == "float32"


@pytest.mark.parametrize(("capability", "precision"), [((9, 0), "bfloat16"), ((8, 0), "bfloat16"), ((7, 5), "float16")])
def test_half_precision_follows_what_the_gpu_is_built_for(capability, precision, gpu):
    gpu(capability)
    assert choose(precision="auto", device=CUDA).precision == precision


def test_a_precision_that_the_device_lacks_is_refused_with_a_mend(gpu, monkeypatch):
    gpu((7, 5))
    with pytest.raises(CourseError, match=r"^Tesla T4 is not built for bfloat16: use precision='float16', or 'auto'"):
        choose(precision="bfloat16", device=CUDA)
    with pytest.raises(CourseError, match=r"^Apple MPS is not built for float16: use precision='float32', or 'auto'"):
        choose(precision="float16", device=MPS)
    monkeypatch.setattr(torch.cpu, AVX, lambda: False, raising=False)
    monkeypatch.setattr(torch.cpu, AMX, lambda: False, raising=False)
    with pytest.raises(CourseError, match=r"^CPU, .* is not built for bfloat16: use precision='float32'"):
        choose(precision="bfloat16")


def test_a_narrow_strided_shortcut_keeps_its_channels_first_on_a_cpu_and_trains(few):
    """In channels last oneDNN writes that layer's gradient beyond its memory, and Python dies."""

    def network(channels, stride=2, side=1):
        convolution = nn.Conv2d(channels, 16, side, stride, padding=side // 2)
        return nn.Sequential(
            nn.Conv2d(1, channels, 3), convolution, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)
        )

    assert not choose(network(8)).channels_last and not choose(network(15)).channels_last
    assert choose(network(16)).channels_last
    assert choose(network(8, stride=1)).channels_last and choose(network(8, side=3)).channels_last
    training.fit(network(8), few, epochs=1, device="cpu", show=False)


def test_convolutions_have_their_channels_last_where_that_is_faster(with_bfloat16, gpu):
    gpu((9, 0))
    for device, precision, expected in [
        (CPU, "float32", True),
        (CPU, "auto", True),
        (CUDA, "auto", True),
        (CUDA, "float32", False),
        (MPS, "float32", False),
    ]:
        assert choose(models.lenet5(), device=device, precision=precision).channels_last is expected
        assert choose(models.mlp(), device=device, precision=precision).channels_last is False
    assert choose(models.lenet5(), channels_last=False).memory_format is torch.contiguous_format
    assert choose(models.mlp(), channels_last=True).memory_format is torch.channels_last


def test_auto_takes_a_fused_optimiser_where_there_is_one(with_bfloat16):
    for optimizer, expected in [
        (torch.optim.Adam, True),
        (torch.optim.SGD, True),
        (functools.partial(torch.optim.AdamW, weight_decay=0.1), True),
        (functools.partial(torch.optim.AdamW, fused=False), False),
        (functools.partial(torch.optim.AdamW, foreach=True), False),
        (torch.optim.RMSprop, False),
        (lambda parameters, lr: torch.optim.SGD(parameters, lr), False),
    ]:
        assert choose(precision="auto", optimizer=optimizer).fused is expected
        assert choose(precision="float32", optimizer=optimizer).fused is False
    assert choose(precision="auto", optimizer=torch.optim.Adam, fused=False).fused is False
    chosen = choose(optimizer=torch.optim.Adam, fused=True)
    built = chosen.build(torch.optim.Adam, models.mlp(hidden=(4,)).parameters(), lr=0.5)
    assert built.defaults["fused"] is True and built.defaults["lr"] == 0.5


def test_threads_are_no_more_than_a_container_may_use(tmp_path, monkeypatch):
    if hasattr(setup.os, "sched_getaffinity"):
        monkeypatch.setattr(setup.os, "sched_getaffinity", lambda pid: set(range(64)))
    else:
        monkeypatch.setattr(setup.os, "cpu_count", lambda: 64)
    limits = tmp_path / "cpu.max"
    assert usable_cores(limits) == 64, "no such file: no limit"
    for text, cores in [("max 100000", 64), ("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1)]:
        limits.write_text(text)
        assert usable_cores(limits) == cores
    monkeypatch.setattr(setup, "usable_cores", lambda: 2)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    assert choose().threads == 2
    assert choose(threads=3).threads == 3
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert choose().threads == 1, "OMP_NUM_THREADS asked for fewer"


def test_threads_are_put_back():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), choose(threads=before + 1).at_work():
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


def test_the_choice_is_said_in_one_line(few, capsys):
    everything = Setup(CPU, "bfloat16", channels_last=True, fused=True, compiled=True, keeps_memory=True, threads=2)
    assert str(everything) == "CPU, 2 threads, bfloat16, channels last, fused optimiser, compiled, memory kept"
    assert str(Setup(MPS)) == "Apple MPS, float32"
    history = training.fit(models.mlp(hidden=(4,)), few, epochs=1, device="cpu", threads=1, keep_memory=False)
    assert history.setup == "CPU, 1 thread, float32"
    assert f"s on {history.setup}" in capsys.readouterr().out


def test_the_device_is_cuda_else_mps_else_cpu(monkeypatch):
    for cuda, mps, expected in [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]:
        monkeypatch.setattr(torch.cuda, "is_available", lambda cuda=cuda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda mps=mps: mps)
        assert training.best_device().type == expected


def test_every_choice_of_fit_reaches_the_setup(few, with_bfloat16):
    asked = {"precision": "bfloat16", "channels_last": True, "fused": True, "threads": 1, "keep_memory": False}
    history = training.fit(models.lenet5(), few, epochs=1, device="cpu", show=False, **asked)
    assert history.setup == "CPU, 1 thread, bfloat16, channels last, fused optimiser"
    assert "fused=True" in history.recipe["optimizer"] and history.recipe["precision"] == "bfloat16"


def test_compiled_means_that_torch_compiles_the_network(few, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda model: compiled.append(model) or model)
    model = models.mlp(hidden=(4,))
    training.fit(model, few, epochs=1, device="cpu", show=False)
    assert compiled == []
    training.fit(model, few, epochs=1, device="cpu", show=False, compiled=True)
    assert compiled == [model]
