from pathlib import Path

import platformdirs
import pytest

from course_lib import storage


def test_home_is_the_users_cache_folder_unless_course_home_is_set(monkeypatch):
    monkeypatch.delenv("COURSE_HOME", raising=False)
    assert storage.home() == platformdirs.user_cache_path("convnets-measured")
    monkeypatch.setenv("COURSE_HOME", "~/elsewhere")
    assert storage.home() == Path("~/elsewhere").expanduser()


def test_a_file_that_cannot_be_finished_leaves_the_old_one(tmp_path):
    path = tmp_path / "file"
    for text in ("old", "new"):
        with storage.atomic_file(path) as draft:
            draft.write_text(text)
            assert not path.exists() or path.read_text() == "old"
    with pytest.raises(KeyboardInterrupt), storage.atomic_file(path) as draft:
        draft.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]
