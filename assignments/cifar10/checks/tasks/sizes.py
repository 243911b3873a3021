"""Task 1: how large the output of a stack of layers is, and how much of the image one of its units sees."""

from typing import Any

from checks.messages import number_of, type_of
from checks.tasks.comparison import list_in, not_items, whole_in
from checks.tasks.part import Draw, Part, Question, Task, in_order

Layer = dict[str, int | bool]


def _layer(kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1, ceil: bool = False) -> Layer:
    return {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation, "ceil": ceil}


_SIZE_HINTS = {
    "kernel": "With stride 1 and no padding, count the places where the whole window fits.",
    "stride": "A window moves in steps of the stride, and a last step that does not fit whole is not taken.",
    "padding": "Padding is added on how many sides?",
    "dilation": "A kernel with dilation has gaps between its weights: how many pixels does it span?",
    "ceil": "With ceil, a last window that does not fit whole is taken too.",
    "outside": "With ceil there is one exception: read in PyTorch's MaxPool2d what happens to a window that would "
    "begin in the padding on the right.",
    "stack": "Every layer alone is right. In a stack, what one layer gives is what the next one takes.",
    "nothing": "Where a window does not fit at all, the task asks for 0, and so for every layer behind it.",
}


def _questions_on_size(draw: Draw) -> list[Question]:
    asked: list[tuple[str, int, list[Layer]]] = []
    for _ in range(4):
        stride, size = draw.whole(2, 4), draw.whole(24, 64)
        kernel = draw.whole(stride, 7)
        uneven = kernel + stride * draw.whole(5, 9) + draw.whole(1, stride - 1)  # the last step does not fit
        pool = _layer(draw.one_of((3, 4)), 2, draw.whole(0, 1), ceil=draw.one_of((False, True)))
        asked += [
            ("kernel", size, [_layer(kernel)]),
            ("stride", uneven, [_layer(kernel, stride)]),
            ("padding", size, [_layer(kernel, padding=draw.whole(1, kernel // 2))]),
            ("dilation", size, [_layer(kernel, dilation=draw.whole(2, 3))]),
            ("ceil", uneven, [_layer(kernel, stride, ceil=True)]),
            ("stack", size, [_layer(5, 2, 2), pool, _layer(2, 1, 1, draw.whole(1, 2))]),
        ]
    for kernel, stride, padding in ((2, 2, 1), (3, 3, 1), (2, 3, 1)):  # a last window that would begin in the padding
        size = next(size for size in range(20, 40) if _begins_outside(size, kernel, stride, padding))
        asked.append(("outside", size, [_layer(kernel, stride, padding, ceil=True)]))
    asked.append(("nothing", draw.whole(3, 5), [_layer(draw.whole(8, 11), 2)]))  # so small that no formula gives 0
    asked.append(("nothing", draw.whole(9, 12), [_layer(5, 2), _layer(draw.whole(6, 9)), _layer(1, padding=1)]))
    return in_order(({"aspect": a, "size": size, "layers": layers} for a, size, layers in asked), _SIZE_HINTS)


def _begins_outside(size: int, kernel: int, stride: int, padding: int) -> bool:
    steps = -((kernel - size - 2 * padding) // stride)
    return steps * stride >= size + padding and (size + 2 * padding - kernel) % stride > 0


def _judge_size(question: Question, expected: Any, reply: Any) -> str | None:
    size = whole_in(reply)
    if size is None:
        return f"output_size should return an int; it returned {type_of(reply)}."
    if size == expected:
        return None
    return f"{_in_words(question)}: expected {expected}, got {number_of(size)}. {_SIZE_HINTS[question['aspect']]}"


_FIELD_HINTS = {
    "one": "One layer sees what its kernel covers.",
    "stride of the last": "The stride of a layer sets how far its own units lie apart, not how much each one sees.",
    "stack": "A second 3 × 3 layer adds two pixels to what the first one sees, not three: windows overlap.",
    "stride": "A window's units lie some pixels of the image apart: all strides in front of it, multiplied.",
    "dilation": "Dilation spreads a window: how many steps lie between its first and its last weight?",
    "padding": "Padding and ceil say how many units there are, not what one of them sees.",
}


def _questions_on_field(draw: Draw) -> list[Question]:
    asked: list[tuple[str, list[Layer]]] = []
    for _ in range(4):
        kernel, stride = draw.whole(3, 7), draw.whole(2, 4)
        asked += [
            ("one", [_layer(kernel)]),
            ("stride of the last", [_layer(kernel, stride)]),
            ("stack", [_layer(draw.whole(3, 5)), *[_layer(draw.whole(2, 5)) for _ in range(draw.whole(1, 3))]]),
            ("stride", [_layer(kernel, stride), _layer(3), _layer(2, 2), _layer(draw.whole(2, 5))]),
            ("dilation", [_layer(3, 2), _layer(draw.whole(2, 4), dilation=draw.whole(2, 4)), _layer(3)]),
            ("padding", [_layer(3, 2, 1, ceil=True), _layer(5, 1, 2), _layer(2, 2, 1)]),
        ]
    return in_order(({"aspect": aspect, "layers": layers} for aspect, layers in asked), _FIELD_HINTS)


def _judge_field(question: Question, expected: Any, reply: Any) -> str | None:
    pair = list_in(reply, whole_in)
    if pair is None or len(pair) != 2:
        what = not_items(reply, whole_in) if pair is None else f"{len(pair)} of them"
        return f"receptive_field should return two ints, (field, jump); it returned {what}."
    if pair == expected:
        return None
    field, jump = expected
    if pair[0] == field:
        return (
            f"{_in_words(question)}: the field is right, and the jump should be {jump}, not {number_of(pair[1])}. "
            "The jump is how many pixels of the image lie between two neighbouring units of the last layer."
        )
    got, hint = number_of(pair[0]), _FIELD_HINTS[question["aspect"]]
    return f"{_in_words(question)}: expected a field of {field}, got {got}. {hint}"


def _in_words(question: Question) -> str:
    """The question in a few words: ``32 pixels through kernel 3, stride 2``."""
    usual, layers = _layer(0), []
    for layer in question["layers"]:
        named = [name if name == "ceil" else f"{name} {value}" for name, value in layer.items() if value != usual[name]]
        layers.append(", ".join(named))
    start = f"{question['size']} pixels through " if "size" in question else ""
    return start + "; then ".join(layers)


TASK = Task(
    number=1,
    title="Sizes and receptive fields",
    parts=(
        Part("output_size", 5, _questions_on_size, lambda size_of, q: size_of(q["size"], q["layers"]), _judge_size),
        Part("receptive_field", 7, _questions_on_field, lambda field_of, q: field_of(q["layers"]), _judge_field),
    ),
)
