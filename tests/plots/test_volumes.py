import pytest
from torch import nn

from course_lib.plots.volumes import CONVOLUTION, LINEAR, POOLING, Skip, chain_of_volumes


def test_lenets_chain(build):
    chain = chain_of_volumes(build("lenet5"), (1, 28, 28))
    found = [(volume.kind, volume.channels, volume.sides) for volume in chain.volumes]
    assert found == [
        ("input", 1, "28×28"),
        (CONVOLUTION, 6, "28×28"),
        (POOLING, 6, "14×14"),
        (CONVOLUTION, 16, "10×10"),
        (POOLING, 16, "5×5"),
        *[(LINEAR, units, "1×1") for units in (120, 84, 10)],
    ]
    assert chain.skips == []
    assert chain.groups() == [[0], [1], [2], [3], [4]]


def test_a_pool_that_does_nothing_is_left_out(build):
    assert [volume.name for volume in chain_of_volumes(build("alexnet"), (3, 224, 224)).of_kind(POOLING)] == [
        *("features.2", "features.5", "features.12")
    ]


def test_a_pool_closes_a_block_of_vgg_and_opens_the_next(build):
    chain = chain_of_volumes(build("vgg16"), (3, 224, 224))
    kinds = [[chain.volumes[place].kind[0] for place in group] for group in chain.groups()]
    assert ["".join(group) for group in kinds] == ["i", "cc", "pcc", "pccc", "pccc", "pccc", "p"]


@pytest.mark.parametrize(
    ("name", "convolutions", "projected"), [("resnet18", 17, 3), ("resnet34", 33, 3), ("resnet50", 49, 4)]
)
def test_convolutions_on_skips_are_not_on_the_main_path(build, name, convolutions, projected):
    chain = chain_of_volumes(build(name), (3, 224, 224))
    assert len(chain.of_kind(CONVOLUTION)) == convolutions
    assert not any("downsample" in volume.name for volume in chain.volumes)
    assert sum(skip.projected for skip in chain.skips) == projected


def test_skips_hop_from_addition_to_addition(build):
    chain = chain_of_volumes(build("resnet34"), (3, 224, 224))
    starts, ends = [skip.start for skip in chain.skips], [skip.end for skip in chain.skips]
    assert len(chain.skips) == 16
    assert chain.volumes[starts[0]].name == "maxpool"
    assert starts[1:] == ends[:-1], "the next skip starts where the last one ended, though they share a ReLU"
    assert all(end - start == 2 for start, end in zip(starts, ends, strict=True))
    assert [chain.volumes[skip.end].name for skip in chain.skips if skip.projected] == [
        f"layer{stage}.0.conv2" for stage in (2, 3, 4)
    ]


def test_the_last_block_may_be_projected(build):
    chain = chain_of_volumes(build("resnet_small"), (1, 28, 28))
    assert chain.skips == [Skip(1, 3, False), Skip(3, 5, True), Skip(5, 7, True), Skip(7, 9, True)]


def test_the_plain_network_has_no_skips(build):
    assert chain_of_volumes(build("plain34"), (3, 224, 224)).skips == []


def test_maps_need_not_be_square():
    chain = chain_of_volumes(nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2)), (1, 10, 20))
    assert [volume.sides for volume in chain.volumes] == ["10×20", "8×18", "4×9"]
