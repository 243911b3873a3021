# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 11 · The assignment
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/convnets-measured/convnets-measured/blob/main/notebooks/11-assignment.ipynb)
#
# You have seen networks built, trained, broken and fixed. Can you do it yourself?
#
# The assignment has eight tasks. They begin with the size of a feature map and end with a network on CIFAR-10 that is
# your own, measured as this course measures. This chapter says what is asked, how you get a copy that nobody else can
# read, and how it is graded. Then it trains such a network itself, so that you know what to expect of yours.
#
# > **What you will be able to do.**
# > Each goal is answered by the cell whose first line has its number.
# >
# > 1. Say in four numbers what a network on CIFAR-10 is worth.
# > 2. Say what twenty times the data bring, and what the gap explains about it.
# > 3. See which classes profit, and which are still confused.
# > 4. Write logits so that somebody else can check your numbers.

# %% [markdown]
# > **Time and memory.**
# > The whole notebook, with every exercise's solution:
# >
# > | profile | data | on | time | memory |
# > |---|---|---|---|---|
# > | `quick` | the sample in the package | two CPU cores | half a minute | about 1 GB |
# > | `cpu` | CIFAR-10, all of it and a twentieth | two CPU cores | 4 min <!-- claim: assignment-time --> | 1 GB <!-- claim: assignment-memory --> |
# > | `full` | the same, more seeds | one GPU | not measured yet | not measured yet |

# %% [markdown]
# ## What is asked
#
# | task | you write | points |
# |---|---|---|
# | 1 · Sizes and receptive fields | two functions for any stack of layers: stride, padding, dilation and all | 12 |
# | 2 · AlexNet from a table | a network from any table of layers, grouped convolutions included | 14 |
# | 3 · VGG from a list of blocks | a network with and without batch norm; and its parameters, counted without building it | 14 |
# | 4 · One training step | the step that all training is made of; and a batch, learned by heart | 14 |
# | 5 · Why a plain VGG stays at ln 10 | signals and gradients, layer by layer; and first weights that free it | 14 |
# | 6 · Metrics, and a network of your own | accuracy, confusion matrix, macro F1, gap; for what you trained on little data and on all of it | 14 |
# | 7 · Looking inside | filters, feature maps, the worst mistakes | 10 |
# | 8 · In your own words | two short answers, with your own numbers in them | 8 |
#
# They rise gently. Each task can be solved without the ones before it, apart from the network of task 6, for which you
# need a network and a step of your own.
#
# The tasks look like parts of this course, and they are not quite the same. Their forms differ from the library's, and
# answers may not import it. What helps is to have understood the chapter.

# %% [markdown]
# ## How to get a copy of your own
#
# Your instructor gives you a repository or a folder. It holds the notebook, the library, and a check. There are no
# solutions in it, and none in its history. Are you an instructor yourself? How to make such a repository and how to grade
# a class stands on the page [for
# instructors](https://github.com/convnets-measured/convnets-measured/blob/main/book/instructors.md).
#
# Do not press *Fork*. A fork of a public repository cannot be made private, so everybody could read your answers. Make
# an empty private repository instead, and push the copy there:
#
# ```bash
# git clone ADDRESS-OF-THE-ASSIGNMENT assignment
# cd assignment
# git remote rename origin upstream
# git remote add origin ADDRESS-OF-YOUR-PRIVATE-REPOSITORY
# git push --set-upstream origin main
# ```
#
# Three commands set it up. On Windows they begin with `py` and `.venv\Scripts\python`; the assignment's README has both.
#
# ```bash
# python3 -m venv .venv
# .venv/bin/python -m pip install -r requirements.txt
# .venv/bin/python check.py
# ```

# %% [markdown]
# ## How it is graded
#
# **What counts.** Two files: `answers.py`, and of it only the cells tagged `answer`; and `logits.safetensors`, what your
# network said about each image. The notebook writes both. Pictures and experiments elsewhere in the notebook are for you.
#
# **The check.** `python check.py` takes seconds, without a GPU and without a network. It goes
# through your functions one by one and says: right, or what was expected and which idea seems to be missing. Call it as
# often as you like. An answer that never ends costs you that part and no other.
#
# **The mark.** The same program, the same kind of questions, other numbers. Nobody looks at how your code is written.
# A function that computes passes both. One that remembers the check's numbers does not.
#
# **The points of a part** are given whole or not at all. A task has up to five parts, and a mistake often costs one of
# them. But a mistake in a function that another part calls can cost both: a training step without `zero_grad` may take
# the batch learned by heart with it.
#
# **Task 8** is read by a person. Four things count in each answer, one point each:
#
# | `WHY_STUCK`: one point for | what must be there |
# |---|---|
# | the symptom | what a loss of $\ln 10$ says about predictions, and why it is a failure to train, no lack of data |
# | the cause | what happens to signals from layer to layer, and to gradients on their way back, with your numbers |
# | initialisation | what a right one keeps the same from layer to layer, by which choice of weights, and your number |
# | batch norm | what it does in each layer that does not depend on how large the weights are, with your number |
#
# | `WHAT_DATA_BUYS`: one point for | what must be there |
# |---|---|
# | the change | accuracy, macro F1 and gap on little data and on all of it, and in which direction each moved |
# | the gap | why training and validation accuracy lie apart with few images, and what more images change about it |
# | the measures | what macro F1 says that accuracy does not, and whether it did so in your results |
# | the decision | which number you would use, why not the others, and how large a difference one seed can prove |

