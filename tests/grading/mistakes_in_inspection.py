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
        (_RANGE, "low, high = weights.min(), weights.max()", "Each filter is stretched by its own"),
        (
            """        low, high = one.min(), one.max()
        tile = (one - low) / (high - low) if high > low else torch.full_like(one, 0.5)
""",
            """        low, high = one.amin((1, 2), keepdim=True), one.amax((1, 2), keepdim=True)
        tile = (one - low) / (high - low) if (high > low).all() else torch.full_like(one, 0.5)
""",
            "three channels together",
        ),
        (_PICTURE, "    return picture.permute(2, 0, 1)\n", "The three colours come last"),
        ("tile.permute(1, 2, 0)", "tile.permute(2, 1, 0)", "The picture is transposed"),
        (_PLACE, "column, row = divmod(place, rows)", "as text is written"),
        (_PICTURE, "    return torch.nn.functional.pad(picture, (0, 0, 1, 1, 1, 1), value=1.0)\n", "between tiles"),
        (
            _PICTURE,
            """    there = [i for i in range(height) if i % (side + 1) < side]
    return picture[there][:, [i for i in range(width) if i % (side + 1) < side]]
""",
            "one white pixel",
        ),
        ("picture = torch.ones(height, width, 3)", "picture = torch.zeros(height, width, 3)", "is not white, 1.0"),
        (
            _PICTURE,
            """    for place in range(count, rows * columns):
        row, column = divmod(place, columns)
        picture[row * (side + 1) :][:side, column * (side + 1) :][:, :side] = 0
    return picture
""",
            "that no filter fills are white",
        ),
        (
            "rows = -(-count // columns)",
            "columns = min(columns, count)\n    rows = -(-count // columns)",
            "as many tiles wide as columns says",
        ),
        (
            "tile = (one - low) / (high - low) if high > low else torch.full_like(one, 0.5)",
            "tile = (one - low) / (high - low)",
            "grey, 0.5",
        ),
        (
            _RANGE,
            "high = (one.max() - one.min()).clone()\n        one.sub_(one.min().clone())\n        low = 0",
            "not what they were",
        ),
    ),
    *mistakes_in(
        "maps_of",
        (
            _HOOK,
            "hook = module.register_forward_hook(lambda module, inputs, output: kept.append(inputs[0].clone()))",
            "not what it takes",
        ),
        ("module = network.get_submodule(name)", "module = dict(network.named_children())[name]", "raised KeyError"),
        (
            _RUN,
            """    with torch.no_grad():
        steps = [one for one in network.modules() if not list(one.children())]
        for step in steps[: steps.index(module) + 1]:
            images = step(images)
""",
            "does more than to call its modules",
        ),
        ("    network.eval()\n", "", "should work as in evaluation"),
        ("kept.append(output.clone())", "kept.append(output)", "inplace=True stands behind"),
        ("    with torch.no_grad():\n", "    with torch.enable_grad():\n", "require gradients"),
        (_MODES, "        pass\n", "was in training mode, and is not any more"),
        (_MODES, "        one.training = True\n", "was in evaluation mode, and is not any more"),
        (_MODES, "        one.training = modes[network]\n", "every module is in the mode in which it was"),
        ("    hook.remove()\n", "", "hook is left"),
        ("return kept[0]", "network(images)\n    return kept[0]", "its running statistics are not what they were"),
    ),
    *mistakes_in(
        "worst_mistakes",
        (_WRONG, "wrong = torch.arange(len(labels))", "Only wrong predictions"),
        (_CHOSEN, "return order[:count].tolist()", "a place among the mistakes"),
        (_ORDER, "order = confidence[wrong].argsort()", "most sure comes first"),
        (_CONFIDENCE, "confidence, predicted = logits.max(dim=1)", "A large logit is not yet a large probability"),
        (_ORDER, "order = logits.softmax(dim=1)[wrong, labels[wrong]].argsort()", "the class that was predicted"),
        (
            _ORDER,
            """first, second = logits.softmax(dim=1).topk(2, dim=1).values[wrong].T
    order = (first - second).argsort(descending=True)""",
            "probability of the class that was predicted",
        ),
        (_WRONG, _WRONG + "[:count]", "wherever they lie"),
        (
            _CHOSEN,
            """right = (predicted == labels).nonzero().flatten()
    return torch.cat([wrong[order], right])[:count].tolist()""",
            "fewer mistakes than count",
        ),
        (_CHOSEN, "return wrong[order][:count].tolist() or [0]", "the list is empty"),
        (_CHOSEN, "return wrong[order][:count].float()", "a list of ints"),
    ),
]
