"""Task 4, answered wrong in the ways in which it is answered wrong."""

from known_mistakes import mistakes_in

_CLEAR = "    optimizer.zero_grad()\n"
_LOSS = "loss = F.cross_entropy(network(images), labels)"
_STEP = "    loss.backward()\n    optimizer.step()\n"

MISTAKES = [
    *mistakes_in(
        "train_step",
        (
            "the loss returned as a tensor",
            "return loss.item()",
            "return loss",
            "holds on to all that it was computed from",
        ),
        ("nothing returned", "return loss.item()", "pass", "it returned None"),
        (
            "softmax before cross-entropy",
            _LOSS,
            "loss = F.cross_entropy(network(images).softmax(1), labels)",
            "logits or probabilities",
        ),
        (
            "sum instead of mean",
            _LOSS,
            'loss = F.cross_entropy(network(images), labels, reduction="sum")',
            "That is the sum over the batch",
        ),
        (
            "a step down the sum, and the mean returned",
            "    loss.backward()",
            "    (len(labels) * loss).backward()",
            "times too long",
        ),
        (
            "half of the batch",
            _LOSS,
            "loss = F.cross_entropy(network(images[::2]), labels[::2])",
            "Every image of the batch counts",
        ),
        (
            "a step down half of the batch",
            "    loss.backward()",
            "    F.cross_entropy(network(images[::2]), labels[::2]).backward()",
            "went somewhere else",
        ),
        (
            "the loss after the step",
            "return loss.item()",
            "return F.cross_entropy(network(images), labels).item()",
            "before the step, while the weights are still",
        ),
        (
            "the loss cut off from the network",
            _LOSS,
            "loss = F.cross_entropy(network(images).detach().requires_grad_(), labels)",
            "does it reach the weights",
        ),
        ("no backward", "    loss.backward()\n", "", "there are no gradients"),
        ("no step", "    optimizer.step()\n", "", "nobody used them"),
        (
            "gradients cleared between backward and step",
            "    optimizer.step()\n",
            "    optimizer.zero_grad()\n    optimizer.step()\n",
            "clear them before the step",
        ),
        ("two steps at once", "    optimizer.step()\n", "    optimizer.step()\n    optimizer.step()\n", "took 2 steps"),
        (
            "an optimizer of its own",
            "    optimizer.step()\n",
            "    torch.optim.SGD(network.parameters(), lr=0.01).step()\n",
            "the optimizer that was given took no step",
        ),
        (
            "an optimizer of its own, with the same options",
            "    optimizer.step()\n",
            "    type(optimizer)(network.parameters(), **optimizer.defaults).step()\n",
            "the optimizer that was given took no step",
        ),
        (
            "a step by hand",
            "    optimizer.step()\n",
            "    with torch.no_grad():\n"
            "        for p in network.parameters():\n"
            '            p -= optimizer.param_groups[0]["lr"] * p.grad\n',
            "the optimizer that was given took no step",
        ),
        (
            "what the optimizer remembers thrown away",
            "    optimizer.step()\n",
            "    optimizer.state.clear()\n    optimizer.step()\n",
            "Momentum is what an optimizer remembers",
        ),
        ("in evaluation mode", "    network.train()\n", "", "The network came in the other one"),
        (
            "two passes",
            "    loss.backward()",
            "    F.cross_entropy(network(images), labels).backward()",
            "through the network once",
        ),
        ("gradients never cleared", _CLEAR, "", "Gradients of another batch were there"),
        (
            "gradients cleared behind the step",
            _CLEAR + "    " + _LOSS + "\n" + _STEP,
            "    " + _LOSS + "\n" + _STEP + _CLEAR,
            "Gradients of another batch were there",
        ),
    ),
    *mistakes_in(
        "memorise",
        ("too few steps", "range(500)", "range(12)", "it was still falling"),
        ("learning rate far too small", "lr=0.01", "lr=1e-6", "it has hardly moved"),
        ("learning rate far too large", "lr=0.01", "lr=1e30", "steps too large"),
        ("up the gradient", "error.backward()", "(-error).backward()", "it did not fall"),
        (
            "stopped when all are right",
            "if error < 0.01:",
            "if (network(images).argmax(1) == labels).all():",
            "What decides when to stop",
        ),
        (
            "a copy trained",
            "    adam = ",
            "    import copy\n\n    network = copy.deepcopy(network)\n    adam = ",
            "Was another network trained, or a copy",
        ),
        (
            "half of the images",
            "CrossEntropyLoss()(network(images), labels)",
            "CrossEntropyLoss()(network(images[:8]), labels[:8])",
            "images are right",
        ),
    ),
]
