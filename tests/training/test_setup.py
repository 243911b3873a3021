import functools

import pytest
import torch
from torch import nn

from course_lib import models, training
from course_lib.errors import CourseError
from course_lib.training import setup
from course_lib.training.setup import choose_setup, usable_cores

CPU, CUDA, MPS = torch.device("cpu"), torch.device("cuda"), torch.device("mps")
INSTRUCTIONS = {"avx": "_is_avx512_bf16_supported", "amx": "_is_amx_tile_supported"}


def choose(model=None, **options):
    return choose_setup(models.mlp() if model is None else model, **{"device": CPU, **options})


@pytest.fixture
def cpu(monkeypatch):
    """Gives the CPU some instructions for bfloat16."""

    def make(*present):
        monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
        for name, check in INSTRUCTIONS.items():
            monkeypatch.setattr(torch.cpu, check, lambda name=name: name in present, raising=False)

    return make


@pytest.fixture
def gpu(monkeypatch):
    """Gives the machine a GPU of some compute capability."""

    def make(capability):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla T4")

    return make


def test_the_default_is_plain_float32(cpu, gpu):
    cpu("avx", "amx"), gpu((9, 0))
    for device in (CPU, CUDA, MPS):
        chosen = choose(device=device, optimizer=torch.optim.Adam)
        assert (chosen.precision, chosen.fused, chosen.compiled) == ("float32", False, False)
        with chosen.autocast():
            assert (torch.rand(2, 2) @ torch.rand(2, 2)).dtype is torch.float32


def test_refuses_an_unknown_precision_and_no_thread():
    with pytest.raises(ValueError, match="one of 'float32', 'auto', 'bfloat16', 'float16', not 'bf16'"):
        choose(precision="bf16")
    with pytest.raises(ValueError, match="threads must be at least 1, not 0"):
        choose(threads=0)


@pytest.mark.parametrize(
    ("instructions", "allowed", "precision"),
    [
        (["avx"], None, "bfloat16"),
        (["amx"], None, "bfloat16"),
        ([], None, "float32"),
        (["avx"], "AVX2", "float32"),
        (["avx"], "AVX512_CORE", "float32"),
        (["avx"], "avx512_core_bf16", "bfloat16"),
        (["avx"], "AVX512_CORE_AMX", "bfloat16"),
    ],
)
def test_a_cpu_takes_bfloat16_where_it_has_instructions_for_it(cpu, monkeypatch, instructions, allowed, precision):
    cpu(*instructions)
    if allowed:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", allowed)
    chosen = choose(precision="auto")
    assert chosen.precision == precision
    with chosen.autocast():
        assert str((torch.rand(2, 2) @ torch.rand(2, 2)).dtype) == f"torch.{precision}"


def test_a_torch_that_cannot_detect_instructions_trains_in_float32(cpu, monkeypatch):
    cpu("avx")
    for check in INSTRUCTIONS.values():
        monkeypatch.delattr(torch.cpu, check)
    assert choose(precision="auto").precision == choose(precision="auto", device=MPS).precision == "float32"


@pytest.mark.parametrize(("capability", "precision"), [((9, 0), "bfloat16"), ((8, 0), "bfloat16"), ((7, 5), "float16")])
def test_a_gpu_takes_the_half_precision_it_is_built_for(gpu, capability, precision):
    gpu(capability)
    assert choose(precision="auto", device=CUDA).precision == precision


@pytest.mark.parametrize(
    ("device", "precision", "message"),
    [
        (CUDA, "bfloat16", "Tesla T4 is not built for bfloat16: use precision='float16', or 'auto'"),
        (MPS, "float16", "Apple MPS is not built for float16: use precision='float32', or 'auto'"),
        (CPU, "bfloat16", "CPU, .* is not built for bfloat16: use precision='float32'"),
    ],
)
def test_refuses_a_precision_that_the_device_lacks(cpu, gpu, device, precision, message):
    cpu(), gpu((7, 5))
    with pytest.raises(CourseError, match=f"^{message}"):
        choose(precision=precision, device=device)


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


def test_narrow_residual_networks_have_their_channels_last_and_compute_what_torchs_layers_do(few):
    training.set_seed(0)
    narrow = models.resnet18(10, in_channels=1, width=0.125, stem="cifar")
    assert choose(narrow).channels_last
    block = models.BasicBlock(8, 16, stride=2, skip=True).double()
    ours, images = block.downsample[0], torch.randn(2, 8, 7, 7, dtype=torch.float64, requires_grad=True)
    torchs = nn.Conv2d(8, 16, 1, stride=2, bias=False).double()
    torchs.load_state_dict(ours.state_dict())
    gradients = [torch.autograd.grad(layer(images).square().sum(), images)[0] for layer in (ours, torchs)]
    assert torch.allclose(ours(images), torchs(images)) and torch.allclose(*gradients)
    training.fit(narrow, few, epochs=1, device="cpu", show=False)


@pytest.mark.parametrize(
    ("device", "precision", "expected"),
    [
        (CPU, "float32", True),
        (CPU, "auto", True),
        (CUDA, "auto", True),
        (CUDA, "float32", False),
        (MPS, "float32", False),
    ],
)
def test_convolutions_have_their_channels_last_where_that_is_faster(gpu, device, precision, expected):
    gpu((9, 0))
    assert choose(models.lenet5(), device=device, precision=precision).channels_last is expected
    assert choose(models.mlp(), device=device, precision=precision).channels_last is False
    assert choose(models.lenet5(), channels_last=False).memory_format is torch.contiguous_format
    assert choose(models.mlp(), channels_last=True).memory_format is torch.channels_last


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (torch.optim.Adam, True),
        (functools.partial(torch.optim.AdamW, weight_decay=0.1), True),
        (functools.partial(torch.optim.AdamW, fused=False), False),
        (functools.partial(torch.optim.AdamW, foreach=True), False),
        (torch.optim.RMSprop, False),
        (lambda parameters, lr: torch.optim.SGD(parameters, lr), False),
    ],
)
def test_auto_takes_a_fused_optimiser_where_there_is_one(cpu, optimizer, expected):
    cpu("avx")
    assert choose(precision="auto", optimizer=optimizer).fused is expected
    assert choose(precision="auto", optimizer=optimizer, fused=False).fused is False
    assert choose(precision="float32", optimizer=optimizer).fused is False


@pytest.mark.parametrize(
    ("limit", "cores"),
    [(None, 64), ("max 100000", 64), ("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1)],
)
def test_usable_cores_follow_the_containers_limit(tmp_path, monkeypatch, limit, cores):
    monkeypatch.setattr(setup.os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    file = tmp_path / "cpu.max"
    if limit:
        file.write_text(limit)
    assert usable_cores(file) == cores


@pytest.mark.parametrize(("given", "of_torch", "threads"), [(None, 64, 2), (3, 64, 3), (None, 1, 1)])
def test_threads_are_no_more_than_usable_cores(monkeypatch, given, of_torch, threads):
    monkeypatch.setattr(setup, "usable_cores", lambda: 2)
    monkeypatch.setattr(torch, "get_num_threads", lambda: of_torch)
    assert choose(threads=given).threads == threads


def test_threads_are_restored_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), choose(threads=before + 1).at_work():
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_the_device_is_cuda_else_mps_else_cpu(monkeypatch, cuda, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert training.best_device().type == expected
