"""Task 7, answered wrong in the ways in which it is answered wrong."""

from known_mistakes import mistakes_in

_RANGE = "low, high = one.min(), one.max()"
_PICTURE = "    return picture\n"
_PLACE = "row, column = divmod(place, columns)"
_HOOK = "hook = module.register_forward_hook(lambda module, inputs, output: kept.append(output.clone()))"
_RUN = "    with torch.no_grad():\n        network(images)\n"
_MODES = "        one.training = training\n"
_CONFIDENCE = "confidence, predicted = logits.softmax(dim=1).max(dim=1)"
_WRONG = "wrong = (predicted != labels).nonzero().flatten()"
_ORDER = "order = confidence[wrong].argsort(descending=True)"
_CHOSEN = "return wrong[order][:count].tolist()"

MISTAKES = [
    *mistakes_in(
        "filter_picture",
        (
            "one range for all filters",
            _RANGE,
            "low, high = weights.min(), weights.max()",
            "Each filter is stretched by its own",
        ),
        (
            "one range for each channel",
            """        low, high = one.min(), one.max()
        tile = (one - low) / (high - low) if high > low else torch.full_like(one, 0.5)
""",
            """        low, high = one.amin((1, 2), keepdim=True), one.amax((1, 2), keepdim=True)
        tile = (one - low) / (high - low) if (high > low).all() else torch.full_like(one, 0.5)
""",
            "three channels together",
        ),
        ("channels first", _PICTURE, "    return picture.permute(2, 0, 1)\n", "The three colours come last"),
        ("filters transposed", "tile.permute(1, 2, 0)", "tile.permute(2, 1, 0)", "The picture is transposed"),
        ("column by column", _PLACE, "column, row = divmod(place, rows)", "as text is written"),
        (
            "white around the picture",
            _PICTURE,
            "    return torch.nn.functional.pad(picture, (0, 0, 1, 1, 1, 1), value=1.0)\n",
            "between tiles only",
        ),
        (
            "no line between tiles",
            _PICTURE,
            """    there = [i for i in range(height) if i % (side + 1) < side]
    return picture[there][:, [i for i in range(width) if i % (side + 1) < side]]
""",
            "one white pixel",
        ),
        (
            "black lines between tiles",
            "picture = torch.ones(height, width, 3)",
            "picture = torch.zeros(height, width, 3)",
            "is not white, 1.0",
        ),
        (
            "unfilled places black",
            _PICTURE,
            """    for place in range(count, rows * columns):
        row, column = divmod(place, columns)
        picture[row * (side + 1) :][:side, column * (side + 1) :][:, :side] = 0
    return picture
""",
            "that no filter fills are white",
        ),
        (
            "no wider than the filters there are",
            "rows = -(-count // columns)",
            "columns = min(columns, count)\n    rows = -(-count // columns)",
            "as many tiles wide as columns says",
        ),
        (
            "a flat filter divided by 0",
            "tile = (one - low) / (high - low) if high > low else torch.full_like(one, 0.5)",
            "tile = (one - low) / (high - low)",
            "grey, 0.5",
        ),
        (
            "weights changed in place",
            _RANGE,
            "high = (one.max() - one.min()).clone()\n        one.sub_(one.min().clone())\n        low = 0",
            "not what they were",
        ),
    ),
    *mistakes_in(
        "maps_of",
        (
            "maps that a module takes",
            _HOOK,
            "hook = module.register_forward_hook(lambda module, inputs, output: kept.append(inputs[0].clone()))",
            "not what it takes",
        ),
        (
            "top level only",
            "module = network.get_submodule(name)",
            "module = dict(network.named_children())[name]",
            "raised KeyError",
        ),
        (
            "modules run in the order of their names",
            _RUN,
            """    with torch.no_grad():
        steps = [one for one in network.modules() if not list(one.children())]
        for step in steps[: steps.index(module) + 1]:
            images = step(images)
""",
            "does more than to call its modules",
        ),
        ("mode left as it is", "    network.eval()\n", "", "should work as in evaluation"),
        ("overwritten by a ReLU", "kept.append(output.clone())", "kept.append(output)", "inplace=True stands behind"),
        (
            "with gradients",
            "    with torch.no_grad():\n",
            "    with torch.enable_grad():\n",
            "require gradients",
        ),
        ("evaluation mode for good", _MODES, "        pass\n", "was in training mode, and is not any more"),
        (
            "training mode in the end",
            _MODES,
            "        one.training = True\n",
            "was in evaluation mode, and is not any more",
        ),
        (
            "one mode for all modules",
            _MODES,
            "        one.training = modes[network]\n",
            "every module is in the mode in which it was",
        ),
        ("hook left", "    hook.remove()\n", "", "hook is left"),
        (
            "running statistics changed",
            "    return kept[0]\n",
            "    network(images)\n    return kept[0]\n",
            "its running statistics are not what they were",
        ),
    ),
    *mistakes_in(
        "worst_mistakes",
        ("right predictions too", _WRONG, "wrong = torch.arange(len(labels))", "Only wrong predictions"),
        ("places among the mistakes", _CHOSEN, "return order[:count].tolist()", "a place among the mistakes"),
        ("least confident first", _ORDER, "order = confidence[wrong].argsort()", "most sure comes first"),
        (
            "ranked by logit",
            _CONFIDENCE,
            "confidence, predicted = logits.max(dim=1)",
            "A large logit is not yet a large probability",
        ),
        (
            "ranked by the true class",
            _ORDER,
            "order = logits.softmax(dim=1)[wrong, labels[wrong]].argsort()",
            "probability of the class that was predicted",
        ),
        (
            "ranked by the distance to the second",
            _ORDER,
            """first, second = logits.softmax(dim=1).topk(2, dim=1).values[wrong].T
    order = (first - second).argsort(descending=True)""",
            "probability of the class that was predicted",
        ),
        ("the first mistakes instead of the worst", _WRONG, _WRONG + "[:count]", "wherever they lie"),
        (
            "filled up with right predictions",
            _CHOSEN,
            """right = (predicted == labels).nonzero().flatten()
    return torch.cat([wrong[order], right])[:count].tolist()""",
            "fewer mistakes than count",
        ),
        (
            "something where there is nothing",
            _CHOSEN,
            "return wrong[order][:count].tolist() or [0]",
            "the list is empty",
        ),
        ("a tensor of places", _CHOSEN, "return wrong[order][:count]", "a list of ints"),
    ),
]