# %% [markdown]
# ## Copying
#
# Nobody can stop you from copying, and no program here tries to find out. The functions are short, and there are not many
# good ways to write them: two honest answers often look alike. So a program that calls likeness a copy would accuse the
# innocent.
#
# What you would miss is the work itself. The point of task 5 is the moment in which you see a signal die, layer by layer.
# Talk about the tasks as much as you want, explain them to each other, read the chapters again. Then write your own. What
# your course allows beyond that, such as a language model, its rules say, and not this page.
#
# Task 8 asks for your own numbers, from your own network.

# %% [markdown]
# ## Setting up
#
# Now to the network. In Colab the first cell installs the course's library. Anywhere else it does nothing.

# %% tags=["install"]
import sys

if "google.colab" in sys.modules:
    address = "git+https://github.com/convnets-measured/convnets-measured"
    get_ipython().run_line_magic("pip", f"install --quiet {address}")

# %% tags=["parameters"]
PROFILE = "auto"

# %%
import pandas as pd
import torch
from course_lib import analysis, data, models, plots, training
from course_lib.profiles import resolve_profile

profile = resolve_profile(PROFILE)
size = "sample" if profile == "quick" else "full"
pictures = data.load("cifar10", size=size)
seeds = range({"quick": 1, "cpu": 3, "full": 5}[profile])
epochs = {"quick": {"5": 2, "100": 1}}.get(profile, {"5": 20, "100": 5})
width = 0.125 if profile == "quick" else 0.25
print(f"profile {profile}: epochs {epochs}, {len(seeds)} seeds")
print("trains on", training.describe_device(training.best_device()))
pictures

# %% [markdown]
# ## A network to compare yours with
#
# Which network? Ours is the VGG8 of chapter 4 with batch norm, at a quarter of its width and without hidden linear
# layers. It is small on purpose: two processor cores train it in minutes. Yours will have another form.


# %%
def network_of(seed):
    training.set_seed(seed)
    return models.vgg8_bn(10, 3, width, hidden=())


analysis.layer_table(network_of(0), (3, 32, 32))

# %% [markdown]
# On how much data? Once on a twentieth of the training images, the first ones, and once on all of them. The small share
# gets more epochs, or it would make too few steps to learn anything, and we would blame the data, as the report of
# chapter 9 did. It still makes fewer steps: see below.

