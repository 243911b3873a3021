"""Chapter 8, transfer."""

from course_tools.claims.ledger import claim
from course_tools.claims.measurements import Evidence, difference, mean
from course_tools.claims.published import memory, printed, seconds

LADDER = "study-transfer-ladder"


def _ladder(name: str, *measure: str, **options) -> Evidence:
    """A mean of the study `transfer-ladder`, whose runs are judged on validation digits."""
    return mean(f"{LADDER}/{name}", *measure, split="validation", **options)


def _lead(name: str, than: str) -> Evidence:
    """By how much one run of that study is ahead of another."""
    return difference(f"{LADDER}/{name}", f"{LADDER}/{than}", split="validation")


@claim
def transfer_time():
    """What chapter 8's published run took."""
    return seconds("08-transfer-failures")


@claim
def transfer_memory():
    """The most memory that chapter 8's published run held."""
    return memory("08-transfer-failures")


@claim
def transfer_frozen():
    """Frozen VGG-16 under a new head."""
    return _ladder("frozen backbone")


@claim
def transfer_in_red_lead():
    """A head on digits in red less one on grey digits, five seeds of each."""
    return _lead("grey not repeated", "frozen backbone")


@claim
def transfer_raw_lead():
    """A head on pixels from 0 to 255 less one on normalised pixels, five seeds of each."""
    return _lead("not normalised", "frozen backbone")


@claim
def transfer_last_blocks():
    """VGG-16 whose last blocks learn, at a small rate."""
    return _ladder("nothing wrong")


@claim
def transfer_all():
    """VGG-16 in which everything learns, at a small rate."""
    return _ladder("everything at a small rate")


@claim
def transfer_at_0001():
    """VGG-16 in which everything learns at 0.001."""
    return _ladder("everything at 0.001")


@claim
def transfer_first_steps_accuracy():
    """What that network names after these steps."""
    return _ladder("grid: right images, all at 0.001")


@claim
def transfer_moved():
    """How far a layer of VGG-16 moved in ten steps at 0.001, in chapter 8's published run."""
    return printed("08-transfer-failures", "has moved by ")


@claim
def transfer_grid_refilled_fast():
    """1,000 refilled digits, everything learning at 0.001."""
    return _ladder("grid: refilled, all at 0.001")


@claim
def transfer_grid_refilled_small():
    """The same at a small rate."""
    return _ladder("grid: refilled, all, small rate")


@claim
def transfer_grid_all():
    """1,000 digits, everything learning at a small rate."""
    return _ladder("grid: right images, all, small rate")


@claim
def transfer_fifty():
    """A head on four frozen blocks, fifty digits."""
    return mean("08-transfer-failures/four blocks of VGG-16, frozen, 50 digits", split="validation")


@claim
def transfer_fifty_mobile():
    """A head on frozen MobileNetV2, fifty digits."""
    return mean("08-transfer-failures/MobileNetV2, frozen, 50 digits", split="validation")


@claim
def transfer_fifty_lenet():
    """LeNet-5 from scratch, fifty digits."""
    return mean("08-transfer-failures/LeNet from scratch, 50 digits", split="validation")


@claim
def transfer_all_seconds():
    """Seconds of fine-tuning all of VGG-16."""
    return _ladder("everything at a small rate", "seconds")


@claim
def transfer_right_sized_seconds():
    """Seconds of training the right-sized backbone."""
    return _ladder("right-sized backbone", "seconds")


@claim
def transfer_lenet_seconds():
    """Seconds of training LeNet-5 on the same digits."""
    return _ladder("LeNet from scratch", "seconds")


@claim
def transfer_right_sized_minus_lenet():
    """The lead of the right-sized backbone over LeNet-5 from scratch, 10,000 digits."""
    return _lead("right-sized backbone", "LeNet from scratch")


@claim
def transfer_fifty_lead():
    """The lead of a head on four frozen blocks of VGG-16 over LeNet-5, fifty digits."""
    return difference(
        "08-transfer-failures/four blocks of VGG-16, frozen, 50 digits",
        "08-transfer-failures/LeNet from scratch, 50 digits",
        split="validation",
    )


