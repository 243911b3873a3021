"""The networks of the course, one architecture a file. Every builder takes ``num_classes`` and ``in_channels``.

>>> sum(parameter.numel() for parameter in mlp().parameters())
535818
"""

from course_lib.lazy import lazy_names

__getattr__, __dir__, __all__ = lazy_names(
    __name__,
    {
        "perceptron": ["MLP", "mlp"],
        "lenet": ["LeNet5", "lenet5"],
        "alexnets": ["AlexNet", "alexnet"],
        "vgg": [
            *("CONFIGURATIONS", "VGG", "minivgg", "vgg_small"),
            *("vgg8", "vgg8_bn", "vgg11", "vgg11_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"),
        ],
        "resnet": [
            *("BasicBlock", "Bottleneck", "ResNet"),
            *("resnet18", "resnet34", "resnet50", "plain34", "resnet_small"),
        ],
        "whitening": ["Whitened", "whitened"],
        "mobilenet": ["MobileNetV2", "mobilenet_v2"],
        "efficientnet_lite": ["EfficientNetLite", "efficientnet_lite0"],
        "backbones": ["backbone"],
        "classifier": ["Classifier", "why_it_does_not_fit"],
        "modes": ["in_mode"],
        "meta": ["weights_without_numbers"],
    },
)
