"""Attacks that want time, memory, disk or processes, or to outlive their question."""

from hostile import Attack, earns_nothing, harms_nothing

_LONG = "it took longer than 1 seconds"
_ENDED = "it ended Python"
_BOTH = ("output_size", "receptive_field")

_TIME = earns_nothing(
    (
        "an endless loop that handles every signal",
        """
        import signal
        for one in range(1, 64):
            tried(lambda: signal.signal(one, lambda *_: None))
        while True:
            tried(lambda: sum(range(10**9)))
        """,
        _LONG,
    ),
    seconds=1,
)
_WAITS = earns_nothing(("a sleep without end", "time.sleep(10**6)", "it took longer than 0.3 seconds"), seconds=0.3)

_END = earns_nothing(
    ("an exit of the process", "os._exit(0)", _ENDED),
    ("an exit of Python", "sys.exit(0)", "raised SystemExit"),
    ("a crash", "ctypes.string_at(0)", _ENDED),
    (
        "a recursion without end",
        """
        import functools
        sys.setrecursionlimit(10**9)
        def down(x):
            return functools.reduce(lambda a, b: down(a), [x, x])
        down(1)
        """,
        "",
    ),
)

_MEMORY = earns_nothing(
    ("a memory bomb of Python's", "kept = []\nwhile True: kept.append(bytearray(2**24))", "raised MemoryError"),
    ("a tensor of a terabyte", "return torch.ones(2**38)", "memory"),
    (
        "memory that belongs to no process",
        """
        done = tried(
            lambda: os.memfd_create('held'),
            lambda: call('shmget', 0, 2**20, 0o1600),
            lambda: call('msgget', 0, 0o1600),
            lambda: call('semget', 0, 1, 0o1600),
            lambda: call('syscall', 425, 1, ctypes.create_string_buffer(200)),
            lambda: __import__('multiprocessing.shared_memory').shared_memory.SharedMemory('x', True, 2**20),
        )
        raise RuntimeError(f"done {done}")
        """,
        "done []",
    ),
    (
        "a full disk",
        """
        written = 0
        try:
            for name in range(10**6):
                with open(f"file-{name}", "wb") as file:
                    written += file.write(bytes(2**22))
        except OSError:
            pass
        raise RuntimeError(f"over {written > 2**26}")
        """,
        "over False",
    ),
    (
        "many files and folders",
        """
        made = 0
        try:
            for made in range(10**6):
                os.mkdir(f"folder-{made}")
        except OSError:
            pass
        raise RuntimeError(f"over {made > 1000}")
        """,
        "over False",
    ),
    ("a file of a terabyte", "open('large', 'wb').truncate(2**40)", "File too large"),
    (
        "raised limits",
        """
        import resource
        done = tried(
            lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
            lambda: resource.setrlimit(resource.RLIMIT_CPU, (-1, -1)),
            lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2**40, 2**40)),
            lambda: os.nice(-5),
        )
        raise RuntimeError(f"done {done}")
        """,
        "done []",
    ),
)

_PROCESSES = [
    *earns_nothing(
        (
            "a fork bomb",
            """
            started = 0
            while True:
                if not os.fork():
                    continue
                started += 1
            """,
            "raised PermissionError",
        ),
        (
            "every other way to start a process",
            """
            import subprocess
            done = tried(
                lambda: subprocess.run([sys.executable, '-c', '']),
                lambda: os.posix_spawn(sys.executable, ['python'], {}),
                lambda: os.execv('/bin/sh', ['sh']),
                lambda: call('vfork'),
                lambda: call('syscall', 56, 17, 0, 0, 0, 0),
                lambda: call('daemon', 0, 0),
                lambda: __import__('multiprocessing').Process(target=print).start(),
                lambda: os.system('true') and None or 1 / (os.system('true') == 0),
            )
            raise RuntimeError(f"done {done}")
            """,
            "done []",
        ),
        (
            "a bomb of threads",
            "while True: threading.Thread(target=time.sleep, args=(10**6,)).start()",
            "can't start new thread",
        ),
    ),
    *harms_nothing(
        (
            "a thread that would outlive its part, and do harm then",
            """
            def later():
                while True:
                    time.sleep(0.001)
                    tried(*(lambda path=path: open(path, "w") for path in @ESCAPES@))
                    sys.modules["checks.worker"].problem = lambda _: None
            if threading.active_count() == 1:  # one for all questions: many would run into the limit on memory
                threading.Thread(target=later).start()
            """,
        ),
        ("a flood on the screen", "for stream in (1, 2): [os.write(stream, bytes(2**20)) for _ in range(200)]"),
        (
            "things to do at the end",
            "import atexit; atexit.register(lambda: open(@ESCAPES@[0], 'w')); atexit.register(time.sleep, 99)",
        ),
        ("a trace of every line", "sys.settrace(lambda *_: None); sys.setprofile(lambda *_: None)"),
    ),
]

_LOADING = [
    Attack("an endless loop while loading", "while True: pass", _LONG, at="load", loses=_BOTH, seconds=1),
    Attack("an exit while loading", "import os; os._exit(0)", _ENDED, at="load", loses=_BOTH),
    Attack("a problem that is none", "import os; os.write(3, b''); os._exit(0)", _ENDED, at="load", loses=_BOTH),
    Attack(
        "a forged problem while loading",
        """
        import os, sys
        import torch
        pack = sys.modules["checks.messages"].pack
        os.write(3, pack({"problem": torch.zeros(3)}))
        os._exit(0)
        """,
        "no reply",
        at="load",
        loses=_BOTH,
    ),
    Attack(
        "no builtins any more, for this cell and all after it",
        "__builtins__['__build_class__'] = __builtins__['__import__'] = __builtins__['len'] = None",
        at="load",
        loses=(*_BOTH, "confusion_matrix"),
    ),
]

ATTACKS = [*_TIME, *_WAITS, *_END, *_MEMORY, *_PROCESSES, *_LOADING]