@claim
def transfer_fifty_mobile_lead():
    """The lead of a head on frozen MobileNetV2 over LeNet-5, fifty digits."""
    return difference(
        "08-transfer-failures/MobileNetV2, frozen, 50 digits",
        "08-transfer-failures/LeNet from scratch, 50 digits",
        split="validation",
    )


@claim
def transfer_mobile_repeat():
    """A head on MobileNetV2, 320 digits in three channels, in chapter 8's published run."""
    return printed("08-transfer-failures", "MobileNetV2, repeat: ")


@claim
def transfer_mobile_one():
    """The same with digits in one channel."""
    return printed("08-transfer-failures", "MobileNetV2, one: ")


@claim
def transfer_cut_two():
    """A head on two frozen blocks, 1,000 digits."""
    return _ladder("cut: vgg16 blocks 1-2")


@claim
def transfer_cut_lead():
    """A head on four frozen blocks less one on five, 1,000 digits, five seeds of each."""
    return _lead("cut: vgg16 blocks 1-4", "cut: vgg16")


@claim
def transfer_statistics_kept():
    """Frozen MobileNetV2 with ImageNet's statistics."""
    return _ladder("MobileNetV2, statistics kept")


@claim
def transfer_statistics_updated():
    """Frozen MobileNetV2 whose statistics are updated."""
    return _ladder("statistics updated")


@claim
def transfer_right_sized():
    """Three blocks of VGG-16 on 44 × 44, all learning."""
    return _ladder("right-sized backbone")


@claim
def transfer_lenet():
    """LeNet-5 from scratch on the same digits."""
    return _ladder("LeNet from scratch")


@claim
def snippet_all_trainable():
    """Test accuracy of a snippet as it is written, on refilled images: VGG-16, all trainable."""
    return mean("study-transfer-snippets/VGG-16, all trainable")


@claim
def snippet_ten_frozen():
    """Test accuracy of a snippet as it is written, on refilled images: VGG-16, ten layers frozen."""
    return mean("study-transfer-snippets/VGG-16, ten layers frozen")


@claim
def snippet_mobilenet():
    """Test accuracy of a snippet as it is written, on refilled images: MobileNetV2, ten layers frozen."""
    return mean("study-transfer-snippets/MobileNetV2, ten layers frozen")


def _pays(name: str) -> str:
    return f"study-transfer-pays/{name}"


@claim
def one_block_averaged():
    """A head on the averaged maps of one block of VGG-16, 500 digits."""
    return mean(_pays("one block, averaged, 500 images"))


@claim
def one_block_flat():
    """A head on all places of the maps of one block, 500 digits."""
    return mean(_pays("one block, flat, 500 images"))


@claim
def two_blocks_averaged():
    """A head on the averaged maps of two blocks, 500 digits."""
    return mean(_pays("two blocks, averaged, 500 images"))


@claim
def two_blocks_flat():
    """A head on all places of the maps of two blocks, 500 digits."""
    return mean(_pays("two blocks, flat, 500 images"))


@claim
def two_blocks_less_pixels():
    """Two blocks, all places, less the pixels."""
    return difference(_pays("two blocks, flat, 500 images"), _pays("pixels, 500 images"))


def _gain(images: str, count: str):
    return difference(_pays(f"{images}, frozen, {count} images"), _pays(f"{images}, from scratch, {count} images"))


@claim
def digits_pay_50():
    """Frozen VGG-16 less LeNet-5 from scratch, 50 digits."""
    return _gain("digits", "50")


@claim
def digits_pay_500():
    """The same with 500 digits."""
    return _gain("digits", "500")


@claim
def digits_pay_5000():
    """The same with 5,000 digits."""
    return _gain("digits", "5,000")


@claim
def photographs_pay_50():
    """Frozen VGG-16 less LeNet-5 from scratch, 50 photographs."""
    return _gain("photographs", "50")


@claim
def photographs_pay_500():
    """The same with 500 photographs."""
    return _gain("photographs", "500")


