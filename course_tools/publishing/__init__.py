"""Run the chapters, check them, and turn them into a website. No chapter imports this package.

A chapter's way: ``pairs`` (source to notebook), ``run`` (papermill), then ``publish`` (a finished run becomes the
published notebook), or ``stage`` (plain Markdown to MyST, tables drawn by ``draw``) and ``site`` (jupyter-book).
``freshness`` decides whether outputs are still those of their code.
"""
