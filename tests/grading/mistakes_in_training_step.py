"""Task 4, answered wrong in the ways in which it is answered wrong."""

from known_mistakes import mistakes_in

_CLEAR = "    optimizer.zero_grad()\n"
_LOSS = "loss = F.cross_entropy(network(images), labels)"
_STEP = "    loss.backward()\n    optimizer.step()\n"

MISTAKES = [
    *mistakes_in(
        "train_step",
        ("return loss.item()", "return loss", "holds on to all that it was computed from"),
        ("return loss.item()", "pass", "it returned None"),
        (_LOSS, "loss = F.cross_entropy(network(images).softmax(1), labels)", "logits or probabilities"),
        (_LOSS, 'loss = F.cross_entropy(network(images), labels, reduction="sum")', "That is the sum over the batch"),
        ("    loss.backward()", "    (len(labels) * loss).backward()", "times too long"),
        (_LOSS, "loss = F.cross_entropy(network(images[::2]), labels[::2])", "Every image of the batch counts"),
        ("loss.backward()", "F.cross_entropy(network(images[::2]), labels[::2]).backward()", "went somewhere else"),
        ("return loss.item()", "return F.cross_entropy(network(images), labels).item()", "before the step, while"),
        (_LOSS, "loss = F.cross_entropy(network(images).detach().requires_grad_(), labels)", "reach the weights"),
        ("    loss.backward()\n", "", "there are no gradients"),
        ("    optimizer.step()\n", "", "nobody used them"),
        ("    optimizer.step()\n", "    optimizer.zero_grad()\n    optimizer.step()\n", "clear them before the step"),
        ("    optimizer.step()\n", "    optimizer.step()\n    optimizer.step()\n", "took 2 steps"),
        ("optimizer.step()", "torch.optim.SGD(network.parameters(), lr=0.01).step()", "took no step"),
        ("optimizer.step()", "type(optimizer)(network.parameters(), **optimizer.defaults).step()", "took no step"),
        (
            "    optimizer.step()\n",
            "    with torch.no_grad():\n"
            "        for p in network.parameters():\n"
            '            p -= optimizer.param_groups[0]["lr"] * p.grad\n',
            "the optimizer that was given took no step",
        ),
        ("optimizer.step()", "optimizer.state.clear()\n    optimizer.step()", "an optimizer remembers"),
        ("    network.train()\n", "", "The network came in the other one"),
        ("    loss.backward()", "    F.cross_entropy(network(images), labels).backward()", "through the network once"),
        (_CLEAR, "", "Gradients of another batch were there"),
        (_CLEAR + "    " + _LOSS + "\n" + _STEP, "    " + _LOSS + "\n" + _STEP + _CLEAR, "another batch were there"),
    ),
    *mistakes_in(
        "memorise",
        ("range(500)", "range(12)", "it was still falling"),
        ("lr=0.01", "lr=1e-6", "it has hardly moved"),
        ("lr=0.01", "lr=1e30", "steps too large"),
        ("error.backward()", "(-error).backward()", "it did not fall"),
        ("if error < 0.01:", "if (network(images).argmax(1) == labels).all():", "What decides when to stop"),
        ("    adam = ", "    import copy\n\n    network = copy.deepcopy(network)\n    adam = ", "Was another network"),
        (
            "CrossEntropyLoss()(network(images), labels)",
            "CrossEntropyLoss()(network(images[:8]), labels[:8])",
            "images are right",
        ),
    ),
]
