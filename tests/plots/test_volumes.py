import pytest
from torch import nn

from course_lib import plots
from course_lib.plots.volumes import CONVOLUTION, LINEAR, POOLING, Skip, chain_of_volumes


def test_lenets_chain(build):
    chain = chain_of_volumes(build("lenet5"), (1, 28, 28))
    volumes = [(volume.kind, volume.channels, volume.sides) for volume in chain.volumes]
    assert volumes == [
        ("input", 1, "28×28"),
        (CONVOLUTION, 6, "28×28"),
        (POOLING, 6, "14×14"),
        (CONVOLUTION, 16, "10×10"),
        (POOLING, 16, "5×5"),
        *[(LINEAR, units, "1×1") for units in (120, 84, 10)],
    ]
    assert chain.skips == []
    assert chain.groups() == [[0], [1], [2], [3], [4]]


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


def test_a_skip_may_end_the_network_and_a_pool_without_effect_is_left_out(build):
    chain = chain_of_volumes(build("resnet_small"), (1, 28, 28))
    assert chain.skips == [Skip(1, 3, False), Skip(3, 5, True), Skip(5, 7, True), Skip(7, 9, True)]
    pools = chain_of_volumes(build("alexnet"), (3, 224, 224)).of_kind(POOLING)
    assert [volume.name for volume in pools] == ["features.2", "features.5", "features.12"]


def test_each_skip_starts_at_the_last_ones_end(build):
    chain = chain_of_volumes(build("resnet34"), (3, 224, 224))
    starts, ends = [skip.start for skip in chain.skips], [skip.end for skip in chain.skips]
    assert len(chain.skips) == 16
    assert chain.volumes[starts[0]].name == "maxpool"
    assert starts[1:] == ends[:-1], "the next skip starts where the last one ended, though they share a ReLU"
    assert all(end - start == 2 for start, end in zip(starts, ends, strict=True))
    assert [chain.volumes[skip.end].name for skip in chain.skips if skip.projected] == [
        f"layer{stage}.0.conv2" for stage in (2, 3, 4)
    ]


def test_maps_need_not_be_square():
    chain = chain_of_volumes(nn.Sequential(nn.Conv2d(1, 2, 3), nn.MaxPool2d(2)), (1, 10, 20))
    assert [volume.sides for volume in chain.volumes] == ["10×20", "8×18", "4×9"]


def test_channel_progression_of_vgg16(build, overlapping):
    figure = plots.channel_progression(build("vgg16"), (3, 224, 224))
    upper, lower = figure.axes
    assert [bar.get_height() for bar in upper.patches] == [224, 224, 112, 56, 28, 14, 7]
    assert [bar.get_height() for bar in lower.patches] == [3, 64, 128, 256, 512, 512, 512]
    assert [label.get_text() for label in lower.get_xticklabels()] == [
        *("image", "2 conv.", "pool\n2 conv.", "pool\n3 conv.", "pool\n3 conv.", "pool\n3 conv.", "pool")
    ]
    assert "the side of the maps goes from 224 to 7, the channels from 3 to 512" in figure.alt
    assert overlapping(figure) == []
