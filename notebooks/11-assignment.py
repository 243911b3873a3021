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
# Can you build, train and measure a network of your own, so that others believe your numbers?
#
# Two people hand in what their networks said about the same 5,000 photographs. Both have about 72 in a hundred right, and nearly the same
# macro F1. Here are their mistakes. The darker a square, the more often photographs of the row's class were taken for the column's:

# %% tags=["install"]
import sys

if "google.colab" in sys.modules:
    address = "git+https://github.com/convnets-measured/convnets-measured"
    get_ipython().run_line_magic("pip", f"install --quiet {address}")

# %% tags=["drawn", "card", "remove-input"]
import numpy as np
import pandas as pd
from course_lib import plots, records

runs = records.read(records.results_folder() / "11-assignment.jsonl")
run = next(one for one in runs if "100%" in one["name"])
names = ["plane", "car", "bird", "cat", "deer"]
names += ["dog", "frog", "horse", "ship", "truck"]
trained = np.array(run["confusion"])
right = trained.trace() / trained.sum()
chances = np.full((10, 10), (1 - right) / 9)
np.fill_diagonal(chances, right)
made_up = np.random.default_rng(0).multinomial(trained.sum(axis=1), chances)
pair = {"A": made_up, "B": trained}
plots.confusion_heatmaps(
    {name: pd.DataFrame(one, names, names) for name, one in pair.items()}
)

# %% [markdown]
# > **Your guess.** One of them trained no network, and made the answers up in three lines of code. Which?
# >
# > - A. <!-- answer: assignment-made-up -->
# > - B.
# > - Nobody can tell: the numbers are equal.
#
# > **What we found.** A. A network confuses what looks alike: dogs and cats, trucks and cars. In A the mistakes are spread evenly.
#
# How sure can one be of that? You will make up such a file yourself, and write a test that catches careless ones. First, this chapter says
# what the assignment asks, how you get a copy that nobody else can read, and how it is graded.
#
# > **What you will be able to do.** Each goal is answered by the cell whose first line has its number.
# >
# > 1. Say in four numbers what a network on CIFAR-10 is worth.
# > 2. Tell what more images bring from what more steps bring.
# > 3. See which classes profit, and which stay confused.
# > 4. Hand in logits, so that somebody else can check your numbers.
# > 5. Test whether answers look like a network's.
#
# To run it yourself, open it in Colab: `PROFILE = "auto"` takes all the data, 7 min <!-- claim: assignment-time --> on two CPU cores, and
# 1 GB <!-- claim: assignment-memory --> of memory. `"quick"` takes half a minute, on a sample, and gives other numbers.

# %% tags=["parameters"]
PROFILE = "auto"

# %% tags=["hide-input"]
import pandas as pd
import torch
from course_lib import analysis, data, plots, records, training
from course_lib.models import vgg8_bn
from course_lib.profiles import resolve_profile
from torch.nn import functional as F

