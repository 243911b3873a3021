import base64
import io

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.text import Text
from PIL import Image

from course_lib import analysis, models, plots, training


@pytest.fixture(scope="module")
def trained(few):
    training.set_seed(0)
    model = models.mlp(hidden=(16,))
    history = training.fit(model, few, few, epochs=2, show=False, device="cpu")
    return model, history


def figures(few, trained):
    model, history = trained
    answers = training.predict(model, few)
    yield plots.learning_curves(history), ["training loss goes from", "2 epochs"]
    yield plots.compare_curves({"one": history}), ["validation accuracy", "one"]
    yield plots.image_grid(few, range(10)), ["10 images", few.classes[few.labels[0]]]
    yield plots.mistake_grid(few, analysis.worst_mistakes(answers, 5)), ["5 most confident mistakes"]
    yield plots.weight_grid(model.features[0].weight.view(-1, 28, 28)[:4]), ["4 maps", "28 by 28"]
    lenet = models.lenet5()
    yield plots.feature_map_grid(few.images[:6, 0].float()), ["6 feature maps", "28 by 28"]
    yield plots.confusion_heatmap(analysis.confusion_matrix(answers)), ["of 300 answers are right"]
    table = analysis.layer_table(lenet, (1, 28, 28))
    signals = analysis.signals(lenet, few.images[:4].float() / 255, few.labels[:4])
    fields = {"LeNet-5": analysis.receptive_field(lenet.features)}
    costs = {"accuracy": [0.9], "spread": [0.01], "parameters": [6e4], "multiply_adds": [4e5], "seconds": [9]}
    yield plots.architecture_drawing(lenet, (1, 28, 28)), ["6 of 28×28", "120, 84 and 10 units"]
    yield plots.layer_bars(table), ["61.7 k parameters", "classifier.1 Linear"]
    yield plots.share_bars({"LeNet-5": table}), ["LeNet-5 4.2% convolution and 95.8% linear"]
    yield plots.parameter_pie(table), ["the first linear layer 48.1 k, 78.0%"]
    yield plots.accuracy_against_cost(pd.DataFrame(costs, index=["LeNet-5"])), ["LeNet-5 90.00% ± 1.00%"]
    yield plots.receptive_growth(fields, 28), ["LeNet-5 ends at 16 pixels", "28 pixels"]
    yield plots.channel_progression(lenet, (1, 28, 28)), ["from 28 to 5", "from 1 to 16"]
    yield plots.signal_chain({"LeNet-5": signals}), ["gradient rms", "layer 5"]
    yield plots.signal_chain({"net": signals}, what="block", mark=("here", 1e-3)), ["in block 1", "line at 1e-03: here"]
    yield plots.signals_over_steps(signals.assign(step=0)), ["5 layers by 1 step"]
    block = models.Bottleneck(64, 16, stride=1, skip=True)
    yield plots.residual_blocks({"narrow": block}), ["narrow: 1×1, 64 → 16, then 3×3, 16 → 16, then 1×1, 16 → 64."]
    yield plots.reachable_functions(), ["each area contains the one before"]
    ideas = {"small": (2012, "depth", "two layers"), "large": (2015, "depth", "twenty")}
    yield plots.timeline(ideas, {"small": ["large"]}), ["small (2012, depth): two layers", "from small to large"]
    yield plots.window_comparison(), ["49 weights", "27 weights"]
    yield plots.filter_grid(torch.rand(4, 3, 5, 5)), ["4 colour filters"]
    yield plots.backpropagation_graph(2, (0.5, -1), (2, 1), 1), ["L is 0.5", "w₁: 4, w₂: 0, v₁: 1, v₂: 0"]
    yield plots.run_dots({"one": [0.9, 0.92], "two": [0.95]}, "test"), ["one 9.00 (8.00 to 10.00)", "two 5.00"]
    edge = torch.zeros(4, 5)
    edge[:, 3:] = 1.0  # its left edge is between columns 2 and 3
    result = torch.nn.functional.conv2d(edge[None, None], torch.tensor([[[[-1.0, 1.0]]]]))[0, 0]
    words = ["image, 4 × 5, kernel, 1 × 2, and feature map, 4 × 4", "largest sum, 1.0", "row 0, column 2"]
    yield plots.convolution_result(edge, torch.tensor([[-1.0, 1.0]]), result), words
    moved = ["moved by 0: 1, 2", "moved by 1: 0, 2. moved by 2: 0, 1"]
    yield plots.pooling_windows(torch.tensor([[0.0, 1.0, 2.0, 0.0]] * 2)), moved
    rows = [("net", seed, right, 0.9 - right / 10, 1 - right / 4) for seed in (0, 1) for right in (0, 2)]
    shifts = pd.DataFrame(rows, columns=["name", "seed", "right", "accuracy", "accuracy_whole"])
    words = ["shifts of 0 to 2 pixels", "all test images, net: 90.0, 70.0; images that lose no ink, net: 100.0, 50.0"]
    yield plots.shift_lines(shifts), words
    rates = pd.DataFrame({"learning_rate": [0.1, 0.1, 0.01], "accuracy": [0.8, 0.9, 0.5]})
    yield (
        plots.accuracy_by("learning_rate", {"net": rates}, "test"),
        ["for 1 networks. net: 50.0 at 0.01, 85.0 at 0.1."],
    )
    curves = pd.DataFrame({"name": "net", "epoch": [1, 1, 2, 2], "train_loss": [2, 4, 1, 2.0], "val_loss": 3.0})
    yield (
        plots.mean_curves({"Loss": curves, "In training": curves.drop(columns="val_loss")}),
        ["Loss, net, training: from 3.000 to 1.500; Loss, net, validation: from 3.000", "In training, net: from 3.000"],
    )
    loss = curves.drop(columns="val_loss")
    yield plots.mean_curves({"one": loss, "two": loss}), ["training loss by epoch", "two, net: from 3.000"]
    yield plots.template_sum(torch.ones(3, 3), torch.full((3, 3), -2.0), 1.0), ["z = −17.00", "passes on 0.00"]


