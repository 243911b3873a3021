"""Task 5, answered wrong in the ways in which it is answered wrong."""

from known_mistakes import mistakes_in

_CONVS = "convs = [m for m in network.modules() if isinstance(m, nn.Conv2d)]"
_NOTE = "        seen.append(output.std().item())\n"
_PASS = "            network(images)\n"
_MEASURING = f"""    seen = []

    def note(layer, inputs, output):
{_NOTE}
    {_CONVS}
    handles = [conv.register_forward_hook(note) for conv in convs]
    try:
        with torch.no_grad():
{_PASS}    finally:
        for handle in handles:
            handle.remove()
    return seen
"""
_WEIGHTS = "weights = [part.weight for part in network.modules() if isinstance(part, nn.Conv2d)]"
_GRADIENTS = "gradients = torch.autograd.grad(loss, weights)"
_RMS = "gradient.square().mean().sqrt().item()"
_NORMAL = "nn.init.normal_(layer.weight, 0, math.sqrt(2 / fan))"
_LOSS = "    loss = F.cross_entropy(network(images), labels)\n"
_ZEROS = "            nn.init.zeros_(layer.bias)\n"

MISTAKES = [
    *mistakes_in(
        "chance_loss",
        ("math.log(", "math.log10(", "the natural logarithm"),
        ("math.log(num_classes)", "math.log(1 / num_classes)", "never below 0"),
        ("math.log(num_classes)", "1 / num_classes", "What is the cross-entropy"),
        ("math.log(num_classes)", "math.log(10)", "What is the cross-entropy"),
    ),
    *mistakes_in(
        "signal_strength",
        ("output.std()", "output.var()", "That is the variance"),
        ("output.std()", "output.std(dim=(0, 2, 3)).mean()", "images, channels and places together"),
        ("output.std()", "output.square().mean().sqrt()", "images, channels and places together"),
        ("output.std()", "output[0].std()", "images, channels and places together"),
        (
            _NOTE + "\n    " + _CONVS,
            "        if isinstance(layer, nn.ReLU):\n"
            "            seen.pop()\n" + _NOTE + "\n    " + _CONVS.replace("nn.Conv2d", "(nn.Conv2d, nn.ReLU)"),
            "before ReLU has cut half of it off",
        ),
        (_CONVS, _CONVS.replace("Conv2d", "ReLU"), "Every nn.Conv2d gives one"),
        (
            _MEASURING,
            _MEASURING.replace("output.std().item()", "output").replace(
                "return seen", "return [output.std().item() for output in seen]"
            ),
            "before the next layer has run, or after",
        ),
        (
            _MEASURING,
            _MEASURING.replace("seen = []", "seen = {}")
            .replace("seen.append(output.std().item())", "seen[layer] = output.std().item()")
            .replace("return seen", "return [seen[conv] for conv in convs]"),
            "in the order in which an image passes",
        ),
        ("output.std().item()", "str(output.std().item())", "a list that holds a string"),
        (_CONVS, _CONVS.replace("nn.Conv2d", "(nn.Conv2d, nn.Linear)"), "Only convolutions are asked about"),
        (_CONVS, _CONVS.replace("modules", "children"), "Convolutions may lie in blocks"),
        ("            handle.remove()\n", "            pass\n", "A hook was left"),
        (_PASS, "            network.eval()\n" + _PASS, "left in another mode"),
        (_PASS, "            network.eval()\n" + _PASS + "            network.train()\n", "left in another mode"),
        (
            _PASS,
            "            mode = network.training\n            network.eval()\n"
            + _PASS
            + "            network.train(mode)\n",
            "or part of it was",
        ),
        (
            _PASS,
            "            for m in network.modules():\n"
            '                if hasattr(m, "inplace"):\n'
            "                    m.inplace = False\n" + _PASS,
            "The network's layers, or what they hold",
        ),
    ),
    *mistakes_in(
        "gradient_strength",
        (_GRADIENTS, "loss.backward()\n    gradients = [weight.grad for weight in weights]", "Older gradients"),
        (_RMS, "gradient.norm().item()", "That is the length"),
        (_RMS, "gradient.square().mean().item()", "its root is still"),
        (_RMS, "gradient.abs().mean().item()", "Square every entry"),
        (_RMS, "gradient.std().item()", "a distance from 0"),
        (
            "F.cross_entropy(network(images), labels)",
            'F.cross_entropy(network(images), labels, reduction="sum")',
            "That is the gradient of the sum",
        ),
        (
            _WEIGHTS,
            "convs = [m for m in network.modules() if isinstance(m, nn.Conv2d)]\n"
            "    weights = [p for conv in convs for p in conv.parameters()]",
            "no bias, no linear layer",
        ),
        (_WEIGHTS, _WEIGHTS.replace("nn.Conv2d", "(nn.Conv2d, nn.Linear)"), "no bias, no linear layer"),
        (
            f"{_WEIGHTS}\n{_LOSS}    {_GRADIENTS}",
            f"{_WEIGHTS.replace('modules', 'children')}\n{_LOSS}    loss.backward()\n"
            "    gradients = [weight.grad for weight in weights]",
            "Convolutions may lie in blocks",
        ),
        ("for gradient in gradients]", "for gradient in reversed(gradients)]", "the first convolution comes first"),
        (
            _GRADIENTS,
            _GRADIENTS + "\n    with torch.no_grad():\n        weights[0] -= 0.1 * gradients[0]",
            "To measure is not to train",
        ),
    ),
    *mistakes_in(
        "initialise",
        (_NORMAL, "nn.init.xavier_normal_(layer.weight)", "The signal dies"),
        (_NORMAL, "nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5))", "The signal dies"),
        ("math.sqrt(2 / fan)", "math.sqrt(1 / fan)", "lost in each ReLU"),
        ("math.sqrt(2 / fan)", "2 / fan", "The signal dies"),
        ("math.sqrt(2 / fan)", "0.01", "the number of its inputs"),
        ("math.sqrt(2 / fan)", "0.1", "signal"),
        ("layer.weight[0].numel()", "layer.weight.shape[1]", "channels, and what else"),
        ("2 / fan", "4 / fan", "The signal explodes"),
        ("math.sqrt(2 / fan)", "math.sqrt(2 / fan) if layer.weight.ndim == 4 else 1", "the linear layers make"),
        (_ZEROS, _ZEROS + "            break\n", "has its old weights"),
        ("(nn.Conv2d, nn.Linear)", "nn.Conv2d", "Linear layer 1 has its old weights"),
        ("for layer in network.modules():", "for layer in network.children():", "has its old weights"),
        (
            "    for layer in network.modules():",
            "    import copy\n\n    for layer in copy.deepcopy(network).modules():",
            "has its old weights",
        ),
        (_NORMAL, "nn.init.constant_(layer.weight, math.sqrt(2 / fan))", "units with equal weights"),
        (_NORMAL, "nn.init.uniform_(layer.weight, 0, math.sqrt(6 / fan))", "as much above 0 as below"),
        ("zeros_(layer.bias)", "normal_(layer.bias)", "biases that are not 0"),
        (_ZEROS, "", "biases that are not 0"),
        (_NORMAL, "nn.init.constant_(layer.weight, math.nan)", "NaN"),
    ),
]
