"""What outlives a run: the cache folder, files that appear whole or not at all, and downloads into that folder."""

from course_lib.storage.disk import atomic_file, home, is_disk_error, user_path, writable_folder
from course_lib.storage.fetching import Download
