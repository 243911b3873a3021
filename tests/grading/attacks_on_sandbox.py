"""Attacks that want to see, change or reach something outside: what they find would stand in their hint."""

from hostile import earns_nothing, harms_nothing

_FOUND = 'found = "; ".join(map(str, found))\nraise RuntimeError(f"found [{found[:300]}]")'


def _looks(name: str, code: str) -> tuple[str, str, str]:
    """An attack that collects what it finds in ``found``."""
    return name, f"found = []\n{code.strip(chr(10))}\n{_FOUND}", "found []"


def _tries(name: str, *acts: str) -> tuple[str, str, str]:
    """An attack that does what it can of many acts."""
    code = f"done = tried({', '.join(f'lambda: {act}' for act in acts)})\nraise RuntimeError(f'done {{done}}')"
    return name, code, "done []"


_READS = earns_nothing(
    _looks(
        "reading files of the judge, of others and of the system",
        """
for path in @SECRETS@ + ["/etc/passwd", "/etc/hostname", "/sys/kernel", "/var/log", "/usr/bin", "/run", "/boot"]:
    found += [open(path).read()] if os.path.isfile(path) else os.listdir(path) if os.path.isdir(path) else []
""",
    ),
    _looks(
        "searching every folder for the reference",
        """
for folder, _, files in os.walk("/"):
    if {"model-answers.md", "answers.py"} & set(files) or any(name.endswith(".safetensors") for name in files):
        found.append(folder)
""",
    ),
    _looks(
        "climbing out by relative paths",
        """
for way in ("..", "../" * 20, "/proc/self/root", "/proc/1/root", "/proc/self/cwd/.."):
    found += [path for path in @SECRETS@ if os.path.exists(way + path)]
""",
    ),
    _looks(
        "reading /proc",
        """
import glob
for name in ("environ", "fd/*", "root", "cmdline", "maps", "mem", "cwd"):
    found += glob.glob(f"/proc/*/{name}")
""",
    ),
    _looks(
        "reading the environment",
        """
libc.getenv.restype = ctypes.c_char_p
found += [value for value in os.environ.values() if "planted" in value]
found += [libc.getenv(@VARIABLE@.encode())] if libc.getenv(@VARIABLE@.encode()) else []
""",
    ),
    _looks(
        "reading every descriptor",
        """
for number in range(4096):
    if number != 3:
        for read in (lambda: os.pread(number, 99, 0), lambda: os.read(number, 99), lambda: os.listdir(number)):
            found += [content for _, content in tried(read) if content]
""",
    ),
    _looks(
        "searching stack frames and all objects for right replies and seeds",
        """
import gc
frame, seen = sys._getframe(1), []
while frame:
    seen += [dict(frame.f_locals), frame.f_globals]
    frame = frame.f_back
low, high = @SEED_IN_PARTS@
for one in [*seen, *gc.get_objects()]:
    if type(one).__name__ == "Asked" or type(one) is dict and {"questions", "expected"} <= set(map(str, one)):
        found.append(type(one))
    if type(one) in (dict, list, tuple):
        values = list(one.values()) if type(one) is dict else one
        found += [value for value in values if type(value) is int and divmod(value, 4096) == (low, high)]
""",
    ),
    _looks(
        "searching memory for what an earlier submission said",
        """
import re
spool = os.open("spool", os.O_RDWR | os.O_CREAT)
libc.sbrk.restype = ctypes.c_void_p
starts = {libc.sbrk(0) - 2**28: 2**28}
tensors = [torch.zeros(size) for size in (9, 2**20)]
for one in (*map(id, (object(), bytes(10**5), bytearray(2**24))), *(tensor.data_ptr() for tensor in tensors)):
    starts[one // 2**24 * 2**24 - 2**24] = 2**26
size = 2**16
for start, length in starts.items():
    for address in range(start, start + length, size):
        for page in [(address, size)] if libc.pwrite(spool, ctypes.c_void_p(address), size, 0) == size else [
            (one, 4096) for one in range(address, address + size, 4096)
        ]:
            written = libc.pwrite(spool, ctypes.c_void_p(page[0]), page[1], ctypes.c_long(0))
            if written > 0:
                found += re.findall(rb"[p]lanted-[0-9a-f]{32}", os.pread(spool, written, 0))
""",
    ),
    _looks(
        "what an earlier question left behind",
        """
found += os.listdir(".")
open("left", "w").write("left")
""",
    ),
)

