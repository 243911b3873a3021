"""A worker for code that is not trusted: each part of an answer runs in a process of its own, between walls.

From the judge to the student's code::

    sandboxed   the judge's end: starts a zygote, has it run a student's cells, reads replies as data
    zygote      the parent of all processes that run students' code: knows torch, and no secret
    sandbox     what such a process may do: namespaces, an owner without rights, limits
    visible     what it can see of the file system
    seccomp     what it can ask of the kernel
    linux       the system calls that Python has no words for
"""
