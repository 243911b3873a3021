"""Task 5, answered wrong in the ways in which it is answered wrong."""

from known_mistakes import Mistake

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
    Mistake(
        "logarithm to base 10",
        part="chance_loss",
        old="math.log(",
        new="math.log10(",
        hint="the natural logarithm",
    ),
    Mistake(
        "sign",
        part="chance_loss",
        old="math.log(num_classes)",
        new="math.log(1 / num_classes)",
        hint="never below 0",
    ),
    Mistake(
        "the probability",
        part="chance_loss",
        old="math.log(num_classes)",
        new="1 / num_classes",
        hint="What is the cross-entropy",
    ),
    Mistake(
        "ten classes always",
        part="chance_loss",
        old="math.log(num_classes)",
        new="math.log(10)",
        hint="What is the cross-entropy",
    ),
    Mistake(
        "variance",
        part="signal_strength",
        old="output.std()",
        new="output.var()",
        hint="That is the variance",
    ),
    Mistake(
        "each channel by itself",
        part="signal_strength",
        old="output.std()",
        new="output.std(dim=(0, 2, 3)).mean()",
        hint="images, channels and places together",
    ),
    Mistake(
        "root mean square",
        part="signal_strength",
        old="output.std()",
        new="output.square().mean().sqrt()",
        hint="images, channels and places together",
    ),
    Mistake(
        "the first image only",
        part="signal_strength",
        old="output.std()",
        new="output[0].std()",
        hint="images, channels and places together",
    ),
    Mistake(
        "behind ReLU",
        part="signal_strength",
        old=_NOTE + "\n    " + _CONVS,
        new="        if isinstance(layer, nn.ReLU):\n"
        "            seen.pop()\n" + _NOTE + "\n    " + _CONVS.replace("nn.Conv2d", "(nn.Conv2d, nn.ReLU)"),
        hint="before ReLU has cut half of it off",
    ),
    Mistake(
        "at ReLU",
        part="signal_strength",
        old=_CONVS,
        new=_CONVS.replace("Conv2d", "ReLU"),
        hint="Every nn.Conv2d gives one",
    ),
    Mistake(
        "measured when the next layer has run",
        part="signal_strength",
        old=_MEASURING,
        new=_MEASURING.replace("output.std().item()", "output").replace(
            "return seen", "return [output.std().item() for output in seen]"
        ),
        hint="before the next layer has run, or after",
    ),
    Mistake(
        "in the order of definition",
        part="signal_strength",
        old=_MEASURING,
        new=_MEASURING.replace("seen = []", "seen = {}")
        .replace("seen.append(output.std().item())", "seen[layer] = output.std().item()")
        .replace("return seen", "return [seen[conv] for conv in convs]"),
        hint="in the order in which an image passes",
    ),
    Mistake(
        "tensors",
        part="signal_strength",
        old="output.std().item()",
        new="output.std()",
        hint="a list that holds a tensor",
    ),
    Mistake(
        "linear layers too",
        part="signal_strength",
        old=_CONVS,
        new=_CONVS.replace("nn.Conv2d", "(nn.Conv2d, nn.Linear)"),
        hint="Only convolutions are asked about",
    ),
    Mistake(
        "children alone",
        part="signal_strength",
        old=_CONVS,
        new=_CONVS.replace("modules", "children"),
        hint="Convolutions may lie in blocks",
    ),
    Mistake(
        "hooks left",
        part="signal_strength",
        old="            handle.remove()\n",
        new="            pass\n",
        hint="A hook was left",
    ),
    Mistake(
        "left in evaluation mode",
        part="signal_strength",
        old=_PASS,
        new="            network.eval()\n" + _PASS,
        hint="left in another mode",
    ),
    Mistake(
        "left in training mode",
        part="signal_strength",
        old=_PASS,
        new="            network.eval()\n" + _PASS + "            network.train()\n",
        hint="left in another mode",
    ),
    Mistake(
        "every part in the mode of the whole",
        part="signal_strength",
        old=_PASS,
        new="            mode = network.training\n            network.eval()\n"
        + _PASS
        + "            network.train(mode)\n",
        hint="or part of it was",
    ),
    Mistake(
        "ReLUs changed for good",
        part="signal_strength",
        old=_PASS,
        new="            for m in network.modules():\n"
        '                if hasattr(m, "inplace"):\n'
        "                    m.inplace = False\n" + _PASS,
        hint="The network's layers, or what they hold",
    ),
    Mistake(
        "older gradients added",
        part="gradient_strength",
        old=_GRADIENTS,
        new="loss.backward()\n    gradients = [weight.grad for weight in weights]",
        hint="Older gradients were in the network",
    ),
    Mistake(
        "length",
        part="gradient_strength",
        old=_RMS,
        new="gradient.norm().item()",
        hint="That is the length",
    ),
    Mistake(
        "mean square",
        part="gradient_strength",
        old=_RMS,
        new="gradient.square().mean().item()",
        hint="its root is still",
    ),
    Mistake(
        "mean of absolute values",
        part="gradient_strength",
        old=_RMS,
        new="gradient.abs().mean().item()",
        hint="Square every entry",
    ),
    Mistake(
        "standard deviation",
        part="gradient_strength",
        old=_RMS,
        new="gradient.std().item()",
        hint="a distance from 0",
    ),
    Mistake(
        "sum over the batch",
        part="gradient_strength",
        old="F.cross_entropy(network(images), labels)",
        new='F.cross_entropy(network(images), labels, reduction="sum")',
        hint="That is the gradient of the sum",
    ),
    Mistake(
        "biases too",
        part="gradient_strength",
        old=_WEIGHTS,
        new="convs = [m for m in network.modules() if isinstance(m, nn.Conv2d)]\n"
        "    weights = [p for conv in convs for p in conv.parameters()]",
        hint="no bias, no linear layer",
    ),
    Mistake(
        "linear layers' gradients too",
        part="gradient_strength",
        old=_WEIGHTS,
        new=_WEIGHTS.replace("nn.Conv2d", "(nn.Conv2d, nn.Linear)"),
        hint="no bias, no linear layer",
    ),
    Mistake(
        "children's gradients alone",
        part="gradient_strength",
        old=f"{_WEIGHTS}\n{_LOSS}    {_GRADIENTS}",
        new=f"{_WEIGHTS.replace('modules', 'children')}\n{_LOSS}    loss.backward()\n"
        "    gradients = [weight.grad for weight in weights]",
        hint="Convolutions may lie in blocks",
    ),
    Mistake(
        "from the last to the first",
        part="gradient_strength",
        old="for gradient in gradients]",
        new="for gradient in reversed(gradients)]",
        hint="the first convolution comes first",
    ),
    Mistake(
        "a step taken",
        part="gradient_strength",
        old=_GRADIENTS,
        new=_GRADIENTS + "\n    with torch.no_grad():\n        weights[0] -= 0.1 * gradients[0]",
        hint="To measure is not to train",
    ),
    Mistake(
        "Xavier",
        part="initialise",
        old=_NORMAL,
        new="nn.init.xavier_normal_(layer.weight)",
        hint="The signal dies",
    ),
    Mistake(
        "PyTorch's own way",
        part="initialise",
        old=_NORMAL,
        new="nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5))",
        hint="The signal dies",
    ),
    Mistake(
        "no room for ReLU",
        part="initialise",
        old="math.sqrt(2 / fan)",
        new="math.sqrt(1 / fan)",
        hint="lost in each ReLU",
    ),
    Mistake(
        "variance for width",
        part="initialise",
        old="math.sqrt(2 / fan)",
        new="2 / fan",
        hint="The signal dies",
    ),
    Mistake(
        "always 0.01",
        part="initialise",
        old="math.sqrt(2 / fan)",
        new="0.01",
        hint="the number of its inputs",
    ),
    Mistake(
        "always 0.1",
        part="initialise",
        old="math.sqrt(2 / fan)",
        new="0.1",
        hint="signal",
    ),
    Mistake(
        "fan without the kernel",
        part="initialise",
        old="layer.weight[0].numel()",
        new="layer.weight.shape[1]",
        hint="channels, and what else",
    ),
    Mistake(
        "twice the variance",
        part="initialise",
        old="2 / fan",
        new="4 / fan",
        hint="The signal explodes",
    ),
    Mistake(
        "linear layers from the standard normal",
        part="initialise",
        old="math.sqrt(2 / fan)",
        new="math.sqrt(2 / fan) if layer.weight.ndim == 4 else 1",
        hint="The convolutions are right, and the linear layers",
    ),
    Mistake(
        "the first convolution alone",
        part="initialise",
        old=_ZEROS,
        new=_ZEROS + "            break\n",
        hint="has its old weights",
    ),
    Mistake(
        "convolutions alone",
        part="initialise",
        old="(nn.Conv2d, nn.Linear)",
        new="nn.Conv2d",
        hint="Linear layer 1 has its old weights",
    ),
    Mistake(
        "children drawn alone",
        part="initialise",
        old="for layer in network.modules():",
        new="for layer in network.children():",
        hint="has its old weights",
    ),
    Mistake(
        "a copy drawn",
        part="initialise",
        old="    for layer in network.modules():",
        new="    import copy\n\n    for layer in copy.deepcopy(network).modules():",
        hint="has its old weights",
    ),
    Mistake(
        "constant weights",
        part="initialise",
        old=_NORMAL,
        new="nn.init.constant_(layer.weight, math.sqrt(2 / fan))",
        hint="units with equal weights",
    ),
    Mistake(
        "never below 0",
        part="initialise",
        old=_NORMAL,
        new="nn.init.uniform_(layer.weight, 0, math.sqrt(6 / fan))",
        hint="as much above 0 as below",
    ),
    Mistake(
        "biases drawn",
        part="initialise",
        old="zeros_(layer.bias)",
        new="normal_(layer.bias)",
        hint="biases that are not 0",
    ),
    Mistake(
        "biases kept",
        part="initialise",
        old=_ZEROS,
        new="",
        hint="biases that are not 0",
    ),
    Mistake(
        "NaN",
        part="initialise",
        old=_NORMAL,
        new="nn.init.constant_(layer.weight, math.nan)",
        hint="NaN",
    ),
]