profile = resolve_profile(PROFILE, without_gpu="cpu")
quick = profile == "quick"
photos = data.load("cifar10", size="sample" if quick else "full")

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
# They get harder slowly. None needs the code of the ones before it, except task 6, which needs a network and a training step. Task 8 asks
# for your numbers from tasks 5 and 6. The tasks look like parts of this course, but their forms differ from the library's, and your answers
# may not import it.
#
# ## A copy of your own
#
# Your instructor gives you a repository or a folder with a notebook, the library, and a check. (Are you the instructor? The page [for
# instructors](https://github.com/convnets-measured/convnets-measured/blob/main/book/instructors.md) says how to make it and how to grade a
# class.) Do not press *Fork*: a fork of a public repository can't be made private, so everybody could read your answers. Make an empty
# private repository instead, and push the copy there. (From a folder: begin with `git init`, and leave out the first and the third line.)
#
# ```bash
# git clone ADDRESS-OF-THE-ASSIGNMENT assignment
# cd assignment
# git remote rename origin upstream
# git remote add origin ADDRESS-OF-YOUR-PRIVATE-REPOSITORY
# git push --set-upstream origin main
# ```
#
# Three commands set it up. (On Windows they begin with `py` and `.venv\Scripts\python`; the assignment's README has both.)
#
# ```bash
# python3 -m venv .venv
# .venv/bin/python -m pip install -r requirements.txt
# .venv/bin/python check.py
# ```
#
# ## How it is graded
#
# **What counts.** Two files: the cells tagged `answer` of `answers.py`, and `logits.safetensors`, the scores that your two networks of task
# 6 give to training and validation images. In Jupyter the notebook writes both; after another editor, run `check.py` before you hand in.
# Everything else in the notebook is for you.
#
# **The check.** `python check.py` takes seconds, offline and without a GPU. It goes through your functions one by one, and says that one is
# right, or what was expected and which idea seems to be missing. Call it as often as you like.
#
# **The mark.** The same program asks the same kind of questions with other numbers. A function that computes passes both. One that
# remembers the check's numbers doesn't. Style earns and costs nothing.
#
# **Points** are given for the parts of a task, each whole or not at all. A mistake in a function that another part calls can cost both: a
# training step without `zero_grad` may also fail to learn a batch by heart.
#
# **Task 8** is read by a person. Four things count in each answer, one point each:
#
# | `WHY_STUCK`: one point for | what must be there |
# |---|---|
# | the symptom | what a loss of $\ln 10$ says about predictions, and why it is a failure to train, no lack of data |
# | the cause | what happens to signals from layer to layer, and to gradients on their way back, with your numbers |
# | initialisation | what a right one keeps the same from layer to layer, by which choice of weights, and your number |
# | batch norm | what it does in each layer that does not depend on how large the weights are, with your number: measure a network of task 3 with your functions of task 5 |
#
# | `WHAT_DATA_BUYS`: one point for | what must be there |
# |---|---|
# | the change | accuracy, macro F1 and gap on little data and on all of it, and in which direction each moved |
# | the gap | why training and validation accuracy lie apart with few images, and what more images change about it |
# | the measures | what macro F1 says that accuracy does not, and whether it did so in your results |
# | the decision | which number you would use, why not the others, and how large a difference one seed can prove |
#
# **Copying.** No program here looks for it. The functions are short, two honest answers often look alike, and a program that calls likeness
# a copy would accuse the innocent. Talk about the tasks as much as you like. Then write your own: the point of task 5 is the moment in
# which you see a signal die, layer by layer. What your course allows beyond that, such as a language model, its rules say.
#
# ## A network to compare yours with
#
# Ours is the VGG8 of chapter 4 with batch norm, at a quarter of its width and without hidden linear layers. It trains in minutes on two
# processor cores. It learns once from a twentieth of the training images, and once from all of them. The small share gets more epochs, or
# little data and little training would be mixed up (chapter 9).

# %%
# The network, and two shares of the training images
twentieth = photos.train.select(range(round(0.05 * len(photos.train))))
parts = {"a twentieth": twentieth, "all images": photos.train}
epochs = {"a twentieth": 20, "all images": 5}
if quick:
    epochs = {"a twentieth": 2, "all images": 1}
