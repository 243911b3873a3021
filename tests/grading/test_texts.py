"""Words are counted in any script."""

import pytest

from checks.tasks import PARTS
from checks.tasks.texts import FEWEST, MOST, words_in

PART = PARTS["WHY_STUCK"]
# Sentences with their number of words, as people count them.
SENTENCES = {
    "The signal dies; its gradient, too.": 6,
    "Das Signal stirbt, und auch der Gradient.": 7,
    "신호가 죽고 기울기도 죽는다.": 4,
    "网络很深，所以信号消失了。": 7,
    "ネットワークが深いので、信号が消える。": 7,
    "เครือข่ายลึกมากจนสัญญาณหายไป": 7,
    "ResNet 的损失是 2.303，不变。": 7,
}


@pytest.mark.parametrize(("sentence", "words"), SENTENCES.items())
def test_words_are_counted_in_any_script(sentence, words):
    low, high = words_in(sentence)
    assert low <= words <= high and words_in("") == (0, 0)

    def hint(count):
        return PART.judge({"name": "WHY_STUCK"}, None, f"{sentence} " * -(-count // words))

    assert hint(FEWEST) is None and hint(MOST - words) is None
    assert "are the fewest" in hint(FEWEST // 5) and "are the most" in hint(MOST * 5)
