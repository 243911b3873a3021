"""Task 1, answered wrong in the ways in which it is answered wrong."""

from known_mistakes import mistakes_in

MISTAKES = [
    *mistakes_in(
        "output_size",
        ('reach = layer["dilation"] * (layer["kernel"] - 1) + 1', 'reach = layer["kernel"]', "A kernel with dilation"),
        ('size + 2 * layer["padding"] - reach', 'size + layer["padding"] - reach', "on how many sides"),
        ("steps += 1", "pass", "With ceil, a last window"),
        ('if one_more and (steps + 1) * layer["stride"] < size + layer["padding"]:', "if one_more:", "in the padding"),
        ("size = steps + 1", "size = steps", "count the places"),
        ('one_more = layer["ceil"] and room % layer["stride"]', 'one_more = room % layer["stride"]', "last step that"),
        ("if size == 0 or room < 0:", "if False:", "the task asks for 0"),
    ),
    *mistakes_in(
        "receptive_field",
        (
            '        field += layer["dilation"] * (layer["kernel"] - 1) * jump\n        jump *= layer["stride"]\n',
            '        jump *= layer["stride"]\n        field += layer["dilation"] * (layer["kernel"] - 1) * jump\n',
            "how far its own units lie apart",
        ),
        ('(layer["kernel"] - 1) * jump', '(layer["kernel"] - (field == 1)) * jump', "not three: windows overlap"),
        ('jump *= layer["stride"]', "pass", "The jump is"),
        ('jump *= layer["stride"]', 'jump += layer["stride"] - 1', "all strides in front of it, multiplied"),
        (
            'field += layer["dilation"] * (layer["kernel"] - 1) * jump',
            'field += (layer["kernel"] - 1) * jump',
            "Dilation spreads a window",
        ),
        ("return field, jump", 'return field - sum(layer["padding"] for layer in layers), jump', "one of them sees"),
    ),
]