_WRITES = earns_nothing(
    _tries(
        "writing outside of the scratch folder",
        *(f"open(@ESCAPES@[{i}], 'w')" for i in range(5)),
        "open('/escaped', 'w')",
        "os.mkdir('/dev/escaped')",
    ),
    _tries(
        "changing what is installed",
        "open(torch.__file__, 'a')",
        "open(os.__file__, 'a')",
        "os.chmod(torch.__file__, 0o666)",
        "os.remove(np.__file__)",
        "os.rename(os.__file__, 'os.py')",
        "os.utime(torch.__file__, (1, 1))",
        "os.setxattr(torch.__file__, 'user.x', b'x')",
        "open(os.path.join(os.path.dirname(torch.__path__[0]), 'evil.pth'), 'w')",
        "open(os.path.join(sys.modules['course_lib'].__path__[0], 'evil.py'), 'w')",
    ),
    _tries(
        "links out of the scratch folder",
        "os.link(torch.__file__, 'hard')",
        "(os.symlink('/', 'root'), open('root' + @ESCAPES@[0], 'w'))",
        "(os.symlink(@SECRETS@[0], 'secret'), open('secret').read())",
        "os.mknod('disk', 0o600 | 0o060000, os.makedev(254, 0))",
        "os.mknod('zero', 0o600 | 0o020000, os.makedev(1, 5))",
    ),
)

_RIGHTS = earns_nothing(
    _tries(
        "mounting, changing the root, and namespaces",
        "call('mount', b'none', b'/dev', b'proc', 0, None)",
        "call('mount', b'/', b'.', None, 4096, None)",
        "call('mount', None, b'/', None, 32 | 4096, None)",
        "call('umount2', b'/dev/null', 2)",
        "os.chroot('.')",
        "call('syscall', 155, b'.', b'.')",
        *(f"call('unshare', {flag:#x})" for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000)),
        "call('setns', 3, 0)",
        "call('syscall', 428, -100, b'/', 1)",
        "call('syscall', 430, b'tmpfs', 0)",
        "call('syscall', 56, 0x10000000 | 17, 0, 0, 0, 0)",
    ),
    _tries(
        "becoming somebody else",
        "os.setuid(0)",
        "os.setresuid(0, 0, 0)",
        "os.setgroups([0])",
        "os.seteuid(1000)",
        "call('prctl', 38, 0, 0, 0, 0)",
        "(os.chmod(open('x', 'w').name, 0o4755), os.chown('x', 0, 0))",
        "call('capset', (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[2**32 - 1] * 6))",
        "call('prctl', 22, 0, 0, 0, 0)",
    ),
    _tries(
        "reaching into other processes",
        *(f"call('ptrace', 16, {process}, 0, 0)" for process in ("os.getppid()", "1", "2", "@SERVER@", "@JUDGE@")),
        *(f"os.kill({process}, 9)" for process in ("2", "@SERVER@", "@JUDGE@")),
        "os.kill(os.getppid(), 9) if os.getppid() else os.killpg(@JUDGE@, 9)",
        "os.pidfd_open(1)",
        "os.sched_setaffinity(@JUDGE@, [0])",
        "os.setpriority(os.PRIO_PROCESS, @JUDGE@, 19)",
        "call('process_vm_readv', @JUDGE@, None, 0, None, 0, 0)",
        "__import__('resource').prlimit(@JUDGE@, 7, (0, 0))",
    ),
    _tries(
        "the kernel's side doors",
        "call('syscall', 321, 0, 0, 0)",
        "call('syscall', 298, 0, 0, 0, 0, 0)",
        "call('syscall', 323, 0)",
        "call('syscall', 250, 0, -3, 0)",
        "call('syscall', 248, b'user', b'x', b'x', 1, -3)",
        "call('syscall', 135, 0xFFFFFFFF)",
        "call('syscall', 0x40000000 | 39)",
        "call('syscall', 103, 2, 0, 0)",
        "open('/dev/tty')",
        "open('/dev/kmsg')",
        "open('/dev/mem')",
    ),
)

_NETWORK = earns_nothing(
    _tries(
        "a network",
        "__import__('socket').create_connection(('127.0.0.1', @PORT@), 1)",
        "__import__('socket').create_connection(('1.1.1.1', 53), 1)",
        "__import__('socket').getaddrinfo('localhost', 80)",
        "__import__('socket').create_server(('127.0.0.1', 0))",
        "__import__('socket').socket(__import__('socket').AF_UNIX).connect(@ADDRESS@)",
        "__import__('socket').socket(__import__('socket').AF_NETLINK, 3)",
        "__import__('socket').socketpair()",
        "__import__('urllib.request').request.urlopen('http://localhost:' + str(@PORT@), timeout=1)",
    ),
)

_SIGNALS = harms_nothing(
    (
        "a signal to everybody",
        """
        assert os.getpid() == 1  # everybody is this sandbox; without one, it would be the whole machine
        for one in (15, 9, 2, 19):
            tried(lambda: os.kill(-1, one))
        """,
    ),
    ("a signal to its group", "for one in (15, 9, 2, 19): tried(lambda: os.kill(0, one), lambda: os.killpg(0, one))"),
    ("a signal by a timer", "import signal; signal.setitimer(signal.ITIMER_REAL, 0.001); time.sleep(0.01)"),
)

ATTACKS = [*_READS, *_WRITES, *_RIGHTS, *_NETWORK, *_SIGNALS]
