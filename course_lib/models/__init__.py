"""The networks of the course, one architecture a file. Every builder takes
``num_classes``, the number of logits, and ``in_channels``: 1 for grey images, 3 for colour.

>>> sum(parameter.numel() for parameter in mlp().parameters())
535818
"""

from course_lib.models.alexnet import AlexNet, alexnet
from course_lib.models.backbones import IMAGENET_MEAN, IMAGENET_STD, backbone
from course_lib.models.classifier import Classifier, dtype_of, in_mode, meta_copy, shape_mismatch
from course_lib.models.efficientnet_lite import EfficientNetLite, efficientnet_lite0
from course_lib.models.lenet import LeNet5, lenet5
from course_lib.models.mobilenet import MobileNetV2, mobilenet_v2
from course_lib.models.perceptron import MLP, mlp
from course_lib.models.resnet import BasicBlock, Bottleneck, ResNet, plain34, resnet18, resnet34, resnet50, resnet_small
from course_lib.models.vgg import (
    CONFIGURATIONS,
    VGG,
    minivgg,
    vgg8,
    vgg8_bn,
    vgg11,
    vgg11_bn,
    vgg16,
    vgg16_bn,
    vgg19,
    vgg19_bn,
    vgg_small,
)
from course_lib.models.whitening import Whitened, whitened