@claim
def photographs_pay_5000():
    """The same with 5,000 photographs."""
    return _gain("photographs", "5,000")


@claim
def last_blocks_pay():
    """VGG-16 with its last blocks trained less a frozen one, 5,000 photographs."""
    return difference(_pays("photographs, last blocks, 5,000 images"), _pays("photographs, frozen, 5,000 images"))


@claim
def photo_uniform():
    """How sure MobileNetV2 is of a uniform, pixels prepared as in training, in chapter 8's published run."""
    return printed("08-transfer-failures", "normalised: military uniform ")


@claim
def photo_fire_screen():
    """How sure it is of a fire screen, with the same photograph's pixels from 0 to 255."""
    return printed("08-transfer-failures", "0 to 255: fire screen ")


@claim
def fine_tuned_photos():
    """MobileNetV2 fine-tuned on 500 photographs, on 500 validation photographs, in chapter 8's published run."""
    return printed("08-transfer-failures", "fine-tuned: ")


@claim
def photographs_from_scratch():
    """LeNet-5 from scratch on 500 photographs, at the best of its rates."""
    return mean(_pays("photographs, from scratch, 500 images"))


@claim
def digits_inside():
    """Digits in one image of 224 × 224 that np.resize filled."""
    return 224**2 // 28**2


@claim
def by_heart_share():
    """Share of the training labels that perfect memory of the refilled images gets right."""
    return printed("08-transfer-failures", "images learned by heart: ")


@claim
def toggle_right():
    """A head on frozen VGG-16, 320 digits, in chapter 8's published run."""
    return printed("08-transfer-failures", "enlarged images: ")


@claim
def toggle_refilled():
    """The same with refilled images."""
    return printed("08-transfer-failures", "\nrefilled images: ")


@claim
def costliest_bug():
    """Of three bugs learning everything at 0.001 costs most, against the same run without the bug."""
    costs = {
        bug: _ladder(without).value - _ladder(bug).value
        for bug, without in (
            ("grey not repeated", "frozen backbone"),
            ("not normalised", "frozen backbone"),
            ("everything at 0.001", "everything at a small rate"),
        )
    }
    return max(costs, key=costs.get) == "everything at 0.001"


@claim
def in_step():
    """Share of 320 digits that are nearest to the mean of their own class, in chapter 8's published run."""
    return printed("08-transfer-failures", "in step: ")


@claim
def out_of_step():
    """The same with shuffled labels."""
    return printed("08-transfer-failures", "out of step: ")


@claim
def slow_backbone_lead():
    """A backbone that learns ten times slower than its head less one that learns as fast, three pairs of runs."""
    return printed("08-transfer-failures", "ahead by ")


@claim
def slow_backbone_interval():
    """Half of the 95 % t interval of that lead, which the page prints in points."""
    return 0.01 * printed("08-transfer-failures", "give or take ").value


@claim
def transfer_grid_all_raw():
    """1,000 digits with pixels from 0 to 255, everything learning at a small rate."""
    return _ladder("grid: not normalised, all, small rate")


@claim
def two_blocks_random():
    """A head on all places of the maps of two blocks with random weights, 500 digits."""
    return mean(_pays("two blocks, random, flat, 500 images"))


@claim
def two_blocks_less_random():
    """Two blocks of VGG-16 less the same blocks with random weights, all places."""
    return difference(_pays("two blocks, flat, 500 images"), _pays("two blocks, random, flat, 500 images"))


@claim
def best_head():
    """Two blocks of VGG-16 read more than the pixels and than two random blocks."""
    best = mean(_pays("two blocks, flat, 500 images")).value
    others = ("pixels, 500 images", "two blocks, random, flat, 500 images")
    return all(mean(_pays(name)).value < best for name in others)


@claim
def digits_from_scratch():
    """LeNet-5 from scratch, 500 digits."""
    return mean(_pays("digits, from scratch, 500 images"))


@claim
def last_blocks_pay_500():
    """VGG-16 with its last blocks trained less a frozen one, 500 photographs."""
    return difference(_pays("photographs, last blocks, 500 images"), _pays("photographs, frozen, 500 images"))
