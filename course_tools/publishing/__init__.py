"""Backstage: run the chapters, check them, and turn them into a website. No chapter imports this room.

A chapter's way: ``pairs`` (source to notebook) → ``running`` (papermill) → ``promoting`` (a finished run becomes the
published notebook) and ``staging`` (plain Markdown to MyST) → ``site`` (jupyter-book).
"""
