"""Task 1, answered wrong in the ways in which it is answered wrong."""

from known_mistakes import Mistake

MISTAKES = [
    Mistake(
        "dilation ignored in the size",
        part="output_size",
        old='reach = layer["dilation"] * (layer["kernel"] - 1) + 1',
        new='reach = layer["kernel"]',
        hint="A kernel with dilation has gaps",
    ),
    Mistake(
        "padding counted once",
        part="output_size",
        old='size + 2 * layer["padding"] - reach',
        new='size + layer["padding"] - reach',
        hint="on how many sides",
    ),
    Mistake("ceil ignored", part="output_size", old="steps += 1", new="pass", hint="With ceil, a last window"),
    Mistake(
        "ceil's window in the padding kept",
        part="output_size",
        old='if one_more and (steps + 1) * layer["stride"] < size + layer["padding"]:',
        new="if one_more:",
        hint="begin in the padding",
    ),
    Mistake(
        "windows counted from 0",
        part="output_size",
        old="size = steps + 1",
        new="size = steps",
        hint="count the places",
    ),
    Mistake(
        "rounded up always",
        part="output_size",
        old='one_more = layer["ceil"] and room % layer["stride"]',
        new='one_more = room % layer["stride"]',
        hint="a last step that does not fit whole is not taken",
    ),
    Mistake(
        "no window, no zero",
        part="output_size",
        old="if size == 0 or room < 0:",
        new="if False:",
        hint="the task asks for 0",
    ),
    Mistake(
        "own stride counted in the field",
        part="receptive_field",
        old='        field += layer["dilation"] * (layer["kernel"] - 1) * jump\n        jump *= layer["stride"]\n',
        new='        jump *= layer["stride"]\n        field += layer["dilation"] * (layer["kernel"] - 1) * jump\n',
        hint="how far its own units lie apart",
    ),
    Mistake(
        "windows laid side by side",
        part="receptive_field",
        old='(layer["kernel"] - 1) * jump',
        new='(layer["kernel"] - (field == 1)) * jump',
        hint="not three: windows overlap",
    ),
    Mistake("strides ignored", part="receptive_field", old='jump *= layer["stride"]', new="pass", hint="The jump is"),
    Mistake(
        "strides added",
        part="receptive_field",
        old='jump *= layer["stride"]',
        new='jump += layer["stride"] - 1',
        hint="all strides in front of it, multiplied",
    ),
    Mistake(
        "dilation ignored in the field",
        part="receptive_field",
        old='field += layer["dilation"] * (layer["kernel"] - 1) * jump',
        new='field += (layer["kernel"] - 1) * jump',
        hint="Dilation spreads a window",
    ),
    Mistake(
        "padding taken off the field",
        part="receptive_field",
        old="    return field, jump",
        new='    return field - sum(layer["padding"] for layer in layers), jump',
        hint="not what one of them sees",
    ),
]
