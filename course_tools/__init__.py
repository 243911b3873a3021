"""For maintainers: the ``course`` command. It runs and publishes chapters, holds claims against records, grades."""