def test_each_figure_is_a_png_on_white_with_alt_text(few, trained):
    for figure, words in figures(few, trained):
        data, metadata = figure._repr_mimebundle_()
        picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
        corners = [picture.getpixel((x, y)) for x in (0, picture.width - 1) for y in (0, picture.height - 1)]
        assert corners == [(255, 255, 255)] * 4
        assert np.asarray(picture).std() > 5
        assert metadata["image/png"]["alt"] == data["text/plain"] == figure.alt
        for word in words:
            assert word.lower() in figure.alt.lower()


def test_no_number_of_an_axis_or_a_colour_bar_shows_the_source_of_a_formula(few, trained):
    for figure, _ in figures(few, trained):
        figure.to_png()
        texts = [text for text in figure.findobj(Text) if text.get_visible() and not text.get_parse_math()]
        assert [text.get_text() for text in texts if r"\math" in text.get_text()] == [], figure.alt


def test_refuses_a_figure_without_alt_text():
    figure, _ = plots.new_figure()
    with pytest.raises(ValueError, match="alt text"):
        plots.finish(figure, "  ")


@pytest.mark.parametrize("arcs", [{"old": ["newest"]}, {"new": ["old"]}, {"old": ["old"]}])
def test_a_timeline_refuses_an_arc_to_nowhere_or_back(arcs):
    with pytest.raises(ValueError, match="choose a later one of old, new"):
        plots.timeline({"old": (2012, "depth", "a"), "new": (2015, "depth", "b")}, arcs)


def test_figures_are_not_registered_with_pyplot(few):
    import matplotlib.pyplot as plt

    plots.image_grid(few, [0])
    assert plt.get_fignums() == []


def test_confusion_matrix_shows_counts_as_numbers_and_mistakes_as_colour():
    names = ["cat", "dog"]
    axes = plots.confusion_heatmap(pd.DataFrame([[5, 0], [2, 3]], index=names, columns=names)).axes[0]
    assert axes.collections[0].get_array().tolist() == [[0, 0], [2, 0]]
    assert [text.get_text() for text in axes.texts] == ["5", "", "2", "3"]


def test_confusion_matrices_side_by_side_share_one_scale_of_colour():
    names = ["cat", "dog"]
    few, many = (pd.DataFrame([[5, count], [0, 3]], index=names, columns=names) for count in (1, 4))
    figure = plots.confusion_heatmaps({"few": few, "many": many})
    assert [axes.get_title() for axes in figure.axes] == ["few", "many"]
    assert {axes.collections[0].get_clim() for axes in figure.axes} == {(0, 4)}
    assert "few: 8 of 9 answers are right; most frequent, 1 time, is cat taken for dog" in figure.alt


def test_panels_of_one_measure_share_their_axis_and_others_do_not():
    low = pd.DataFrame({"name": "net", "epoch": [1, 2], "train_loss": [2.0, 1.0]})
    high = low.assign(train_loss=[9.0, 8.0])
    shared = plots.mean_curves({"low": low, "high": high})
    apart = plots.mean_curves({"low": low, "high": high.rename(columns={"train_loss": "val_loss"})})
    assert [len({axes.get_ylim() for axes in figure.axes}) for figure in (shared, apart)] == [1, 2]


@pytest.mark.parametrize("accuracies", [[0.37, 0.371], [1.0, 1.0], [0.0]])
def test_no_dot_of_a_run_is_cut_by_the_edge(accuracies):
    (axes,) = plots.run_dots({"net": accuracies}, "test").axes
    largest, (left, right) = 100 * (1 - min(accuracies)), axes.get_xlim()
    assert left == 0 and right > 1.02 * largest
