"""The course's live figures, one function each. What they do in the browser is in the module of that name."""

from course_lib.live.figure import LiveFigure


def drag_a_digit(digit: int = 30, right: int = 3, down: int = 0) -> LiveFigure:
    """Drag a test digit, or draw one: the perceptron and LeNet-5 read it side by side, and LeNet's maps show why.

    The networks are those of study ``lenet-fair``, seed 0, rounded to 16 bits.

    Args:
        digit: which of the first 200 test digits of the sample is there at first.
        right, down: by how many pixels it is moved then.
    """
    return LiveFigure(
        name="drag-a-digit",
        caption="Drag the digit, or draw one of your own. Both networks were trained on the same 48,000 digits.",
        alt="A handwritten digit on a square. Beside it, what two networks read in it: a bar for each of ten digits, "
        "once for the perceptron and once for LeNet-5. Below it, LeNet-5's feature maps.",
        files=("perceptron.safetensors", "lenet-5.safetensors", "test-digits.safetensors.gz"),
        options={"digit": digit, "right": right, "down": down},
    )