# %%
share = max(1, round(0.05 * len(pictures.train)))
parts = {
    "5": pictures.train.select(range(share)),
    "100": pictures.train,
}
for name, part in parts.items():
    steps = epochs[name] * -(-len(part) // 128)
    print(f"{name:>3} %: {len(part):,} images, {steps:,} steps of 128")

# %%
runs = {}
for seed in seeds:
    for name, part in parts.items():
        network = network_of(seed)
        history = training.fit(
            network,
            part,
            pictures.val,
            epochs=epochs[name],
            batch_size=min(128, len(part)),
            seed=seed,
            show=False,
        )
        seen = training.predict(network, parts["5"])
        answers = training.predict(network, pictures.val)
        training.record(
            f"VGG8 with batch norm, {name}%",
            history,
            answers,
            pictures,
            split="validation",
        )
        runs[name, seed] = network, seen, answers
len(runs)

# %% [markdown]
# What is such a network worth? One number is not enough. Accuracy says how often it is right. Macro F1 asks the same
# class by class, and counts every class alike. The gap is training accuracy minus validation accuracy: how much better
# it knows the images that it has seen. We take the same images for both shares, the twentieth that both were trained on.

# %%
# Goal 1: four numbers, of which accuracy needs two
rows = []
for (name, _), (_, seen, answers) in runs.items():
    report = analysis.class_report(answers)
    rows.append(
        {
            "data": f"{name} %",
            "training": seen.accuracy,
            "validation": answers.accuracy,
            "macro F1": report.loc["macro", "f1"],
            "gap": seen.accuracy - answers.accuracy,
        }
    )
told = pd.DataFrame(rows).groupby("data", sort=False)
mean, spread = told.mean(), told.std()
mean.map("{:.1%}".format)

# %%
spread.map("{:.1%}".format).replace("nan%", "one seed")

# %% [markdown]
# The second table is the spread over seeds. Keep it in mind when you compare your numbers with these, or your network
# with a friend's: a difference of that size is no difference.
#
# Twenty times the images raise accuracy from 52.3 % <!-- claim: assignment-little --> to
# 72.1 % <!-- claim: assignment-all -->, by 19.9 ± 2.0 points <!-- claim: assignment-data-gain --> over three seeds. The gap falls from
# 47.7 points <!-- claim: assignment-gap-little --> to
# 11.8 points <!-- claim: assignment-gap-all -->. <!-- claim: assignment-gap-falls --> It explains the first number: on
# little data the network knows its own images, all of them, far better than others. That is what *too little data*
# looks like, and it is not what a loss at $\ln 10$ looks like. But the gap does not say what a network is worth, for
# one that guesses has none at all. And not all of the difference need come from the images. With all of them the
# network also made 1,760 steps, and not 360.

# %% tags=["card"]
# Goal 2: what the data bring
figure, axes = plots.new_figure(width=6.4, height=3.4)
said = []
for place, name in enumerate(parts):
    row = mean.loc[f"{name} %"]
    for shift, column in ((-0.18, "training"), (0.18, "validation")):
        axes.bar(
            place + shift,
            100 * row[column],
            width=0.34,
            color={"training": plots.ORANGE, "validation": plots.BLUE}[
                column
            ],
            label=column if place == 0 else None,
        )
    said.append(
        f"{name} % of the data: training {row['training']:.1%}, "
        f"validation {row['validation']:.1%}"
    )
axes.set_xticks(
    range(len(parts)), [f"{name} % of the data" for name in parts]
)
axes.set(ylabel="accuracy, %", ylim=(0, 100))
axes.legend(frameon=False, loc="upper left", ncols=2)
plots.finish(
    figure,
    "Training and validation accuracy on little data and on all of it, mean "
    f"over seeds. {'; '.join(said)}.",
)

# %% [markdown]
# Accuracy and macro F1 are nearly the same here. All classes have equally many validation images, so accuracy is the
# mean recall. Macro F1 stays close to it as long as no class is predicted far too often or hardly ever. What differs
# from class to class only a table of classes shows.

# %%
# Goal 3: which classes profit?
by_class = pd.DataFrame(
    {
        f"{name} %": analysis.class_report(runs[name, 0][2])["f1"]
        for name in parts
    }
)
by_class["difference"] = by_class["100 %"] - by_class["5 %"]
by_class.sort_values("100 %").map("{:.2f}".format)

# %% [markdown]
# On this page, with one seed, every class profits: the truck most, by 0.23 <!-- claim: assignment-truck --> in F1, the horse and
# the ship least, by 0.15. <!-- claim: assignment-ship --> The cat stays the hardest. <!-- claim: assignment-classes --> What is it
# taken for?

# %%
matrix = analysis.confusion_matrix(runs["100", 0][2])
plots.confusion_heatmap(matrix)

# %% [markdown]
# For a dog, and dogs for cats. Dogs taken for cats are the most frequent mistake, 105 times <!-- claim: assignment-confusion -->
# on this page.

# %% [markdown]
# ## Numbers that somebody can check
#
# How can a grader know that your numbers are those of your network? It cannot train it again for every student. So you
# hand in what the network said: the logits, ten numbers an image, before any metric. The four numbers follow from them,
# and everybody who has the labels can compute them.

# %%
# Goal 4: the file that goes with your answers
logits = {
    f"{kind}_{name}": (seen if kind == "train" else answers).logits.half()
    for (name, seed), (_, seen, answers) in runs.items()
    if seed == 0
    for kind in ("train", "val")
}
for name, tensor in logits.items():
    megabytes = tensor.numel() * tensor.element_size() / 1e6
    print(f"{name:<9} {tuple(tensor.shape)} {megabytes:.2f} MB")

# %% [markdown]
# Half precision is enough: it keeps three digits, and a metric asks only which logit is the largest. How often does
# that change the answer?

# %%
exact = runs["100", 0][2].logits
changed = (logits["val_100"].float().argmax(1) != exact.argmax(1)).sum()
print(f"{changed} of {len(exact):,} answers differ in half precision")

# %% [markdown]
# Once in 5,000 answers, on this page. <!-- claim: assignment-half -->
#
# Could you make these logits up? Yes. Nothing in a file proves that it came from training. It would earn you what
# training earns, no more: the points are for metrics that agree with the file. And you would have nothing to write in
# task 8.

# %% [markdown]
# ## Exercises
#
# Write down your guess first. Then run your code. Then open the solution.

# %% [markdown]
# ### Exercise 1: How sure is a validation accuracy?
#
# The validation set has five thousand images. If another five thousand had been drawn, by how much would the accuracy
# differ, for the same network? Compare with the spread over seeds.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# An image is right or not: $n$ such draws have a standard deviation of $\sqrt{p(1-p)/n}$, here
# 0.7 points <!-- claim: assignment-draw-little --> and 0.6 points <!-- claim: assignment-draw-all -->. The spreads over
# seeds in the table above are 0.2 and 0.9 points, from three seeds, so they are rough. For two networks judged on the
# same images, the draw adds a standard error of 1 point at most to their difference. So below 2 points one seed each
# decides nothing. More seeds reduce what the seeds add, and not what the draw adds.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
for name in parts:
    answers = runs[name, 0][2]
    p, n = answers.accuracy, len(answers.labels)
    deviation = (p * (1 - p) / n) ** 0.5
    print(f"{name} %: accuracy {p:.1%} ± {deviation:.1%} from the draw")

# %% [markdown]
# ### Exercise 2: Macro and micro
#
# Leave out nine of ten validation images of one class, the one that your network knows best. What happens to accuracy,
# and what to macro F1? Which one would you report for such data?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Accuracy falls from 71.7 % <!-- claim: assignment-accuracy-whole --> to
# 70.2 % <!-- claim: assignment-accuracy-fewer -->, for the easiest images are gone. Macro F1 falls further, from
# 71.6 % <!-- claim: assignment-f1-whole --> to 67.8 % <!-- claim: assignment-f1-fewer -->, and for another reason: the
# class still counts as a tenth of the whole, and its precision has dropped. The same number of images of other classes
# is still taken for it, and now there are few right ones beside them. Which to report depends on what you ask: how
# often is an answer right, or how well is each class known?
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
answers = runs["100", 0][2]
best = int(analysis.class_report(answers)["recall"].iloc[:-1].argmax())
of_best = (answers.labels == best).nonzero().flatten()
kept = torch.ones(len(answers.labels), dtype=torch.bool)
kept[of_best[torch.arange(len(of_best)) % 10 > 0]] = False
fewer = analysis.Predictions(
    answers.logits[kept], answers.labels[kept], answers.classes
)
print(
    f"{answers.classes[best]}: {len(of_best)} images, then {kept[of_best].sum()}"
)
for title, one in {"all": answers, "fewer": fewer}.items():
    f1 = analysis.class_report(one).loc["macro", "f1"]
    print(f"{title}: accuracy {one.accuracy:.1%}, macro F1 {f1:.1%}")

# %% [markdown]
# ### Exercise 3: Made up
#
# Make logits up: take the labels, and add noise until the accuracy is about that of the trained network. No metric of
# this chapter finds anything wrong. What would give them away?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Mistakes. A network takes dogs for cats more often than for ships, because they look alike. Noise knows nothing of
# looks: its mistakes are spread evenly over all pairs of classes. The most frequent pair of the trained network stands
# out, with 105 <!-- claim: assignment-confusion --> of 1,413 mistakes; <!-- claim: assignment-mistakes --> that of the noise
# does not, with 27 <!-- claim: made-up-pair --> of its 1,377. <!-- claim: made-up-mistakes --> Somebody who knows this can make
# up logits that pass here, too, and has then learned a good deal about confusion matrices.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
trained = runs["100", 0][2]
right = torch.nn.functional.one_hot(trained.labels, 10)
noise = torch.randn(right.shape, generator=torch.Generator().manual_seed(0))
made_up = analysis.Predictions(
    2.2 * right + noise, trained.labels, trained.classes
)
for title, one in {"trained": trained, "made up": made_up}.items():
    wrong = torch.tensor(analysis.confusion_matrix(one).to_numpy())
    wrong.fill_diagonal_(0)
    print(
        f"{title}: accuracy {one.accuracy:.1%}, {wrong.sum()} mistakes, "
        f"{wrong.max()} of them in the most frequent pair"
    )

# %% [markdown]
# ## What to remember
#
# - What is graded is what `answers.py` computes, on numbers that you have not seen.
# - A private copy is a clone with a private remote, not a fork.
# - Accuracy, macro F1 and the gap answer three questions. None of them replaces the others.
# - Too little data shows as a gap. A loss at $\ln 10$ shows that nothing was learned, and then there is no gap.
# - Hand in logits, and others can check what you say.

# %% [markdown]
# ## References
#
# - CIFAR-10: [Krizhevsky, 2009](https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf).
# - VGG: [Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556).
# - Batch norm: [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167).
