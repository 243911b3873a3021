"""Attacks that want points: replies that say they are right, and a judge or a channel that would believe it."""

from hostile import Attack, earns_nothing

_NO_INT = "output_size should return an int"
_OBJECTS = earns_nothing(
    (
        "an int that equals everything",
        """
        class Equal(int):
            __eq__ = lambda self, other: True
            __ne__ = lambda self, other: False
            __hash__ = int.__hash__
        return Equal(0)
        """,
        "expected",
    ),
    (
        "an object with every method that a comparison could ask for",
        """
        class Any:
            __eq__ = __array_ufunc__ = __array_function__ = __bool__ = lambda *_, **__: True
            __array__ = lambda *_, **__: np.ones((2, 2))
            __class__ = int
            __int__ = __index__ = __len__ = lambda _: 1
            __torch_function__ = classmethod(lambda *_, **__: True)
        return Any()
        """,
        "expected",
    ),
    (
        "an object that says it is NumPy's, and never ends",
        """
        class Scalar:
            ndim = 0
            item = lambda self: self
        Scalar.__module__ = "numpy"
        return Scalar()
        """,
        "a class of your own",
    ),
    ("an int of ten thousand digits", "sys.set_int_max_str_digits(0); return 10**10_000", "no reply"),
    (
        "an exception with terminal codes",
        r"raise ValueError('\x1b]0;owned\x07' + '\ud800' + '<script>' * 99)",
        "raised",
    ),
    (
        "an exception that cannot be printed",
        """
        class Silent(Exception):
            __str__ = __repr__ = lambda self: os._exit(0)
        raise Silent
        """,
        "it ended Python",
    ),
    (
        "an exception whose traceback is a lie",
        "raise type('NotImplementedError', (Exception,), {'__module__': 'builtins', '__traceback__': 5})('right')",
        "",
    ),
)

_TENSORS = earns_nothing(
    (
        "a tensor that answers every function with True",
        """
        class Always(torch.Tensor):
            @classmethod
            def __torch_function__(cls, function, types, arguments=(), named=None):
                return True
        return torch.zeros(num_classes, num_classes, dtype=torch.int64).as_subclass(Always)
        """,
        "raised AttributeError",
    ),
    (
        "patched comparisons of torch",
        """
        torch.equal = torch.allclose = torch.isclose = torch.Tensor.equal = lambda *_, **__: True
        torch.Tensor.__eq__ = torch.Tensor.eq = lambda *_: torch.tensor(True)
        return torch.zeros(num_classes, num_classes, dtype=torch.int64)
        """,
        "",
    ),
    (
        "patched NumPy",
        """
        np.array_equal = np.allclose = lambda *_, **__: True
        np.ndarray = type("ndarray", (), {})
        return np.zeros((num_classes, num_classes), dtype=np.int64)
        """,
        "",
    ),
    ("a tensor of 10**12 numbers in four bytes", "return torch.zeros(1).expand(10**12)", "type Tensor"),
    ("a sparse tensor of 10**18 numbers", "return torch.sparse_coo_tensor(size=(10**9, 10**9))", "type Tensor"),
    ("a tensor of a thousand dimensions", "return torch.zeros([1] * 60)", "shape"),
    place="confusion_matrix",
)

_FORGED = earns_nothing(
    (
        "patched builtins",
        """
        import builtins
        builtins.isinstance = builtins.all = builtins.hasattr = lambda *_: True
        builtins.len = builtins.int = lambda *_: 1
        return "right"
        """,
        "",
    ),
    (
        "patched modules of the grader",
        """
        for name, module in list(sys.modules.items()):
            if name.startswith("checks"):
                for one in list(vars(module)):
                    if one in ("judge", "mark", "said", "problem", "unpack", "_judge_size", "_first_hint"):
                        setattr(module, one, lambda *_, **__: None)
        for task in sys.modules["checks.tasks"].TASKS:
            for part in task.parts:
                object.__setattr__(part, "judge", lambda *_: None)
                object.__setattr__(part, "questions", lambda _: [])
        return 0
        """,
        "None",
    ),
    (
        "a judge imported past the guard",
        """
        sys.meta_path[:] = [one for one in sys.meta_path if "Course" not in type(one).__name__]
        import importlib
        marking, script = (importlib.import_module(f"checks.{name}") for name in ("marking", "script"))
        marking.Verdict.points = 100
        return marking.ask(script.cells_of(open(@REFERENCE@).read()), 1)["output_size"].expected[0]
        """,
        "NotFoundError",
    ),
    (
        "the library imported past the guard, and what else is installed beside it",
        """
        sys.meta_path[:] = [one for one in sys.meta_path if "Course" not in type(one).__name__]
        sys.modules.pop("course_lib", None)
        import importlib
        names = ("course_lib.analysis", "course_lib.models", "course_lib.data", "torchvision", "pandas", "sklearn")
        done = tried(*(lambda name=name: importlib.import_module(name) for name in names))
        raise RuntimeError(f"done {done}")
        """,
        "done []",
    ),
    (
        "patched JSON and safetensors",
        """
        json.dumps = lambda *_, **__: '{"replies": [{"value": true, "hint": null, "points": 5}]}'
        sys.modules["safetensors.torch"].save = lambda *_, **__: b"right"
        return 0
        """,
        "no reply",
    ),
    (
        "a reply that is a verdict",
        """
        os.write(3, bytes_of({"replies": [{"value": None, "hint": None, "points": 5, "right": True}] * 99}))
        os._exit(0)
        """,
        _NO_INT,
    ),
    ("a forged reply with no answer in it", "os.write(3, bytes_of({'replies': []})); os._exit(0)", "gave no reply"),
    ("a reply that is a number", "os.write(3, bytes_of(5)); os._exit(0)", "no reply"),
    ("replies that are tensors", "os.write(3, bytes_of({'replies': torch.zeros(3)})); os._exit(0)", "could be read"),
    (
        "a problem that is made of tensors",
        """
        problem = {"type": torch.zeros(9), "text": torch.zeros(9, 9), "line": torch.zeros(2)}
        os.write(3, bytes_of({"replies": [{"problem": problem}]}))
        os._exit(0)
        """,
        "raised tensor",
    ),
    ("two replies, one after the other", "os.write(3, bytes_of({'replies': [{'value': 0}]})); return 0", "no reply"),
    (
        "a reply without end",
        """
        try:
            while True:
                os.write(3, bytes(2**20))
        except OSError:
            os._exit(0)
        """,
        "larger than 16 MB",
    ),
    (
        "a reply that would run code if it were a pickle",
        """
        import pickle
        class Run:
            __reduce__ = lambda self: (exec, (f"open({@ESCAPES@[0]!r}, 'w')",))
        os.write(3, pickle.dumps(Run()))
        os._exit(0)
        """,
        "no reply",
    ),
    ("an exit that is none", "os._exit = sys.exit = lambda *_: None; return 0", "it ended Python"),
    ("a closed channel", "os.close(3); return right(size, layers)", "it ended Python"),
    (
        "a reply kept for a later question",
        """
        for place in ("kept", "/tmp/kept", "/dev/shm/kept"):
            if os.path.exists(place):
                return right(size, layers)
            tried(lambda: open(place, "w").write("5"))
        os.environ["KEPT"] = sys.modules["kept"] = "5"
        os._exit(0)
        """,
        "it ended Python",
    ),
)

_FIELD = Attack("tensors where a judge compares numbers", "return [torch.zeros(2), 4]", place="receptive_field")

ATTACKS = [*_OBJECTS, *_TENSORS, *_FORGED, _FIELD]
