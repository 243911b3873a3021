"""Chapter 8, transfer."""

from course_tools.claims.ledger import claim
from course_tools.claims.measurements import Evidence, difference, level, mean
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
def transfer_refilled():
    """The same, with images that np.resize refilled."""
    return _ladder("refilled images")


@claim
def transfer_in_red():
    """The same, with grey in one of three channels."""
    return _ladder("grey not repeated")


@claim
def transfer_in_red_lead():
    """A head on digits in red less one on grey digits, five seeds of each."""
    return _lead("grey not repeated", "frozen backbone")


@claim
def transfer_raw():
    """The same, with pixels from 0 to 255."""
    return _ladder("not normalised")


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
def transfer_first_steps_loss():
    """The mean training loss of such a network over 31 steps on 1,000 digits."""
    return _ladder("grid: right images, all at 0.001", "train_loss", epoch=-1)


@claim
def transfer_first_steps_accuracy():
    """What that network names after these steps."""
    return _ladder("grid: right images, all at 0.001")


@claim
def transfer_first_steps_loss_after():
    """Its loss on validation digits after these steps."""
    return _ladder("grid: right images, all at 0.001", "loss")


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
def transfer_grid_blocks_red():
    """1,000 digits in red, last blocks learning."""
    return _ladder("grid: grey not repeated, last blocks")


@claim
def transfer_grid_fast_red():
    """1,000 digits in red, everything learning at 0.001."""
    return _ladder("grid: grey not repeated, all at 0.001")


@claim
def transfer_grid_blocks():
    """1,000 digits, last blocks learning."""
    return _ladder("grid: right images, last blocks")


@claim
def transfer_grid_blocks_raw():
    """The same with pixels from 0 to 255."""
    return _ladder("grid: not normalised, last blocks")


@claim
def transfer_grid_all():
    """1,000 digits, everything learning at a small rate."""
    return _ladder("grid: right images, all, small rate")


@claim
def transfer_grid_all_raw():
    """The same with pixels from 0 to 255."""
    return _ladder("grid: not normalised, all, small rate")


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
def transfer_no_winner():
    """LeNet-5 and the right-sized backbone lie within a point."""
    return level(
        f"{LADDER}/LeNet from scratch",
        f"{LADDER}/right-sized backbone",
        within=0.01,
        split="validation",
    )


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
    return printed("08-transfer-failures", "mobilenet-v2, repeat: ")


@claim
def transfer_mobile_one():
    """The same with digits in one channel."""
    return printed("08-transfer-failures", "mobilenet-v2, one: ")


@claim
def transfer_cut_two():
    """A head on two frozen blocks, 1,000 digits."""
    return _ladder("cut: vgg16 blocks 1-2")


@claim
def transfer_cut_three():
    """A head on three frozen blocks, 1,000 digits."""
    return _ladder("cut: vgg16 blocks 1-3")


@claim
def transfer_cut_last():
    """A head on all five frozen blocks, 1,000 digits."""
    return _ladder("cut: vgg16")


@claim
def transfer_cut_four():
    """A head on four frozen blocks, 1,000 digits."""
    return _ladder("cut: vgg16 blocks 1-4")


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
def bare_pixels():
    """A linear layer on the pixels, 500 digits."""
    return mean(_pays("pixels, 500 images"))


@claim
def two_blocks_less_pixels():
    """Two blocks, all places, less the pixels."""
    return difference(_pays("two blocks, flat, 500 images"), _pays("pixels, 500 images"))


@claim
def one_block_less_pixels():
    """One block, all places, less the pixels."""
    return difference(_pays("one block, flat, 500 images"), _pays("pixels, 500 images"))


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
