"""The npm and pip clients with stand-ins that copy a package from a folder, and files read out of packages."""

import io
import tarfile
import zipfile

import pytest

from course_lib.errors import CourseError
from course_lib.storage import registries

CONTENT = b"content"


def program(file, lines):
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{lines}\n")
    file.chmod(0o755)
    return str(file)


def pack(file, *members):
    if file.suffix == ".whl":
        with zipfile.ZipFile(file, "w") as archive:
            for name in members:
                archive.writestr(name, CONTENT)
    else:
        with tarfile.open(file, "w:gz") as archive:
            for name in members:
                info = tarfile.TarInfo(name)
                info.size = len(CONTENT)
                archive.addfile(info, io.BytesIO(CONTENT))
    return file


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Sets what the npm client does."""

    def client(lines):
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
        program(tmp_path / "bin" / "npm", lines)

    return client


@pytest.fixture
def python(tmp_path, monkeypatch):
    """Sets what ``python -m pip`` does."""
    return lambda lines: monkeypatch.setattr(registries.sys, "executable", program(tmp_path / "bin" / "python", lines))


@pytest.fixture
def folder(tmp_path):
    """An empty folder to fetch into."""
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def test_npm_packs_into_the_folder(npm, folder):
    npm('echo "$1 $2" > tiny-1.0.tgz; mkdir npm-cache')
    assert registries.npm_package("tiny@1.0", folder) == folder / "tiny-1.0.tgz"
    assert (folder / "tiny-1.0.tgz").read_text() == "pack tiny@1.0\n"


def test_pip_downloads_one_package_by_its_hash_without_installing(python, folder):
    python('echo "$@" > asked; mkdir package; cp wanted.txt package')
    assert registries.pip_package("tiny==1.0", "0123", folder) == folder / "package" / "wanted.txt"
    assert (folder / "wanted.txt").read_text() == "tiny==1.0 --hash=sha256:0123\n"
    assert (folder / "asked").read_text().startswith("-m pip download --no-deps --require-hashes --requirement ")


def test_a_clients_error_reaches_the_reader(npm, python, folder):
    npm('echo "npm error 404 no such package" >&2; echo "npm error a log is there" >&2; exit 1')
    with pytest.raises(CourseError, match=r"^npm error 404 no such package$"):
        registries.npm_package("tiny@1.0", folder)
    python('printf "WARNING: old\\nERROR: No matching distribution\\nWARNING: a newer pip\\n" >&2; exit 1')
    with pytest.raises(CourseError, match=r"^ERROR: No matching distribution$"):
        registries.pip_package("tiny==1.0", "0123", folder)
    python("exit 1")
    with pytest.raises(CourseError, match=r"^no message$"):
        registries.pip_package("tiny==1.0", "0123", folder)


@pytest.mark.parametrize("name", ["tiny.whl", "tiny.tar.gz"])
def test_members_come_in_the_order_asked_and_a_missing_one_is_named(tmp_path, name):
    archive = pack(tmp_path / name, "a/b.txt", "a/c.txt")
    assert registries.read_members(archive, "a/c.txt", "a/b.txt") == [CONTENT, CONTENT]
    with pytest.raises(CourseError, match=f"^{name} holds no readable a/d.txt$"):
        registries.read_members(archive, "a/d.txt")


def test_a_folder_and_a_damaged_archive_are_no_members(tmp_path):
    folder = tmp_path / "folder.tar"
    with tarfile.open(folder, "w") as archive:
        info = tarfile.TarInfo("a")
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    (tmp_path / "damaged.tgz").write_bytes(b"rubbish")
    for file in (folder, tmp_path / "damaged.tgz"):
        with pytest.raises(CourseError, match=r"holds no readable a$"):
            registries.read_members(file, "a")


def bomb(file, size):
    """An archive of a few kilobytes, with ``a`` and then ``size`` zeros."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a", CONTENT)
            archive.writestr("zeros", bytes(size))
    else:
        with tarfile.open(file, "w:gz") as archive:
            for name, content in (("a", CONTENT), ("zeros", bytes(size))):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return file


@pytest.mark.parametrize("name", ["bomb.whl", "bomb.tgz"])
@pytest.mark.parametrize("member", ["a", "zeros"])
def test_an_archive_that_unpacks_to_more_than_a_package_has_is_refused(tmp_path, name, member):
    archive = bomb(tmp_path / name, 10 * 2**20)
    assert archive.stat().st_size < 20_000
    with pytest.raises(CourseError, match=f"^{name} unpacks to more than 8 MB: it is not the course's$"):
        registries.read_members(archive, member, most=8 * 2**20)
    assert len(registries.read_members(archive, "zeros", most=11 * 2**20)[0]) == 10 * 2**20


def test_a_zip_that_understates_its_sizes_gives_no_more_than_it_states(tmp_path):
    archive = bomb(tmp_path / "bomb.whl", 2**20)
    size = (2**20).to_bytes(4, "little")
    archive.write_bytes(archive.read_bytes().replace(size, (7).to_bytes(4, "little")))
    with pytest.raises(CourseError, match="holds no readable zeros"):
        registries.read_members(archive, "zeros", most=1000)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
@pytest.mark.parametrize("target", ["b", "a", "/etc/passwd", "../../etc/passwd"])
def test_a_member_that_is_no_file_is_not_followed(tmp_path, kind, target):
    file = tmp_path / "linked.tar"
    with tarfile.open(file, "w") as archive:
        info = tarfile.TarInfo("b")
        info.size = len(CONTENT)
        archive.addfile(info, io.BytesIO(CONTENT))
        info = tarfile.TarInfo("a")
        info.type, info.linkname = kind, target
        archive.addfile(info)
    with pytest.raises(CourseError, match=r"^linked\.tar holds no readable a$"):
        registries.read_members(file, "a")


def test_names_that_lead_out_of_the_archive_write_nothing(tmp_path):
    archive = pack(tmp_path / "out.tar.gz", "../../out", "/out")
    before = sorted(tmp_path.rglob("*"))
    assert registries.read_members(archive, "../../out") == [CONTENT]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["tiny.whl", "tiny.tar.gz"])
def test_flipped_bytes_are_an_error_of_one_line(tmp_path, name):
    archive = bomb(tmp_path / name, 100_000)
    content = archive.read_bytes()
    for place in range(30, len(content), 11):
        archive.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            assert len(registries.read_members(archive, "zeros", most=10**6)[0]) == 100_000
        except CourseError:
            continue
