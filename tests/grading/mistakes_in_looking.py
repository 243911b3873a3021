"""Task 7, answered wrong in the ways in which it is answered wrong."""

from known_mistakes import Mistake

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
    Mistake(
        "one range for all filters",
        part="filter_picture",
        old=_RANGE,
        new="low, high = weights.min(), weights.max()",
        hint="Each filter is stretched by its own",
    ),
    Mistake(
        "one range for each channel",
        part="filter_picture",
        old="""        low, high = one.min(), one.max()
        tile = (one - low) / (high - low) if high > low else torch.full_like(one, 0.5)
""",
        new="""        low, high = one.amin((1, 2), keepdim=True), one.amax((1, 2), keepdim=True)
        tile = (one - low) / (high - low) if (high > low).all() else torch.full_like(one, 0.5)
""",
        hint="three channels together",
    ),
    Mistake(
        "channels first",
        part="filter_picture",
        old=_PICTURE,
        new="    return picture.permute(2, 0, 1)\n",
        hint="The three colours come last",
    ),
    Mistake(
        "filters transposed",
        part="filter_picture",
        old="tile.permute(1, 2, 0)",
        new="tile.permute(2, 1, 0)",
        hint="The picture is transposed",
    ),
    Mistake(
        "column by column",
        part="filter_picture",
        old=_PLACE,
        new="column, row = divmod(place, rows)",
        hint="as text is written",
    ),
    Mistake(
        "white around the picture",
        part="filter_picture",
        old=_PICTURE,
        new="    return torch.nn.functional.pad(picture, (0, 0, 1, 1, 1, 1), value=1.0)\n",
        hint="between tiles only",
    ),
    Mistake(
        "no line between tiles",
        part="filter_picture",
        old=_PICTURE,
        new="""    there = [i for i in range(height) if i % (side + 1) < side]
    return picture[there][:, [i for i in range(width) if i % (side + 1) < side]]
""",
        hint="one white pixel",
    ),
    Mistake(
        "black lines between tiles",
        part="filter_picture",
        old="picture = torch.ones(height, width, 3)",
        new="picture = torch.zeros(height, width, 3)",
        hint="is not white, 1.0",
    ),
    Mistake(
        "unfilled places black",
        part="filter_picture",
        old=_PICTURE,
        new="""    for place in range(count, rows * columns):
        row, column = divmod(place, columns)
        picture[row * (side + 1) :][:side, column * (side + 1) :][:, :side] = 0
    return picture
""",
        hint="that no filter fills are white",
    ),
    Mistake(
        "no wider than the filters there are",
        part="filter_picture",
        old="rows = -(-count // columns)",
        new="columns = min(columns, count)\n    rows = -(-count // columns)",
        hint="as many tiles wide as columns says",
    ),
    Mistake(
        "a flat filter divided by 0",
        part="filter_picture",
        old="tile = (one - low) / (high - low) if high > low else torch.full_like(one, 0.5)",
        new="tile = (one - low) / (high - low)",
        hint="grey, 0.5",
    ),
    Mistake(
        "weights changed in place",
        part="filter_picture",
        old=_RANGE,
        new="high = (one.max() - one.min()).clone()\n        one.sub_(one.min().clone())\n        low = 0",
        hint="not what they were",
    ),
    Mistake(
        "maps that a module takes",
        part="maps_of",
        old=_HOOK,
        new="hook = module.register_forward_hook(lambda module, inputs, output: kept.append(inputs[0].clone()))",
        hint="not what it takes",
    ),
    Mistake(
        "top level only",
        part="maps_of",
        old="module = network.get_submodule(name)",
        new="module = dict(network.named_children())[name]",
        hint="raised KeyError",
    ),
    Mistake(
        "modules run in the order of their names",
        part="maps_of",
        old=_RUN,
        new="""    with torch.no_grad():
        steps = [one for one in network.modules() if not list(one.children())]
        for step in steps[: steps.index(module) + 1]:
            images = step(images)
""",
        hint="does more than to call its modules",
    ),
    Mistake(
        "mode left as it is",
        part="maps_of",
        old="    network.eval()\n",
        new="",
        hint="should work as in evaluation",
    ),
    Mistake(
        "overwritten by a ReLU",
        part="maps_of",
        old="kept.append(output.clone())",
        new="kept.append(output)",
        hint="inplace=True stands behind",
    ),
    Mistake(
        "with gradients",
        part="maps_of",
        old="    with torch.no_grad():\n",
        new="    with torch.enable_grad():\n",
        hint="they require gradients",
    ),
    Mistake(
        "evaluation mode for good",
        part="maps_of",
        old=_MODES,
        new="        pass\n",
        hint="was in training mode, and is not any more",
    ),
    Mistake(
        "training mode in the end",
        part="maps_of",
        old=_MODES,
        new="        one.training = True\n",
        hint="was in evaluation mode, and is not any more",
    ),
    Mistake(
        "one mode for all modules",
        part="maps_of",
        old=_MODES,
        new="        one.training = modes[network]\n",
        hint="not every module is in the mode",
    ),
    Mistake("hook left", part="maps_of", old="    hook.remove()\n", new="", hint="a hook is left"),
    Mistake(
        "running statistics changed",
        part="maps_of",
        old="    return kept[0]\n",
        new="    network(images)\n    return kept[0]\n",
        hint="its running statistics are not what they were",
    ),
    Mistake(
        "right predictions too",
        part="worst_mistakes",
        old=_WRONG,
        new="wrong = torch.arange(len(labels))",
        hint="Only wrong predictions",
    ),
    Mistake(
        "places among the mistakes",
        part="worst_mistakes",
        old=_CHOSEN,
        new="return order[:count].tolist()",
        hint="a place among the mistakes",
    ),
    Mistake(
        "least confident first",
        part="worst_mistakes",
        old=_ORDER,
        new="order = confidence[wrong].argsort()",
        hint="most sure comes first",
    ),
    Mistake(
        "ranked by logit",
        part="worst_mistakes",
        old=_CONFIDENCE,
        new="confidence, predicted = logits.max(dim=1)",
        hint="A large logit is not yet a large probability",
    ),
    Mistake(
        "ranked by the true class",
        part="worst_mistakes",
        old=_ORDER,
        new="order = logits.softmax(dim=1)[wrong, labels[wrong]].argsort()",
        hint="probability of the class that was predicted",
    ),
    Mistake(
        "ranked by the distance to the second",
        part="worst_mistakes",
        old=_ORDER,
        new="""first, second = logits.softmax(dim=1).topk(2, dim=1).values[wrong].T
    order = (first - second).argsort(descending=True)""",
        hint="probability of the class that was predicted",
    ),
    Mistake(
        "the first mistakes instead of the worst",
        part="worst_mistakes",
        old=_WRONG,
        new=_WRONG + "[:count]",
        hint="wherever they lie",
    ),
    Mistake(
        "filled up with right predictions",
        part="worst_mistakes",
        old=_CHOSEN,
        new="""right = (predicted == labels).nonzero().flatten()
    return torch.cat([wrong[order], right])[:count].tolist()""",
        hint="fewer mistakes than count",
    ),
    Mistake(
        "something where there is nothing",
        part="worst_mistakes",
        old=_CHOSEN,
        new="return wrong[order][:count].tolist() or [0]",
        hint="the list is empty",
    ),
    Mistake(
        "a tensor of places",
        part="worst_mistakes",
        old=_CHOSEN,
        new="return wrong[order][:count]",
        hint="a list of ints",
    ),
]