batches = {name: -(-len(part) // 128) for name, part in parts.items()}
for name, part in parts.items():
    steps = epochs[name] * batches[name]
    print(f"{name}: {len(part):,} photographs, {steps:,} steps of 128")

# %% [markdown]
# What is such a network worth? *Accuracy* is the share of photographs that it gets right. *Macro F1* computes an F1 for each class, and
# averages over the classes, so that each counts alike. (The card has its formula.) The *gap* is training accuracy minus validation
# accuracy: how much better the network knows the images that it has seen. Both networks have seen the twentieth, so the gap takes those.
#
# > **Your guess.** Of a hundred validation images, how many does the network read when it has seen a twentieth of the data?
# > <!-- guess: assignment-little, 10 to 100 % -->


# %%
def train(name, part, epochs, seed, **options):
    training.set_seed(seed)
    network = vgg8_bn(10, 3, 0.125 if quick else 0.25, hidden=())
    size = {"epochs": epochs, "batch_size": min(128, len(part))}
    history = training.fit(
        network, part, photos.val, seed=seed, show=False, **size, **options
    )
    answers = training.predict(network, photos.val)
    training.record(name, history, answers, photos, split="validation")
    return training.predict(network, twentieth), answers, history


# %%
runs = {}
for seed in range({"quick": 2, "cpu": 3, "full": 5}[profile]):
    for name, part in parts.items():
        share = "5" if name == "a twentieth" else "100"
        title = f"VGG8 with batch norm, {share}%"
        runs[name, seed] = train(title, part, epochs[name], seed)


# %%
# Goal 1: four numbers, over the seeds
def macro_f1(answers):
    return analysis.class_report(answers).loc["macro", "f1"]


for name in parts:
    trials = [run for (part, _), run in runs.items() if part == name]
    numbers = {
        "its own images": [seen.accuracy for seen, _, _ in trials],
        "new images": [new.accuracy for _, new, _ in trials],
        "macro F1": [macro_f1(new) for _, new, _ in trials],
        "gap": [seen.accuracy - new.accuracy for seen, new, _ in trials],
    }
    for word, values in numbers.items():
        print(f"{name}, {word}: {records.mean_and_spread(values)}")

# %% [markdown]
# > **What we found.** 52.3 %. <!-- claim: assignment-little --> Of its own 2,250 photographs it reads all, so the gap is
# > 47.7 points. <!-- claim: assignment-gap-little --> With all images it is 72.1 %, <!-- claim: assignment-all --> and the gap
# > falls <!-- claim: assignment-gap-falls --> to 11.8 points. <!-- claim: assignment-gap-all -->
#
# A large gap is what *too little data* looks like. A loss at $\ln 10$ looks different: there the network doesn't know its own images
# either. But the gap does not say what a network is worth, for one that guesses has none at all.

# %%
# the gap opens: one network, a twentieth of the images
_, _, history = runs["a twentieth", 0]
plots.learning_curves(history)

# %% [markdown]
# Twenty times the images bring 19.9 ± 2.0 points, <!-- claim: assignment-data-gain --> with ± for half of the 95 % interval over three
# seeds. Is that what the *images* bring? The network also made 1,760 steps with all of them, and only 360 with a twentieth. So give the
# twentieth as many steps.
#
# > **Your guess.** How much of the difference do the steps make up?
# >
# > - Nearly all.
# > - About half.
# > - Little or nothing. <!-- answer: assignment-steps -->

# %%
# Goal 2: is it the images, or the steps?
steps = epochs["all images"] * batches["all images"]
longer = 2 if quick else round(steps / batches["a twentieth"])
_, answers, _ = train("a twentieth, longer", twentieth, longer, seed=0)
print(f"{longer} epochs: new images {answers.accuracy:.1%}")

# %% [markdown]
# > **What we found.** Little or nothing: with as many steps it reads 52.4 % <!-- claim: assignment-longer --> of the new images.
#
# It already reads all of its own, and its training loss is nearly zero, as the figure shows. So more steps find little to change. (One
# run.)
#
# Which classes profit from more images? Accuracy and macro F1 can't say, and here they are nearly the same number: all classes have equally
# many validation images, so accuracy is the mean recall; and where no class is predicted far too often, F1 lies near recall.

# %%
# Goal 3: which classes profit?
f1 = {
    name: analysis.class_report(runs[name, 0][1])["f1"][:-1] for name in parts
}
by_class = pd.DataFrame(f1)
by_class["gain"] = by_class["all images"] - by_class["a twentieth"]
by_class.sort_values("all images").round(2)

# %% [markdown]
# With this seed every class profits: the truck most, by 0.23 <!-- claim: assignment-truck --> in F1, the horse and the ship least, by
# 0.15. <!-- claim: assignment-ship --> The cat stays the hardest. <!-- claim: assignment-classes -->
#
# > **Your guess.** Which mistake does the network that saw all images make most often?
# >
# > - Trucks taken for cars.
# > - Birds taken for planes.
# > - Dogs taken for cats. <!-- answer: assignment-confused -->

# %%
answers = runs["all images", 0][1]
plots.confusion_heatmap(analysis.confusion_matrix(answers))

# %% [markdown]
# > **What we found.** Dogs taken for cats, 105 times, <!-- claim: assignment-confusion --> with this seed. With the two others it is cats
# > taken for dogs. <!-- claim: cats-and-dogs-confused -->
#
# ## Numbers that somebody can check
#
# How can a grader compute your numbers again? Training your network again would take too long. So you hand in its *logits*, ten numbers an
# image. Accuracy, macro F1 and gap follow from them, for everybody who has the labels. In half precision, with three digits a number, they
# take half of the space.
#
# > **Your guess.** The answer is the largest of ten logits. For how many of the 5,000 validation images does rounding change it?
# >
# > - None: three digits are enough.
# > - One or two. <!-- answer: assignment-rounded -->
# > - About fifty.

# %%
# Goal 4: the file that goes with your answers
exact = answers.logits
rounded = exact.half()
print(f"{tuple(rounded.shape)}: {rounded.numel() * 2 / 1e6:.2f} MB")
changed = (rounded.float().argmax(dim=1) != exact.argmax(dim=1)).sum()
print(f"{changed} of {len(exact):,} answers differ in half precision")

# %% [markdown]
# > **What we found.** One. <!-- claim: assignment-half -->
#
# ## Made up
#
# But nothing in a file proves that it came from training. Let us make one up, from the labels alone.
#
# > **Your turn.** Write `make_up`. Of the answers a share of `accuracy` should be right, on average, and the others any of the nine wrong
# > classes, each as likely.


# %% tags=["your-turn"]
def make_up(labels, accuracy):
    # torch.rand(len(labels)) is uniform in [0, 1);
    # torch.randint(1, 10, labels.shape) draws whole numbers from 1 to 9;
    # torch.where(condition, this, that) chooses place by place
    ...


training.set_seed(0)
truth = torch.arange(10).repeat(2_000)
invented = make_up(truth, 0.7)
assert invented is not None, "return one class for each label"
assert invented.shape == truth.shape, f"{tuple(invented.shape)}: one an image"
assert not invented.is_floating_point(), "classes are whole numbers"
assert invented.min() >= 0 and invented.max() < 10, "use % 10 on the sum"
share = (invented == truth).double().mean().item()
assert abs(share - 0.7) < 0.02, f"{share:.2f} are right, and not 0.70"
apart = (invented - truth)[invented != truth] % 10
even = apart.bincount(minlength=10)[1:] / len(apart)
assert (even - 1 / 9).abs().max() < 0.02, "each wrong class, equally often"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def make_up(labels, accuracy):
    other = (labels + torch.randint(1, 10, labels.shape)) % 10
    right = torch.rand(len(labels)) < accuracy
    return torch.where(right, labels, other)


# %% [markdown]
# Such a file has the accuracy of a network, and its macro F1. What gives it away are its mistakes. A network takes dogs for cats because
# they look alike. Made-up mistakes spread evenly over all pairs. So look at the most frequent pair.
#
# > **Your turn.** Write `top_pair`: of all mistakes in a confusion matrix (true class by predicted class), the share in its most frequent
# > pair.


# %% tags=["your-turn"]
def top_pair(matrix):
    # mistakes lie off the diagonal: matrix.clone().fill_diagonal_(0);
    # return a share from 0 to 1, and 0 where there is no mistake
    ...


counts = torch.tensor([[50, 3, 0], [1, 40, 0], [2, 0, 60]])
before = counts.clone()
share = top_pair(counts)
assert share is not None, "return the share"
assert torch.equal(counts, before), "the matrix has changed: clone it first"
assert share < 1, f"{share}: a share of the mistakes, not a count"
assert abs(share - 0.5) < 1e-6, f"{share}: 3 of 6 mistakes are in one pair"
assert top_pair(torch.diag(torch.tensor([5, 5]))) == 0, "no mistakes: 0"


# %% tags=["finished"] cellView="form" jupyter={"source_hidden": true}
# @title One way to write it
def top_pair(matrix):
    mistakes = matrix.clone().fill_diagonal_(0)
    return (mistakes.max() / mistakes.sum().clamp(min=1)).item()


# %% [markdown]
# > **Your guess.** There are 90 pairs of a true class and a wrong answer. Of a hundred mistakes of the trained network, how many fall into
# > the most frequent one? <!-- guess: assignment-top-pair, 0 to 50 % -->


# %%
# Goal 5a: a network's mistakes, and made-up ones
def matrix_of(predicted):
    guessed = F.one_hot(predicted, 10).float()
    told = analysis.Predictions(guessed, answers.labels, answers.classes)
    return torch.tensor(analysis.confusion_matrix(told).to_numpy())


training.set_seed(0)
for name, predicted in {
    "trained": answers.predicted,
    "made up": make_up(answers.labels, answers.accuracy),
}.items():
    right = (predicted == answers.labels).double().mean()
    share = top_pair(matrix_of(predicted))
    print(f"{name}: accuracy {right:.1%}, most frequent pair {share:.1%}")

# %% [markdown]
# > **What we found.** 7.4 % <!-- claim: assignment-top-pair --> for the network, and 1.7 % <!-- claim: made-up-top-pair --> for the made-up
# > file.
#
# Is that much? Chance also makes some pair the most frequent one. Make up many files, and see how far chance goes:

# %%
# Goal 5b: how far does chance go?
shares = [
    top_pair(matrix_of(make_up(answers.labels, answers.accuracy)))
    for _ in range(20 if quick else 200)
]
low, high = 100 * min(shares), 100 * max(shares)
print(f"{len(shares)} made-up files: from {low:.1f} to {high:.1f} %")

# %% [markdown]
# > **What we found.** Of 200 made-up files none has more than 2.3 % <!-- claim: made-up-highest --> of its mistakes in one pair. The
# > network is far outside, and no chance explains that. A's even squares, in the first picture, are what chance gives.
#
# This test catches a careless forger and no other. Whoever knows a confusion matrix can draw mistakes from it, and pass. (Exercise 5 asks
# for a better test.) In the assignment, the four points of `RESULTS` are for numbers that agree with the file, so made-up logits can earn
# them. Task 8 asks for your reasons.

# %% [markdown]
# > **Reference card.**
# >
# > Of 30 photographs, ten a class. Rows are true, columns predicted:
# >
# > | | cat | dog | ship |
# > |---|---|---|---|
# > | cat | 6 | 3 | 1 |
# > | dog | 2 | 7 | 1 |
# > | ship | 0 | 0 | 10 |
# >
# > | what | formula | example |
# > |---|---|---|
# > | accuracy | diagonal over all | $(6 + 7 + 10)/30 = 0.77$ |
# > | precision of a class | diagonal over its column | cat: $6/(6 + 2 + 0) = 0.75$ |
# > | recall of a class | diagonal over its row | cat: $6/(6 + 3 + 1) = 0.60$ |
# > | F1 of a class | $2 p r/(p + r)$ | cat: $2 \cdot 0.75 \cdot 0.60/1.35 = 0.67$ |
# > | macro F1 | mean of the classes' F1 | $(0.67 + 0.70 + 0.91)/3 = 0.76$ |
# > | gap | training accuracy minus validation accuracy | $100 - 52 = 48$ points |
# > | standard error of an accuracy on $n$ images | $\sqrt{a(1 - a)/n}$ | $\sqrt{0.72 \cdot 0.28/5{,}000} = 0.006$ |
# > | most frequent pair | largest mistake over all mistakes | $3/7 = 0.43$ |
# >
# > | to | call |
# > |---|---|
# > | see where you stand | `python check.py` |
# > | hand in | `answers.py` and `logits.safetensors` |
# >
# > In plain PyTorch, without this course's library, from `predicted` and `labels`:
# >
# > ```python
# > matrix = torch.zeros(10, 10).index_put(
# >     (labels, predicted), torch.ones(len(labels)), accumulate=True
# > )
# > accuracy = matrix.diag().sum() / matrix.sum()
# > ```

# %% [markdown]
# ## Going further
#
# **How even are the classes?** Macro F1 stays close to accuracy as long as the classes have about equally many images, and no class is
# predicted far too often or hardly ever. Exercise 3 takes most images of one class away, and the two part.
#
# **Other evidence of training.** A grader could ask for the weights, and evaluate the network again. That shows that the file is a
# network's, and not whose. It could ask for the log of the run, the seed and the code, and train again: then the numbers come out nearly
# the same on the same kind of machine (the page on [what comes out again](../book/determinism.md)). That is what this book does with its
# own results.

# %% [markdown]
# ## Exercises
#
# ● by hand, ●● change and run, ●●● design an experiment. Guess first, then run, then open the solution.

# %% [markdown]
# ### Exercise 1: A class that is never predicted
#
# ● *10 min.* Take the card's matrix. A second network answers "ship" for every photograph. What are its accuracy and its macro F1? (Where a
# precision would be 0/0, take F1 as 0.)

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Ten of thirty are right: $0.33$. Cat and dog have an F1 of 0. For ship precision is $10/30$ and recall is 1, so F1 is
# $2 \cdot \tfrac13 / \tfrac43 = 0.5$. The mean is $0.5/3 = 0.17$: macro F1 is only half of accuracy. A network that has stopped at $\ln 10$
# often looks like this.
#
# </details>

# %% [markdown]
# ### Exercise 2: How sure is a validation accuracy?
#
# ●● *10 min.* The validation set has 5,000 images. If another 5,000 had been drawn, by how much would the accuracy differ, for the same
# network? Compare that with the spread over seeds in goal 1.

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# By the card's formula the standard error is 0.7 points <!-- claim: assignment-draw-little --> with a twentieth of the images and
# 0.6 points <!-- claim: assignment-draw-all --> with all. Two draws differ by about $\sqrt 2$ times as much, and so do two networks on the
# same images at most. The spreads of goal 1, rough ones from three seeds, come on top. So below two points one seed each decides nothing
# here. More seeds reduce what the seeds add, and not what the draw of images adds.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
for name in parts:
    accuracy = runs[name, 0][1].accuracy
    error = (accuracy * (1 - accuracy) / len(photos.val)) ** 0.5
    print(f"{name}: accuracy {accuracy:.1%}, standard error {error:.1%}")

# %% [markdown]
# ### Exercise 3: Accuracy and macro F1 part
#
# ●● *15 min.* Leave out nine of ten validation images of the class that your network knows best. What happens to accuracy, and what to
# macro F1? Which would you report for such data?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# Accuracy falls from 71.7 % <!-- claim: assignment-accuracy-whole --> to 70.2 %, <!-- claim: assignment-accuracy-fewer --> for the easiest
# images are gone. Macro F1 falls further, from 71.6 % <!-- claim: assignment-f1-whole --> to 67.8 %, <!-- claim: assignment-f1-fewer -->
# and for another reason: the class still counts as a tenth of the whole, and its precision has dropped. As many images of other classes as
# before are taken for it, and now few right ones stand beside them. Which to report depends on your question: how often is an answer right,
# or how well is each class known?
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
best = int(analysis.class_report(answers)["recall"].iloc[:-1].argmax())
of_best = (answers.labels == best).nonzero().flatten()
kept = torch.ones(len(answers.labels), dtype=torch.bool)
kept[of_best[torch.arange(len(of_best)) % 10 > 0]] = False
fewer = analysis.Predictions(
    answers.logits[kept], answers.labels[kept], answers.classes
)
best_kept = kept[of_best].sum()
print(f"{answers.classes[best]}: {len(of_best)} images, {best_kept} kept")
for title, one in {"all": answers, "fewer": fewer}.items():
    f1 = macro_f1(one)
    print(f"{title}: accuracy {one.accuracy:.1%}, macro F1 {f1:.1%}")

# %% [markdown]
# ### Exercise 4: More images, or more of the same?
#
# ●● *15 min.* Flips and crops make new images out of old ones. Train on the twentieth with `augment=data.flip_and_crop`, for twice the
# epochs of goal 1. How much of the difference to all images do they bring?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# In one run it reads 60.9 % <!-- claim: assignment-augmented --> of the new images, where the twentieth alone has
# 52.3 % <!-- claim: assignment-little --> and all images have 72.1 %. <!-- claim: assignment-all --> So they bring about two fifths of the
# difference (one run against means of three). A flipped cat is a new image, but not a new cat.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
title, often = "a twentieth, flips and crops", 2 if quick else 40
flips = {"augment": data.flip_and_crop}
seen, new, _ = train(title, twentieth, often, 0, **flips)
print(f"its own images {seen.accuracy:.1%}, new images {new.accuracy:.1%}")

# %% [markdown]
# ### Exercise 5: A better test
#
# ●●● *30 min.* A forger has read this chapter, and draws each answer from the row of a trained network's confusion matrix. `top_pair` finds
# nothing. Design a test that does, with one trained network of your own to compare with. Which images would you look at, what would you
# count, and what should chance give?

# %% [markdown] tags=["solution"]
# <details><summary>Solution in words</summary>
#
# A confusion matrix says how often dogs are misread, and not *which* dogs. Some photographs are hard for every network. So count the images
# that both your own network and the suspect misread. Two networks that trained from different seeds share
# 64 % <!-- claim: shared-trained --> of the first one's mistakes. A forger who draws from the matrix hits them by chance,
# 34 % <!-- claim: shared-drawn --> of the time. With many files from many students this test is sharp; a forger who copies another
# student's answers and changes a few passes it, too. No test of a file proves that training took place.
#
# </details>

# %% tags=["solution"] cellView="form" jupyter={"source_hidden": true}
# @title Solution
own = runs["all images", 1][1]
wrong = own.predicted != own.labels
chances = matrix_of(answers.predicted).double()[answers.labels]
training.set_seed(0)
drawn = torch.multinomial(chances, 1).flatten()
for name, suspect in {"trained": answers.predicted, "drawn": drawn}.items():
    shared = (suspect != answers.labels)[wrong].double().mean()
    print(f"{name}: misreads {shared:.1%} of what the other misreads")

# %% [markdown]
# ## What to remember
#
# 1. Accuracy, macro F1 and the gap answer three questions: how often right, how well is each class known, how much better on seen images.
# 2. Too little data shows as a gap. A loss at $\ln 10$ shows that nothing was learned, and then there is no gap.
# 3. When you compare shares of data, ask what else differs: the number of steps, for one. Make it equal, and see.
# 4. Equal numbers can hide different mistakes. Look at the confusion matrix before you believe an accuracy.
# 5. A private copy is a clone with a private remote, not a fork. Your functions are graded on numbers that you have not seen.

# %% [markdown]
# ## Quiz
#
# Six questions. Each wrong choice is a common belief, and its answer names the place that refutes it.
#
# **Question 1.** A network reads all of its own images, and half of the new ones. What does it lack?
#
# 1. Steps: it has not trained for long enough.
# 2. Images.
# 3. Layers: a larger network would close the gap.
#
# <details><summary>Answer</summary>
#
# 1. Goal 2 gave it five times the steps, and it gained nothing.
# 2. **Right.** With all images the gap fell to a quarter: goal 1.
# 3. It already reads every image that it has, so weights are not what it lacks on those: goal 1.
#
# </details>
#
# **Question 2.** A network guesses. How large is its gap?
#
# 1. About zero.
# 2. Very large, since it has learned nothing.
# 3. One cannot say.
#
# <details><summary>Answer</summary>
#
# 1. **Right.** It is as bad on its own images as on others. So a small gap alone is no merit: see below goal 1.
# 2. The gap compares seen images with new ones, and it knows neither.
# 3. One can: both accuracies are near a tenth.
#
# </details>
#
# **Question 3.** Accuracy and macro F1 are nearly equal. Which reason is likely?
#
# 1. The network is good.
# 2. Classes have about equally many images, and none is predicted far too often or hardly ever.
# 3. The network confuses no pair of classes more than others.
#
# <details><summary>Answer</summary>
#
# 1. Both may be low: goal 1, on a twentieth.
# 2. **Right.** Exercise 3 makes the images uneven, and the two part.
# 3. Here they are nearly equal, and cats and dogs are still confused more often than any other pair: goal 3.
#
# </details>
#
# **Question 4.** Two files of answers have the same accuracy and macro F1. Are they equally trustworthy?
#
# 1. Yes, for these are the numbers that count.
# 2. No: look at which mistakes they make.
# 3. Yes, if both accuracies have five digits.
#
# <details><summary>Answer</summary>
#
# 1. One of the two in the first picture was made up.
# 2. **Right.** A network's mistakes prefer pairs that look alike: goal 5.
# 3. Digits don't say where a number comes from: goal 5a.
#
# </details>
#
# **Question 5.** Your network has 72 of a hundred right, a friend's 73, one seed each, on the same 5,000 images. Whose is better?
#
# 1. The friend's.
# 2. Undecided.
# 3. They are equal.
#
# <details><summary>Answer</summary>
#
# 1. Seeds alone move an accuracy by about a point: goal 1.
# 2. **Right.** Below two points one seed each decides nothing here: exercise 2.
# 3. Not shown either. More seeds would tell.
#
# </details>
#
# **Question 6.** You want a private copy of a public assignment. You...
#
# 1. ...fork it, and set the fork to private.
# 2. ...fork it, and delete the fork after the deadline.
# 3. ...clone it, and push to an empty private repository.
#
# <details><summary>Answer</summary>
#
# 1. A fork of a public repository can't be made private.
# 2. Until then everybody can read it.
# 3. **Right.** The section *A copy of your own* has the commands.
#
# </details>

# %% [markdown]
# ## References
#
# - CIFAR-10: [Krizhevsky, 2009](https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf).
# - VGG: [Simonyan and Zisserman, 2014](https://arxiv.org/abs/1409.1556).
# - Batch norm: [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167).
